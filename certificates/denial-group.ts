/** The disabled enrollment group that shuts out everything below a CA certificate. */
import type { CertificateSummary } from "./summary";

/** Longest part of the common name that goes into the group's ID. */
const LONGEST = 64;

/**
 * ID of the group, made of the certificate alone, so that whoever makes it finds it again:
 * `denied-plant-7-3f2a9c0112345678`.
 */
export function denialGroupId({
  subjectCommonName,
  sha256Thumbprint,
}: Pick<CertificateSummary, "subjectCommonName" | "sha256Thumbprint">): string {
  const name = subjectCommonName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, LONGEST)
    .replace(/^-|-$/g, "");
  return [
    "denied",
    ...(name === "" ? [] : [name]),
    sha256Thumbprint.slice(0, 16).toLowerCase(),
  ].join("-");
}

/** Whether a group has such an ID. */
export function isDenialGroupId(id: string): boolean {
  return /^denied-([a-z0-9-]+-)?[0-9a-f]{16}$/.test(id);
}
