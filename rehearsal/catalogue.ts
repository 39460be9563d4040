/** Every procedure that can be rehearsed, in the order of `all`. */
import { individualBreach } from "./procedures/p04-individual-breach";
import { individualExpiration } from "./procedures/p05-individual-expiration";
import { rootBreach } from "./procedures/p06-root-breach";
import { intermediateBreach } from "./procedures/p07-intermediate-breach";
import { rootExpiration } from "./procedures/p08-root-expiration";
import { intermediateExpiration } from "./procedures/p09-intermediate-expiration";
import { told } from "./procedures/p10-told";
import type { Procedure } from "./procedures/procedure";

export const catalogue: Procedure[] = [
  individualExpiration,
  rootExpiration,
  intermediateExpiration,
  told,
  individualBreach,
  rootBreach,
  intermediateBreach,
];
