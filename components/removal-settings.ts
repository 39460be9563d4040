/** From `remove` in the configuration to what a removal is told. */
import * as pulumi from "@pulumi/pulumi";
import type { Declared } from "../certificates/declared";
import { type Fault, formatFault } from "../certificates/faults";
import { goodIssuers, unknownIssuers } from "../certificates/issued-leaves";
import type { StackConfiguration } from "../configuration/configuration";
import { withMade } from "../configuration/load-certificates";
import { readIssuedLeaves } from "../dynamic-providers/device-registration-removal/issued-leaves-file";
import type { RemovalSettings } from "../dynamic-providers/device-registration-removal/scope";

export interface Removal {
  remove: RemovalSettings;
  goodIssuers: pulumi.Output<string[]>;
}

/**
 * Reads the manifest of issued leaves. Only with one are certificates made in the stack waited for:
 * without it no leaf is judged by its issuer.
 */
export function removalOf(
  { remove }: StackConfiguration,
  declared: Declared,
  made: Record<string, pulumi.Output<string>>,
): { removal: Removal; faults: Fault[] } {
  const { issuedLeaves: file, ...settings } = remove;
  if (file === undefined) {
    return { removal: { remove: settings, goodIssuers: pulumi.output([]) }, faults: [] };
  }
  const { leaves, faults, source } = readIssuedLeaves(file, process.cwd());
  const known = pulumi
    .all(made)
    .apply((pems) => ({ ...declared, certificates: withMade(declared.certificates, pems) }));
  return {
    removal: {
      remove: { ...settings, ...(source !== undefined && { issuedLeaves: source }) },
      goodIssuers: known.apply((all) => {
        unknownIssuers(leaves, all, "remove.issuedLeaves").forEach(
          (warning) => void pulumi.log.warn(formatFault(warning)),
        );
        return goodIssuers(all);
      }),
    },
    faults,
  };
}
