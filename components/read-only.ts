/** A preview by an identity that may only read: of a pull request, whose code nobody has approved yet. */
import * as pulumi from "@pulumi/pulumi";
import { fault, formatFault } from "../certificates/faults";

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
    throw tooMuch("an update", "unset it: it is for previews of a copy of the state");
  }
  if (auth === "keys") {
    throw tooMuch(
      "`auth: keys`, which would list access keys, as no identity that only reads may do",
      "use `auth: entra`",
    );
  }
}

function tooMuch(found: string, fix: string): Error {
  return new pulumi.RunError(
    formatFault(fault("DPS-CERT-183", "DPS_CERTIFICATES_READ_ONLY", found, fix)),
  );
}
