/** A preview by an identity that may only read: of a pull request, whose code nobody has approved yet. */
import * as pulumi from "@pulumi/pulumi";

/**
 * Whether this run has to do without rights to write: `DPS_CERTIFICATES_READ_ONLY=1`. Access keys are
 * then not listed (that is a right to write), so a hub's connection string stays what it was.
 */
export function isReadOnly(): boolean {
  return process.env["DPS_CERTIFICATES_READ_ONLY"] === "1";
}

/** Throws when a run that may only read would write, or would have to list keys. */
export function requireReadOnly(auth: "entra" | "keys"): void {
  if (!isReadOnly()) return;
  if (!pulumi.runtime.isDryRun()) {
    throw new pulumi.RunError(
      "DPS_CERTIFICATES_READ_ONLY is set: it is for previews of a copy of the state. Unset it for an update.",
    );
  }
  if (auth === "keys") {
    throw new pulumi.RunError(
      "DPS_CERTIFICATES_READ_ONLY is set, and `auth: keys` would list access keys, which no identity that only reads may do: use `auth: entra`.",
    );
  }
}
