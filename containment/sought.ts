/** What is to be contained: as it was given on the command line, and what is known of it. */
import { readFileSync, statSync } from "node:fs";
import { type CompromisedKey, compromisedKeys } from "../certificates/compromised-keys";
import { normalThumbprint } from "../certificates/compromise";
import type { Declared, KnownCertificate } from "../certificates/declared";
import { formatFault, isFault } from "../certificates/faults";
import { parseChain, parsePem } from "../certificates/pem";
import { type CertificateSummary, describe, summarize } from "../certificates/summary";
import { displayName } from "../certificates/text";
import type { ClosedEntry } from "../dynamic-providers/breach-containment/closing";
import type { Containment } from "../dynamic-providers/breach-containment/provider";

export type Sought =
  | {
      kind: "certificate";
      key: CompromisedKey;
      pem: string;
      summary: CertificateSummary;
      words: string;
    }
  | { kind: "thumbprint"; key: CompromisedKey; words: string }
  | { kind: "registration ID"; registrationId: string; words: string };

/** What was given cannot be understood; nothing was done. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const THUMBPRINT =
  /^([0-9A-Fa-f]{2}[:\s]?){19}[0-9A-Fa-f]{2}$|^([0-9A-Fa-f]{2}[:\s]?){31}[0-9A-Fa-f]{2}$/;
const ID = /^[A-Za-z0-9._:-]{0,127}[A-Za-z0-9-]$/;
/** Endings that only files have, though a registration ID might. */
const FILE = /\.(pem|crt|cer|der|key|p7b|pfx|p12)$|[\\/]/i;
const LARGEST_BYTES = 1024 * 1024;

export interface Given {
  /** PEM file, thumbprint or registration ID. */
  what: string;
  /** It is a registration ID, whatever it looks like. */
  isRegistrationId: boolean;
  /** PEM of further certificates, which may have the same key or be issued below it. */
  known: string[];
}

/** Certificates of PEM files. Throws `UsageError`. */
export function readKnown(files: string[]): string[] {
  return files.flatMap((file) => {
    const read = parseChain(bytesOf(file), file);
    if (isFault(read)) throw new UsageError(formatFault(read));
    return read.certificates;
  });
}

/** Throws `UsageError`. */
export function readSought({ what, isRegistrationId, known: others }: Given): Sought {
  if (!isRegistrationId && THUMBPRINT.test(what)) {
    return byThumbprint(normalThumbprint(what), others);
  }
  if (!isRegistrationId && (isFile(what) || FILE.test(what))) {
    const read = parsePem(bytesOf(what), what);
    if (isFault(read)) throw new UsageError(formatFault(read));
    const summary = summarize(read.certificate);
    const key = keyOf({ certificate: "given" }, [read.certificate, ...others]);
    return {
      kind: "certificate",
      key,
      pem: read.certificate,
      summary,
      words: `the key of ${describe(summary)}`,
    };
  }
  if (!ID.test(what)) {
    throw new UsageError(
      `${displayName(what)} is no PEM file that exists, no thumbprint (40 or 64 hexadecimal digits) and no registration ID.`,
    );
  }
  return {
    kind: "registration ID",
    registrationId: what,
    words: `registration ID ${displayName(what)}`,
  };
}

function byThumbprint(thumbprint: string, others: string[]): Sought {
  const key = keyOf({ thumbprint }, others);
  const pem = others.find((one) => key.pem === one);
  if (pem === undefined) {
    return { kind: "thumbprint", key, words: `the certificate with thumbprint ${thumbprint}` };
  }
  const summary = summarize(pem);
  return { kind: "certificate", key, pem, summary, words: `the key of ${describe(summary)}` };
}

/* As the stack's configuration would say it; the first certificate is called "given". */
function keyOf(
  compromised: { certificate: string } | { thumbprint: string },
  pems: string[],
): CompromisedKey {
  const certificates = pems.map((pem, index): [string, KnownCertificate] => [
    index === 0 ? "given" : `known-${index}`,
    { known: true, pem, summary: summarize(pem) },
  ]);
  const declared: Declared = {
    certificates: Object.fromEntries(certificates),
    caCertificates: {},
    enrollmentGroups: {},
    individualEnrollments: {},
    compromised: [{ ...compromised, reason: "contained" }],
    denied: [],
    waivers: [],
  };
  const [key] = compromisedKeys(declared);
  if (key === undefined) throw new Error("a certificate that is given is known");
  return key;
}

/** Lines of a file that are not empty. Throws `UsageError`. */
export function readLines(file: string): string[] {
  return bytesOf(file)
    .toString("utf8")
    .split(/\r?\n/)
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

/** What the stack closed for a key, from its output `contained`. Throws `UsageError`. */
export function readContained(file: string, key: string): ClosedEntry[] {
  try {
    const all = JSON.parse(bytesOf(file).toString("utf8")) as Record<string, Containment>;
    return all[key]?.entries ?? [];
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${displayName(file)} is not the stack's output \`contained\` as JSON.`);
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function bytesOf(file: string): Buffer {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined || !isFile(file)) {
    throw new UsageError(
      `There is no file ${displayName(file)}. If it is a registration ID, say so: --registration-id ${displayName(file)}.`,
    );
  }
  if (size > LARGEST_BYTES) {
    throw new UsageError(`${displayName(file)} is too large for a certificate.`);
  }
  return readFileSync(file);
}
