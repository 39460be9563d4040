/** Each row breaks one thing of a configuration that is otherwise right, and says the whole message. */
import assert from "node:assert/strict";
import type { Declared } from "../../certificates/declared";

import type { Issued, TestCa } from "../support/test-ca";
import { judgeAlone } from "../../certificates/rules";
import { below, declared, known, leaf, messages, NOW, root, shown } from "./fixtures";

const enabled = "enabled" as const;
const disabled = "disabled" as const;

describe("the rules of one configuration", () => {
  let rootA: TestCa, rootB: TestCa, intermediate: TestCa;
  let one: Issued, two: Issued;
  let base: Declared;

  before(async () => {
    rootA = await root("Root A");
    rootB = await root("Root B");
    intermediate = await below(rootA, "Intermediate A");
    one = await leaf(intermediate, "device-1");
    two = await leaf(intermediate, "device-1");
    base = declared(
      { "root-a": rootA, "root-b": rootB, "intermediate-a": intermediate, one, two },
      {
        caCertificates: { "root-a": { certificate: "root-a" } },
        enrollmentGroups: {
          sensors: { primary: { ca: "root-a" }, status: enabled },
          gateways: { primary: { certificate: "intermediate-a" }, status: enabled },
        },
        individualEnrollments: {
          "device-1": { primary: { certificate: "one" }, status: enabled },
        },
      },
    );
  });

  it("find nothing wrong with a right configuration, nor with the next certificate beside it", () => {
    assert.deepEqual(messages(undefined, base), []);
    const next: Declared = {
      ...base,
      individualEnrollments: {
        "device-1": {
          primary: { certificate: "one" },
          secondary: { certificate: "two" },
          status: enabled,
        },
      },
    };
    assert.deepEqual(messages(base, next), []);
  });

  const individual = (
    entry: Partial<Declared["individualEnrollments"][string]>,
    id = "device-1",
  ) => ({
    individualEnrollments: { [id]: { status: enabled, ...entry } },
  });
  const group = (entry: Partial<Declared["enrollmentGroups"][string]>) => ({
    enrollmentGroups: { sensors: { status: enabled, ...entry } },
  });

  const rows: [name: string, change: () => Partial<Declared>, expected: () => string[]][] = [
    [
      "both slots empty in an enabled entry",
      () => individual({}),
      () => [
        "DPS-CERT-040 at individualEnrollments.device-1: found an enabled entry without a certificate in either slot; fix: fill the primary or the secondary slot, or set the status to disabled",
      ],
    ],
    ["both slots empty in a disabled entry", () => individual({ status: disabled }), () => []],
    [
      "the same certificate in both slots",
      () => individual({ primary: { certificate: "one" }, secondary: { certificate: "one" } }),
      () => [
        `DPS-CERT-041 at individualEnrollments.device-1.secondary.certificate: found the same certificate as in the primary slot: ${shown(one)}; fix: leave one slot empty until the next certificate is there`,
      ],
    ],
    [
      "one certificate under two CA names in both slots",
      () => ({
        caCertificates: { a: { certificate: "root-a" }, b: { certificate: "root-a" } },
        ...group({ primary: { ca: "a" }, secondary: { ca: "b" } }),
      }),
      () => [
        `DPS-CERT-041 at enrollmentGroups.sensors.secondary.ca: found the same certificate as in the primary slot: CA \`b\`: ${shown(rootA)}; fix: leave one slot empty until the next certificate is there`,
      ],
    ],
    [
      "a leaf in a slot of a group",
      () => group({ primary: { certificate: "one" } }),
      () => [
        `DPS-CERT-043 at enrollmentGroups.sensors.primary.certificate: found a leaf: ${shown(one)}; fix: use the CA certificate that issued it (basicConstraints CA:TRUE)`,
      ],
    ],
    [
      "a leaf as a CA certificate",
      () => ({
        caCertificates: { "root-a": { certificate: "root-a" }, x: { certificate: "one" } },
      }),
      () => [
        `DPS-CERT-043 at caCertificates.x.certificate: found a leaf: ${shown(one)}; fix: use the CA certificate that issued it (basicConstraints CA:TRUE)`,
      ],
    ],
    [
      "a misspelt CA name",
      () => group({ primary: { ca: "rot-a" } }),
      () => [
        "DPS-CERT-028 at enrollmentGroups.sensors.primary.ca: found the CA name rot-a; fix: did you mean root-a? Known: root-a",
      ],
    ],
    [
      "a CA name that is like none",
      () => group({ primary: { ca: "elsewhere" } }),
      () => [
        "DPS-CERT-028 at enrollmentGroups.sensors.primary.ca: found the CA name elsewhere; fix: use one of root-a",
      ],
    ],
    [
      "an unknown certificate name, in every place",
      () => ({
        caCertificates: { "root-a": { certificate: "root-a" }, x: { certificate: "root-z" } },
        ...individual({ primary: { certificate: "ome" } }),
        compromised: [{ certificate: "constructor", reason: "test" }],
        denied: [{ certificate: "tow", reason: "test" }],
      }),
      () => [
        "DPS-CERT-027 at caCertificates.x.certificate: found the certificate name root-z; fix: did you mean root-a? Known: root-a, root-b, intermediate-a, one and two",
        "DPS-CERT-027 at individualEnrollments.device-1.primary.certificate: found the certificate name ome; fix: did you mean one? Known: root-a, root-b, intermediate-a, one and two",
        "DPS-CERT-027 at compromised[0].certificate: found the certificate name constructor; fix: use one of root-a, root-b, intermediate-a, one and two",
        "DPS-CERT-027 at denied[0].certificate: found the certificate name tow; fix: did you mean two? Known: root-a, root-b, intermediate-a, one and two",
      ],
    ],
    [
      "a common name that is not the registration ID",
      () => individual({ primary: { certificate: "one" } }, "device.2"),
      () => [
        `DPS-CERT-045 at individualEnrollments["device.2"].primary.certificate: found the common name device-1: ${shown(one)}; fix: use a certificate whose common name is the registration ID device.2`,
      ],
    ],
    [
      "a common name that differs from the registration ID in case only",
      () => individual({ primary: { certificate: "one" } }, "DEVICE-1"),
      () => [],
    ],
    [
      "two registration IDs that differ in case only",
      () => ({
        individualEnrollments: {
          "device-1": { primary: { certificate: "one" }, status: enabled },
          "Device-1": { primary: { certificate: "two" }, status: enabled },
        },
      }),
      () => [
        "DPS-CERT-026 at individualEnrollments.Device-1: found Device-1 and device-1, which DPS takes for one ID; fix: keep one of the two",
      ],
    ],
    [
      "a signing certificate that chains to no declared CA",
      () => ({
        caCertificates: { "root-b": { certificate: "root-b" } },
        ...group({ primary: { certificate: "intermediate-a" } }),
      }),
      () => [
        `DPS-CERT-046 at enrollmentGroups.sensors.primary.certificate: found a signing certificate that chains to no CA of this configuration: ${shown(intermediate)}; fix: declare its root in caCertificates (there: \`root-b\`), and any certificate between the two in certificates`,
      ],
    ],
    [
      "a CA reference and a signing certificate in one group",
      () => group({ primary: { ca: "root-a" }, secondary: { certificate: "intermediate-a" } }),
      () => [
        "DPS-CERT-047 at enrollmentGroups.sensors: found a CA reference in one slot and a signing certificate in the other; fix: fill both slots with CA references, or both with signing certificates",
      ],
    ],
    [
      "a self-attested CA",
      () => ({ caCertificates: { "root-a": { certificate: "root-a", selfAttested: true } } }),
      () => [
        "DPS-CERT-053 at caCertificates.root-a.proof: found a CA that is verified on this configuration's word alone; fix: declare it under another name with a proof of possession (keyFile, command or offline), and point the groups at that one",
      ],
    ],
    [
      "two entries with one device ID",
      () => ({
        individualEnrollments: {
          "device-1": { primary: { certificate: "one" }, status: enabled },
          "device-9": { status: disabled, deviceId: "device-1" },
        },
      }),
      () => [
        "DPS-CERT-056 at individualEnrollments.device-9: found the device ID device-1, which device-1 has as well; fix: give each enrollment a device ID of its own",
      ],
    ],
    [
      "a denied registration ID that is enrolled",
      () => ({ denied: [{ registrationId: "Device-1", reason: "stolen" }] }),
      () => [
        "DPS-CERT-075 at denied[0].registrationId: found device-1, which individualEnrollments enrolls; fix: remove the enrollment, or remove the denial: an enabled individual enrollment with only the new leaf already shadows the group for the old one",
      ],
    ],
    [
      "a denied certificate in a slot",
      () => ({ denied: [{ certificate: "one", reason: "stolen" }] }),
      () => [
        `DPS-CERT-076 at individualEnrollments.device-1.primary.certificate: found a certificate that denied[0] names: ${shown(one)}; fix: replace it in the slot, or remove the denial`,
      ],
    ],
  ];
  for (const [name, change, expected] of rows) {
    it(`judge ${name}`, () => {
      const changed = { ...base, enrollmentGroups: {}, individualEnrollments: {}, ...change() };
      const wanted = name.startsWith("a denied") ? { ...base, ...change() } : changed;
      assert.deepEqual(messages(undefined, wanted), expected());
    });
  }

  it("judge the dates by the time that is passed in", async () => {
    const old = await leaf(intermediate, "device-1", {
      notAfter: new Date("2026-05-31T00:00:00Z"),
    });
    const soon = await leaf(intermediate, "device-1", {
      notBefore: new Date("2026-06-02T00:00:00Z"),
    });
    const long = await leaf(intermediate, "device-1", {
      notAfter: new Date("2036-01-01T00:00:00Z"),
    });
    const certificates = {
      ...base.certificates,
      old: known(old),
      soon: known(soon),
      long: known(long),
    };
    const path = "individualEnrollments.device-1";
    const withSlots = (primary: string, secondary: string) => ({
      ...base,
      certificates,
      ...individual({ primary: { certificate: primary }, secondary: { certificate: secondary } }),
    });
    assert.deepEqual(messages(undefined, withSlots("one", "old")), [
      `DPS-CERT-042 at ${path}.secondary.certificate: found a new certificate that is already expired: ${shown(old)}; fix: use a certificate that is valid now`,
    ]);
    const before = withSlots("old", "one");
    assert.deepEqual(messages(before, before), [
      `DPS-CERT-050 at ${path}.primary.certificate: found an expired certificate: ${shown(old)}; fix: remove it, so that the slot is free`,
    ]);
    assert.deepEqual(
      judgeAlone(before, NOW).map(({ code, severity }) => [code, severity]),
      [["DPS-CERT-050", "warning"]],
    );
    assert.deepEqual(messages(base, withSlots("one", "soon")), [
      `DPS-CERT-049 at ${path}.secondary.certificate: found a certificate that is not valid yet: ${shown(soon)}; fix: wait for its first day, or waive this with a reason`,
    ]);
    assert.deepEqual(messages(base, withSlots("one", "long")), [
      `DPS-CERT-054 at ${path}.secondary.certificate: found a leaf whose issuer ends earlier, on 2035-01-01: ${shown(long)}; fix: issue the leaf for no longer than its issuer, or renew the issuer`,
    ]);
  });

  it("warn of a CA certificate as an individual leaf", async () => {
    const ca = await below(intermediate, "device-1");
    const after = { ...base, certificates: { ...base.certificates, one: known(ca) } };
    assert.deepEqual(messages(undefined, after), [
      `DPS-CERT-044 at individualEnrollments.device-1.primary.certificate: found a CA certificate: ${shown(ca)}; fix: issue the leaf with basicConstraints CA:FALSE`,
    ]);
  });

  it("judge certificates that do not exist yet by what was asked for", () => {
    const made = declared(
      {
        "root-a": { known: false, commonName: "Root A", isCa: true },
        "intermediate-a": { known: false, commonName: "I", isCa: true, issuer: "root-a" },
        one: { known: false, commonName: "device-1", isCa: false, issuer: "intermediate-a" },
        stray: { known: false, commonName: "device-9", isCa: false },
      },
      {
        caCertificates: base.caCertificates,
        enrollmentGroups: base.enrollmentGroups,
        individualEnrollments: base.individualEnrollments,
      },
    );
    assert.deepEqual(messages(undefined, made), []);
    const wrong = { ...made, ...individual({ primary: { certificate: "stray" } }) };
    assert.deepEqual(
      messages(undefined, { ...wrong, ...group({ primary: { certificate: "stray" } }) }),
      [
        "DPS-CERT-043 at enrollmentGroups.sensors.primary.certificate: found a leaf: certificate `stray` (made during up); fix: use the CA certificate that issued it (basicConstraints CA:TRUE)",
        "DPS-CERT-046 at enrollmentGroups.sensors.primary.certificate: found a signing certificate that chains to no CA of this configuration: certificate `stray` (made during up); fix: declare its root in caCertificates (there: `root-a`), and any certificate between the two in certificates",
        "DPS-CERT-045 at individualEnrollments.device-1.primary.certificate: found the common name device-9: certificate `stray` (made during up); fix: use a certificate whose common name is the registration ID device-1",
      ],
    );
  });
});
