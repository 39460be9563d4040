/** Every procedure that can be rehearsed, in the order of `all`: neighbours share a sandbox. */
import { alternating, alternatingOtherwise } from "./procedures/alternating";
import { goingBack } from "./procedures/going-back";
import {
  killedIndividualBreach,
  killedIntermediateBreach,
  killedOtherRemovals,
  killedRootBreach,
  killedStolenLeaf,
} from "./procedures/killed";
import { killedTelling } from "./procedures/killed-telling";
import { obtain } from "./procedures/p01-obtain";
import { leafOnDevice } from "./procedures/p02-leaf-on-device";
import { leafBelowCa } from "./procedures/p03-leaf-below-ca";
import { bothSlots } from "./procedures/p04-both-slots";
import { individualBreach } from "./procedures/p04-individual-breach";
import { noReplacement } from "./procedures/p04-no-replacement";
import { secondService } from "./procedures/p04-second-service";
import { individualExpiration } from "./procedures/p05-individual-expiration";
import { rootBreach } from "./procedures/p06-root-breach";
import { sharedRoot } from "./procedures/p06-shared-root";
import { intermediateBreach } from "./procedures/p07-intermediate-breach";
import { parentGroup } from "./procedures/p07-parent-group";
import { rootExpiration } from "./procedures/p08-root-expiration";
import { toIntermediate } from "./procedures/p08-to-intermediate";
import { intermediateExpiration } from "./procedures/p09-intermediate-expiration";
import { refusedByHub } from "./procedures/p10-refused-by-hub";
import { told } from "./procedures/p10-told";
import { offlineProof } from "./procedures/p11-offline";
import { proof } from "./procedures/p11-proof";
import { deniedByCertificate, deniedById } from "./procedures/p12-denied";
import { stolenLeaf } from "./procedures/p12-new-leaf";
import type { Procedure } from "./procedures/procedure";

export const catalogue: Procedure[] = [
  obtain,
  leafOnDevice,
  leafBelowCa,
  individualExpiration,
  rootExpiration,
  intermediateExpiration,
  toIntermediate,
  alternating,
  goingBack,
  refusedByHub,
  told,
  individualBreach,
  bothSlots,
  noReplacement,
  secondService,
  rootBreach,
  sharedRoot,
  intermediateBreach,
  parentGroup,
  proof,
  offlineProof,
  deniedById,
  stolenLeaf,
  deniedByCertificate,
  alternatingOtherwise,
  // Not among `all`: `kills`, or one by its name.
  killedIndividualBreach,
  killedRootBreach,
  killedIntermediateBreach,
  killedStolenLeaf,
  killedOtherRemovals,
  killedTelling,
];
