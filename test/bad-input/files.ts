/** Files that people give by mistake, and a configuration to name them in. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Issued, TestCa } from "../support/test-ca";

const DAY_MS = 24 * 60 * 60 * 1000;

/** The stack's configuration without its namespace, as far as tests change it. */
export interface RawConfiguration {
  target?: unknown;
  certificates: Record<string, unknown>;
  caCertificates: Record<string, Record<string, unknown>>;
  enrollmentGroups: Record<string, Record<string, unknown>>;
  individualEnrollments: Record<string, Record<string, unknown>>;
  [property: string]: unknown;
}

export class BadFiles {
  private constructor(
    readonly folder: string,
    readonly leaf: Issued,
  ) {}

  static async make(): Promise<BadFiles> {
    const folder = mkdtempSync(join(tmpdir(), "bad-input-"));
    const root = await TestCa.root("Root X");
    const leaf = await root.leaf("device-9");
    const expired = await root.leaf("device-9", {
      notBefore: new Date(Date.now() - 9 * DAY_MS),
      notAfter: new Date(Date.now() - DAY_MS),
    });
    const files = {
      "notes.pem": "this is not PEM\n",
      "device.key": leaf.key,
      "both.pem": leaf.pem + leaf.key,
      "leaf.pem": leaf.pem,
      "expired.pem": expired.pem,
    };
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(folder, name), content, { mode: 0o600 });
    }
    return new BadFiles(folder, leaf);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Lines of the private key's body: none of them may be shown anywhere. */
  get keyLines(): string[] {
    return this.leaf.key.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** One mistake in an otherwise good configuration, and the whole message that answers it. */
export interface Mistake {
  title: string;
  edit: (configuration: RawConfiguration, files: BadFiles) => void;
  message: RegExp;
}

const SUMMARY = String.raw`device-9 \(SHA-256 [0-9A-F]{8}…, issued by Root X, valid \S+ to \S+\)`;
const oneFault = (fault: string): RegExp => new RegExp(`^refused, 1 fault:\n  ${fault}$`);

/** Faults that are found before any resource is registered. */
export const MISTAKES: Mistake[] = [
  {
    title: "a file that is not PEM",
    edit: ({ certificates }, files) => (certificates["x"] = { file: files.path("notes.pem") }),
    message: oneFault(
      String.raw`DPS-CERT-001 at certificates\.x\.file: found text without a PEM block \(its content is not shown\); fix: give the certificate in PEM, .*`,
    ),
  },
  {
    title: "a private key where a certificate is expected",
    edit: ({ certificates }, files) => (certificates["x"] = { file: files.path("device.key") }),
    message: oneFault(
      String.raw`DPS-CERT-002 at certificates\.x\.file: found a private key \(its content is not shown\); fix: give only the certificate; .*`,
    ),
  },
  {
    title: "a certificate with its private key behind it",
    edit: ({ certificates }, files) => (certificates["x"] = { file: files.path("both.pem") }),
    message: oneFault(
      String.raw`DPS-CERT-002 at certificates\.x\.file: found a private key in block 2 of 2 .*; fix: give only the certificate; .*`,
    ),
  },
  {
    title: "a private key in place of the path of a file",
    edit: ({ certificates }, files) => (certificates["x"] = { file: files.leaf.key }),
    message: oneFault(
      String.raw`DPS-CERT-012 at certificates\.x\.file: found text of \d+ characters \(not shown\) where the path of a file is expected; fix: put the certificate in a file and give its path`,
    ),
  },
  {
    title: "a leaf as a CA certificate",
    edit: ({ certificates, caCertificates }, files) => {
      certificates["x"] = { file: files.path("leaf.pem") };
      caCertificates["x"] = { certificate: "x", proof: { selfAttested: true } };
    },
    message: oneFault(
      String.raw`DPS-CERT-043 at caCertificates\.x\.certificate: found a leaf: ${SUMMARY}; fix: use the CA certificate that issued it \(.*\)`,
    ),
  },
  {
    title: "a leaf in a slot of a group",
    edit: ({ certificates, enrollmentGroups }, files) => {
      certificates["x"] = { file: files.path("leaf.pem") };
      enrollmentGroups["gateways"]!["secondary"] = { certificate: "x" };
    },
    message: oneFault(
      String.raw`DPS-CERT-043 at enrollmentGroups\.gateways\.secondary\.certificate: found a leaf: ${SUMMARY}; fix: .*`,
    ),
  },
  {
    title: "the same certificate in both slots",
    edit: ({ individualEnrollments }) =>
      (individualEnrollments["device-1"]!["secondary"] = { certificate: "device-1-a" }),
    message: oneFault(
      String.raw`DPS-CERT-041 at individualEnrollments\.device-1\.secondary\.certificate: found the same certificate as in the primary slot: .*; fix: leave one slot empty .*`,
    ),
  },
  {
    title: "the name of a CA that is not declared",
    edit: ({ enrollmentGroups }) => (enrollmentGroups["sensors"]!["secondary"] = { ca: "root-b" }),
    message: oneFault(
      String.raw`DPS-CERT-028 at enrollmentGroups\.sensors\.secondary\.ca: found the CA name root-b; fix: did you mean root-a\? Known: root-a and root-i`,
    ),
  },
  {
    title: "both slots empty",
    edit: ({ individualEnrollments }) => (individualEnrollments["device-1"] = {}),
    message: oneFault(
      String.raw`DPS-CERT-040 at individualEnrollments\.device-1: found an enabled entry without a certificate in either slot; fix: fill the primary or the secondary slot, .*`,
    ),
  },
  {
    title: "a misspelt property",
    edit: ({ individualEnrollments }) =>
      (individualEnrollments["device-1"] = { primry: { certificate: "device-1-a" } }),
    message: oneFault(
      String.raw`DPS-CERT-020 at individualEnrollments\.device-1\.primry: found the unknown property primry; fix: did you mean primary\? Allowed: .*`,
    ),
  },
  {
    title: "a misspelt property of the stack",
    edit: (configuration) => (configuration["individualEnrolments"] = {}),
    message: oneFault(
      String.raw`DPS-CERT-020 at individualEnrolments: .*; fix: did you mean individualEnrollments\? Allowed: .*`,
    ),
  },
  {
    title: "text that only begins like a list",
    edit: (configuration) => (configuration.target = "[sandbox"),
    message: oneFault(
      String.raw`DPS-CERT-\d+ at target: found the text .*sandbox"; fix: did you mean sandbox\? Allowed: sandbox and azure`,
    ),
  },
  {
    title: "several mistakes, all in one message",
    edit: ({ enrollmentGroups, individualEnrollments }) => {
      individualEnrollments["device-1"] = { primary: { certificate: "device-2-a" } };
      individualEnrollments["device-2"] = {};
      enrollmentGroups["sensors"]!["status"] = "disabled";
    },
    message:
      /^refused, 2 faults:\n {2}DPS-CERT-045 at individualEnrollments\.device-1\.primary\.certificate: found the common name device-2: .*\n {2}DPS-CERT-040 at individualEnrollments\.device-2: .*$/,
  },
];
