/** Configurations that the program refuses before any resource is there, each with one mistake. */
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import type { Issued } from "../../support/test-ca";
import type { ProgramRefusal, RawConfiguration } from "./refusal";

/** A configuration with nothing wrong in it. */
export function goodConfiguration(): RawConfiguration {
  return {
    target: "sandbox",
    service: { name: "dps", resourceGroup: "rg", location: "westeurope" },
    hubs: [{ name: "hub-1" }],
    certificates: Object.fromEntries(
      ["root-a", "root-b", "root-i", "plant-1", "truck-a", "truck-b"].map((name) => [
        name,
        { file: `${name}.pem` },
      ]),
    ),
    caCertificates: {
      "root-a": { certificate: "root-a", proof: { keyFile: "root-a.key" } },
      "root-i": { certificate: "root-i", proof: { keyFile: "root-i.key" } },
    },
    enrollmentGroups: {
      sensors: { primary: { ca: "root-a" } },
      gateways: { primary: { certificate: "plant-1" } },
    },
    individualEnrollments: { "truck-7": { primary: { certificate: "truck-a" } } },
  };
}

const block = (label: string, content: string): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(content).toString("base64")}\n-----END ${label}-----\n`;

/** One bad file in place of the leaf of truck-7. */
const leafFile = (
  code: ProgramRefusal["code"],
  content: (leaf: Issued) => string | Buffer,
): ProgramRefusal => ({
  code,
  configure: (_raw, files, { "truck-a": leaf }) => {
    files["truck-a.pem"] = content(leaf!);
  },
});

const proof = (code: ProgramRefusal["code"], how: object): ProgramRefusal => ({
  code,
  configure: ({ caCertificates }) => {
    caCertificates["root-a"] = { certificate: "root-a", proof: how };
  },
});

const group = (code: ProgramRefusal["code"], slots: object): ProgramRefusal => ({
  code,
  configure: ({ enrollmentGroups }) => {
    enrollmentGroups["sensors"] = slots;
  },
});

const truck = (code: ProgramRefusal["code"], slots: object, id = "truck-7"): ProgramRefusal => ({
  code,
  configure: ({ individualEnrollments }) => {
    individualEnrollments[id] = slots;
  },
});

/** Another section of the configuration. */
const set = (code: ProgramRefusal["code"], sections: object): ProgramRefusal => ({
  code,
  configure: (raw) => void Object.assign(raw, sections),
});

export const PROGRAM_REFUSALS: ProgramRefusal[] = [
  leafFile("DPS-CERT-001", () => "this is not PEM\n"),
  leafFile("DPS-CERT-002", ({ key }) => key),
  leafFile("DPS-CERT-003", ({ pem }) => Buffer.from(new X509Certificate(pem).raw)),
  leafFile("DPS-CERT-004", () => block("PKCS7", "a container")),
  leafFile("DPS-CERT-005", () => block("CERTIFICATE REQUEST", "a request")),
  leafFile("DPS-CERT-006", ({ key }) =>
    createPublicKey(createPrivateKey(key)).export({ type: "spki", format: "pem" }),
  ),
  leafFile("DPS-CERT-007", ({ pem }) => `subject=CN = truck-7\n${pem}`),
  leafFile("DPS-CERT-008", ({ pem }) => pem + pem),
  leafFile("DPS-CERT-009", () => ""),
  leafFile("DPS-CERT-010", () => block("CERTIFICATE", "no certificate")),
  leafFile("DPS-CERT-011", () => block("TRUSTED CERTIFICATE", "what OpenSSL makes")),
  {
    code: "DPS-CERT-012",
    configure: ({ certificates }) => {
      certificates["truck-a"] = { file: "truck.pem" };
    },
  },
  truck("DPS-CERT-020", { primry: { certificate: "truck-a" } }),
  set("DPS-CERT-021", { service: { name: "dps", resourceGroup: "rg" } }),
  set("DPS-CERT-022", { target: "Azure" }),
  truck("DPS-CERT-023", { primary: { certificate: "truck-a" } }, "truck 7"),
  {
    code: "DPS-CERT-024",
    configure: (raw) => {
      raw["target"] = "azure";
      raw.certificates["spare"] = { dev: { commonName: "Spare root", days: 30 } };
    },
  },
  {
    code: "DPS-CERT-025",
    configure: ({ certificates }) => {
      certificates["spare"] = { dev: { commonName: "truck-8", days: 30, issuer: "root-a" } };
    },
  },
  truck("DPS-CERT-026", { primary: { certificate: "truck-b" } }, "Truck-7"),
  truck("DPS-CERT-027", { primary: { certificate: "truck-c" } }),
  group("DPS-CERT-028", { primary: { ca: "root-c" } }),
  {
    code: "DPS-CERT-029",
    configure: ({ caCertificates }) => {
      caCertificates["root-b"] = { certificate: "root-b" };
    },
  },
  set("DPS-CERT-030", {
    waivers: [
      {
        code: "DPS-CERT-070",
        path: "enrollmentGroups.sensors.primary.ca",
        reason: "until the weekend",
        until: "2026-06-30",
      },
    ],
  }),
  truck("DPS-CERT-040", {}),
  truck("DPS-CERT-041", {
    primary: { certificate: "truck-a" },
    secondary: { certificate: "truck-a" },
  }),
  group("DPS-CERT-043", { primary: { certificate: "truck-a" } }),
  truck("DPS-CERT-045", { primary: { certificate: "truck-a" } }, "truck-8"),
  {
    code: "DPS-CERT-046",
    configure: ({ caCertificates }) => {
      delete caCertificates["root-i"];
    },
  },
  group("DPS-CERT-047", { primary: { ca: "root-a" }, secondary: { certificate: "plant-1" } }),
  set("DPS-CERT-070", {
    compromised: [{ certificate: "plant-1", reason: "key leaked by the plant" }],
  }),
  set("DPS-CERT-071", {
    compromised: [{ certificate: "root-a", reason: "HSM backup was copied" }],
  }),
  set("DPS-CERT-074", {
    compromised: [{ thumbprint: "0123456789".repeat(4), reason: "named in a report" }],
  }),
  set("DPS-CERT-075", { denied: [{ registrationId: "truck-7", reason: "stolen" }] }),
  set("DPS-CERT-076", { denied: [{ certificate: "truck-a", reason: "stolen" }] }),
  {
    code: "DPS-CERT-090",
    configure: (raw, _files, { "truck-a": leaf }) => {
      raw.individualEnrollments = {};
      const thumbprint = leaf!.thumbprint;
      raw["compromised"] = [{ thumbprint, reason: "found on a stolen laptop" }];
    },
  },
  {
    code: "DPS-CERT-100",
    configure: (raw, files) => {
      files["issued.json"] = JSON.stringify([{ registrationId: "sensor-1", leafSha256: "" }]);
      raw["remove"] = { issuedLeaves: "issued.json" };
    },
  },
  set("DPS-CERT-103", { remove: { how: "now", waves: { pauseMinutes: 30 } } }),
  set("DPS-CERT-104", { remove: { how: "waves", waves: { sizes: [10], share: 5 } } }),
  proof("DPS-CERT-110", { offline: {} }),
  proof("DPS-CERT-111", { command: ["sign", "{crs}"] }),
  proof("DPS-CERT-112", { command: ["sign", "{csr}", "--pin=1234"] }),
  {
    code: "DPS-CERT-114",
    configure: ({ caCertificates }, files, { "truck-a": leaf }) => {
      files["signed.pem"] = leaf!.pem;
      caCertificates["root-a"] = {
        certificate: "root-a",
        proof: { offline: { signedFile: "signed.pem" } },
      };
    },
  },
  set("DPS-CERT-120", { reenable: [{ path: "enrollmentGroups.sensor", reason: "all clear" }] }),
  {
    code: "DPS-CERT-121",
    configure: (raw) => {
      raw.enrollmentGroups["sensors"] = { primary: { ca: "root-a" }, status: "disabled" };
      raw["reenable"] = [{ path: "enrollmentGroups.sensors", reason: "all clear" }];
    },
  },
  set("DPS-CERT-127", {
    service: { name: "dps", resourceGroup: "rg", location: "westeurope", adopt: true },
  }),
  {
    code: "DPS-CERT-130",
    configure: (raw) => {
      raw.hubs = [{ name: "hub-1", sku: "B1" }];
      raw.enrollmentGroups["sensors"] = { primary: { ca: "root-a" }, reprovision: "job" };
    },
  },
];
