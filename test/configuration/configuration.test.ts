import assert from "node:assert/strict";
import { formatFault, RefusedError } from "../../certificates/faults";
import { readConfiguration } from "../../configuration/configuration";

const service = { name: "dps-a", resourceGroup: "fleet", location: "westeurope" };

/** The whole messages of a configuration that is refused. */
function messages(raw: unknown): string[] {
  try {
    readConfiguration(raw);
  } catch (error) {
    assert.ok(error instanceof RefusedError, String(error));
    return error.faults.map(formatFault);
  }
  return [];
}

const certificates = {
  root: { dev: { commonName: "Root", days: 3650 } },
  file: { file: "certs/root.pem" },
};

describe("reading the configuration", () => {
  it("takes an unquoted day, which YAML makes a time of, for the day that was written", () => {
    const waived = (until: string) => ({
      service,
      waivers: [{ code: "DPS-CERT-048", path: "x", reason: "bench", until }],
    });
    assert.equal(
      readConfiguration(waived("2026-11-25 00:00:00 +0000 UTC")).waivers[0]?.until,
      "2026-11-25",
    );
    assert.deepEqual(messages(waived("2026-11-25 12:00:00 +0000 UTC")), [
      "DPS-CERT-022 at waivers[0].until: found the text 2026-11-25 12:00:00 +0000 UTC; fix: give: Last day on which the waiver holds: YYYY-MM-DD, UTC",
    ]);
  });

  it("fills in the defaults and leaves what was given alone", () => {
    const raw = {
      service,
      hubs: [{ name: "hub-a" }],
      certificates: {
        ...certificates,
        device: { dev: { issuer: "root", commonName: "device-1", days: 90, key: "rsa-2048" } },
      },
      caCertificates: { root: { certificate: "root" } },
      enrollmentGroups: { sensors: { primary: { ca: "root" } } },
      individualEnrollments: { "device-1": { status: "disabled" } },
    };
    const copy = structuredClone(raw);
    assert.deepEqual(readConfiguration(raw), {
      target: "sandbox",
      auth: "entra",
      service: { ...service, allocationPolicy: "Hashed", adopt: false },
      hubs: [{ name: "hub-a", sku: "S1", units: 1, adopt: false }],
      certificates: {
        root: { dev: { commonName: "Root", days: 3650, key: "ecdsa-p256", ca: true } },
        file: { file: "certs/root.pem" },
        device: {
          dev: { issuer: "root", commonName: "device-1", days: 90, key: "rsa-2048", ca: false },
        },
      },
      caCertificates: { root: { certificate: "root", adopt: false } },
      enrollmentGroups: {
        sensors: {
          primary: { ca: "root" },
          status: "enabled",
          reprovisionPolicy: "migrate",
          adopt: false,
        },
      },
      individualEnrollments: {
        "device-1": { status: "disabled", reprovisionPolicy: "migrate", adopt: false },
      },
      compromised: [],
      denied: [],
      fleet: { longestOfflineHours: 0 },
      retirement: { onOld: 0, notKnown: 0 },
      remove: { how: "now", keep: "delete" },
      reprovisioning: {
        waitSeconds: 300,
        responseSeconds: 30,
        connectSeconds: 0,
        methodName: "reprovision",
      },
      reenable: [],
      promotion: {},
      waivers: [],
    });
    assert.deepEqual(raw, copy);
  });

  const rows: [name: string, raw: unknown, expected: string[]][] = [
    [
      "nothing",
      undefined,
      [
        "DPS-CERT-022 at the configuration: found nothing; fix: give: What one stack declares of one DPS instance: its CAs, enrollments and certificates. Set as structured configuration under the project's namespace, `dps-certificates:`",
      ],
    ],
    [
      "a misspelt property",
      { service, taget: "azure" },
      [
        "DPS-CERT-020 at taget: found the unknown property taget; fix: did you mean target? Allowed: target, auth, service, hubs, certificates, caCertificates, enrollmentGroups, individualEnrollments, compromised, denied, fleet, retirement, remove, reprovisioning, promotion, reenable and waivers",
      ],
    ],
    [
      "a misspelt property deep inside, said once",
      { service, enrollmentGroups: { sensors: { primary: { cert: "x" } } } },
      [
        "DPS-CERT-020 at enrollmentGroups.sensors.primary.cert: found the unknown property cert; fix: Allowed: ca and certificate",
      ],
    ],
    [
      "a missing property",
      { service: { name: "dps-a", resourceGroup: "fleet" } },
      [
        "DPS-CERT-021 at service.location: found nothing; fix: give: Azure region, such as westeurope. Changing it replaces the instance",
      ],
    ],
    [
      "adopting what has no name",
      {
        service: { resourceGroup: "fleet", location: "westeurope", adopt: true },
        hubs: [{ adopt: true }],
      },
      [
        "DPS-CERT-021 at service.name: found nothing; fix: give the name of what is adopted",
        "DPS-CERT-021 at hubs[0].name: found nothing; fix: give the name of what is adopted",
      ],
    ],
    [
      "a word that is not offered",
      { service, target: "Azure" },
      [
        "DPS-CERT-022 at target: found the text Azure; fix: did you mean azure? Allowed: sandbox and azure",
      ],
    ],
    [
      "a value of another type, in a list",
      { service, hubs: [{ name: "hub-a" }, { name: "hub-b", units: "2" }] },
      [
        "DPS-CERT-022 at hubs[1].units: found the text 2; fix: give: Number of units of the tier. Default: 1",
      ],
    ],
    [
      "a name that Azure does not take",
      { service, individualEnrollments: { "device 1.": {} } },
      [
        `DPS-CERT-023 at individualEnrollments["device 1."]: found the name device 1.; fix: give: Registration ID or group ID: 1 to 128 letters, digits, '-', '.', '_', ':'; the last one a letter, a digit or '-'. Compared without case`,
      ],
    ],
    [
      "a name that would be a trap in JavaScript",
      { service, certificates: JSON.parse('{"__proto__":{"file":"x"}}') as unknown },
      [
        "DPS-CERT-023 at certificates.__proto__: found the name __proto__; fix: give: 1 to 64 letters, digits, '-', '.', '_'",
      ],
    ],
    [
      "two things where one is meant",
      { service, certificates: { a: { file: "x", dev: { commonName: "a", days: 1 } } } },
      [
        "DPS-CERT-022 at certificates.a: found file and dev together; fix: give exactly one of file and dev",
      ],
    ],
    [
      "neither of two things",
      { service, compromised: [{ reason: "leaked" }] },
      [
        "DPS-CERT-022 at compromised[0]: found none of certificate and thumbprint; fix: give exactly one of certificate and thumbprint",
      ],
    ],
    [
      "a hub twice",
      { service, hubs: [{ name: "hub-a" }, { name: "HUB-A" }] },
      [
        "DPS-CERT-022 at hubs[1].name: found HUB-A, which is listed before; fix: list each hub once",
      ],
    ],
    [
      "waves that nobody makes",
      { service, remove: { waves: { sizes: [1] } } },
      [
        "DPS-CERT-103 at remove.waves: found settings of waves with how: now; fix: set how: waves, or take them out",
      ],
    ],
    [
      "the size of a wave in two ways",
      { service, remove: { how: "waves", waves: { sizes: [1], share: 10 } } },
      ["DPS-CERT-104 at remove.waves.share: found share beside sizes; fix: give one of the two"],
    ],
    [
      "more CAs than a service takes",
      {
        service,
        certificates,
        caCertificates: Object.fromEntries(
          Array.from({ length: 26 }, (_, index) => [`ca-${index}`, { certificate: "root" }]),
        ),
      },
      ["DPS-CERT-022 at caCertificates: found 26 entries; fix: declare at most 25"],
    ],
    [
      "a dev certificate for a real target",
      { service, target: "azure", certificates: { root: certificates.root } },
      [
        "DPS-CERT-024 at certificates.root.dev: found a certificate made in the stack, for the target azure; fix: give the certificate of your CA as { file }; its key never comes into the stack",
      ],
    ],
    [
      "issuers of dev certificates that cannot issue",
      {
        service,
        certificates: {
          ...certificates,
          a: { dev: { commonName: "a", days: 1, issuer: "rot" } },
          b: { dev: { commonName: "b", days: 1, issuer: "file" } },
          c: { dev: { commonName: "c", days: 1, issuer: "a" } },
          d: { dev: { commonName: "d", days: 1, issuer: "e", ca: true } },
          e: { dev: { commonName: "e", days: 1, issuer: "d", ca: true } },
        },
      },
      [
        "DPS-CERT-027 at certificates.a.dev.issuer: found the certificate name rot; fix: did you mean root? Known: root, file, a, b, c, d and e",
        "DPS-CERT-025 at certificates.b.dev.issuer: found file, which is a file: its key is not in the stack; fix: name a dev certificate that is a CA",
        "DPS-CERT-025 at certificates.c.dev.issuer: found a, which is not a CA; fix: set ca: true on a",
        "DPS-CERT-025 at certificates.d.dev.issuer: found e, whose own issuers lead back to d; fix: let one certificate be self-signed (no issuer)",
        "DPS-CERT-025 at certificates.e.dev.issuer: found d, whose own issuers lead back to e; fix: let one certificate be self-signed (no issuer)",
      ],
    ],
    [
      "a CA from a file without a proof of possession",
      {
        service,
        certificates,
        caCertificates: { a: { certificate: "file" }, b: { certificate: "root" } },
      },
      [
        "DPS-CERT-029 at caCertificates.a.proof: found no proof of possession for a CA whose key is not in the stack; fix: give proof: { keyFile: … }, { command: […] }, { signatureCommand: […] } or { offline: {} }, or { selfAttested: true } to do without",
      ],
    ],
    [
      "opening again what is not declared, is named twice or is declared closed",
      {
        service,
        certificates,
        caCertificates: { root: { certificate: "root" } },
        enrollmentGroups: { sensors: { primary: { ca: "root" } } },
        individualEnrollments: { "device-1": { status: "disabled" } },
        reenable: [
          { path: "enrollmentGroups.sensor", reason: "checked" },
          { path: "caCertificates.root", reason: "checked" },
          { path: "caCertificates.root", reason: "checked again" },
          { path: "individualEnrollments.device-1", reason: "found again" },
        ],
      },
      [
        "DPS-CERT-120 at reenable[0].path: found enrollmentGroups.sensor, which is not declared; fix: did you mean enrollmentGroups.sensors? Known: caCertificates.root, enrollmentGroups.sensors and individualEnrollments.device-1",
        "DPS-CERT-120 at reenable[2].path: found caCertificates.root a second time; fix: name each path once",
        "DPS-CERT-121 at reenable[3].path: found individualEnrollments.device-1, which is declared with status: disabled; fix: set its status to enabled, or remove this",
      ],
    ],
    [
      "a hub that would not be linked",
      { service: { ...service, adopt: true }, hubs: [{ name: "hub-a" }] },
      [
        "DPS-CERT-127 at hubs[0]: found a hub that the stack makes, for a service that it does not manage; fix: link the hub to the service by hand and set adopt: true on it, or leave it out",
      ],
    ],
    [
      "signing commands that cannot be meant",
      {
        service,
        certificates,
        caCertificates: {
          a: { certificate: "file", proof: { command: ["sign", "{crs}"] } },
          b: { certificate: "file", proof: { signatureCommand: ["sign", "--pin", "4711"] } },
        },
      },
      [
        "DPS-CERT-111 at caCertificates.a.proof.command[1]: found the placeholder {crs}; fix: use one of {csr} and {code}",
        "DPS-CERT-112 at caCertificates.b.proof.signatureCommand[2]: found what gives a PIN or a pass phrase (its value is not shown); fix: let the command read it from a file or an environment variable: pin-source=file:… in a PKCS #11 URI, -passin env:… of openssl",
      ],
    ],
  ];
  for (const [name, raw, expected] of rows) {
    it(`refuses ${name}`, () => assert.deepEqual(messages(raw), expected));
  }

  it("reports all faults at once, and shows no value that may be a key", () => {
    const found = messages({
      service: { ...service, location: "-----BEGIN PRIVATE KEY-----\nMIGH", name: "x" },
      auth: "-----BEGIN PRIVATE KEY-----\nMIGH",
    });
    assert.deepEqual(
      found.map((message) => message.split("; fix")[0]),
      [
        "DPS-CERT-022 at auth: found text of 32 characters (not shown)",
        "DPS-CERT-022 at service.name: found the text x",
      ],
    );
  });
});
