/** Certificates and configurations for the tests of the domain. The day is always the same. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Declared, DeclaredCertificate, KnownFacts, Roll } from "../../certificates/declared";
import { formatFault } from "../../certificates/faults";
import { parsePem } from "../../certificates/pem";
import { judge } from "../../certificates/rules";
import { describe as describeCertificate, summarize } from "../../certificates/summary";
import { TestCa, type CertificateOptions, type Issued } from "../support/test-ca";

export const NOW = new Date("2026-06-01T00:00:00Z");
const YEAR = {
  notBefore: new Date("2026-01-01T00:00:00Z"),
  notAfter: new Date("2026-12-31T00:00:00Z"),
};
const DECADE = {
  notBefore: new Date("2025-01-01T00:00:00Z"),
  notAfter: new Date("2035-01-01T00:00:00Z"),
};

export function root(cn: string, options: CertificateOptions = {}): Promise<TestCa> {
  return TestCa.root(cn, { ...DECADE, ...options });
}

export function below(ca: TestCa, cn: string, options: CertificateOptions = {}): Promise<TestCa> {
  return ca.intermediate(cn, { ...DECADE, ...options });
}

export function leaf(ca: TestCa, cn: string, options: CertificateOptions = {}): Promise<Issued> {
  return ca.leaf(cn, { ...YEAR, ...options });
}

export function known(certificate: { pem: string }): DeclaredCertificate {
  const read = parsePem(certificate.pem, "test");
  if (!("certificate" in read)) throw new Error(formatFault(read));
  return { known: true, pem: read.certificate, summary: summarize(read.certificate) };
}

/** The certificate as messages show it. */
export function shown(certificate: { pem: string }): string {
  return describeCertificate(summarize(certificate.pem));
}

/** A configuration with only what the test is about. */
export function declared(
  certificates: Record<string, { pem: string } | DeclaredCertificate>,
  rest: Partial<Omit<Declared, "certificates">> = {},
): Declared {
  return {
    certificates: Object.fromEntries(
      Object.entries(certificates).map(([name, certificate]) => [
        name,
        "known" in certificate ? certificate : known(certificate),
      ]),
    ),
    caCertificates: {},
    enrollmentGroups: {},
    individualEnrollments: {},
    compromised: [],
    denied: [],
    waivers: [],
    ...rest,
  };
}

/** The whole messages of a judgement on the day of the tests. */
export function messages(
  before: Declared | undefined,
  after: Declared,
  facts?: KnownFacts,
): string[] {
  return judge(before, after, NOW, facts).faults.map(formatFault);
}

/** `procedure phase` of the roll of each entry. */
export function rolls(before: Declared | undefined, after: Declared): Record<string, string> {
  return Object.fromEntries(
    judge(before, after, NOW).rolls.map((roll) => [roll.entry, `${roll.procedure} ${roll.phase}`]),
  );
}

/** The steps of a roll as people read them. */
export function stepWords({ steps }: Roll): string[] {
  return steps.map(({ words }) => words);
}

/** Runs openssl on a text that it reads as a file (`FILE` in the arguments), which is then removed. */
export function openssl(args: string[], input: string | Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), "openssl-"));
  try {
    const file = join(folder, "input.pem");
    writeFileSync(file, input, { mode: 0o600 });
    const words = args.map((word) => (word === "FILE" ? file : word));
    return execFileSync("openssl", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
