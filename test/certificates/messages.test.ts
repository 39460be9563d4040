/** Whole messages of faults about changes, each from a configuration in which one thing is broken. */
import assert from "node:assert/strict";
import type { Declared, KnownFacts } from "../../certificates/declared";
import type { DeviceFact, EntryFacts, FleetFacts } from "../../certificates/fleet-facts";
import { breach, cast, device, group, type Cast } from "./cast";
import { known, leaf, messages, root, shown } from "./fixtures";

const NO_DEVICES: EntryFacts = {
  devices: [],
  withSasKey: [],
  edge: [],
  children: [],
};

/** `d-1`, `d-2`, … */
function onRecord(count: number, evidence: Partial<DeviceFact> = {}): DeviceFact[] {
  return Array.from({ length: count }, (_, index) => ({
    deviceId: `d-${index + 1}`,
    hub: "hub-a.azure-devices.net",
    ...evidence,
  }));
}

describe("the message", () => {
  let all: Cast;
  before(async () => {
    all = await cast();
  });

  const service = { name: "dps-a", resourceGroup: "plant", location: "westeurope", adopt: false };
  const facts = (entries: FleetFacts["entries"], more: Partial<FleetFacts> = {}): KnownFacts => ({
    fleet: { entries, leftOut: [], ...more },
  });
  const cas = (...names: string[]) =>
    names.map((name) => ({ name, sha1Thumbprint: "00", subject: name, isVerified: true }));
  const many = (count: number) => Array.from({ length: count }, (_, index) => `ca-${index}`);
  const sensors = () => group(all, "ca", "root-a");
  const one = () => device(all, "one");
  const waiving = (code: string, until: string): Partial<Declared> => ({
    waivers: [{ code, path: "x", reason: "bench", until }],
  });

  const rows: [
    name: string,
    before: () => Declared,
    after: () => Declared,
    expected: () => string,
    known?: () => KnownFacts,
  ][] = [
    [
      "of a waiver that nobody can apply",
      one,
      () => device(all, "one", undefined, waiving("DPS-CERT-070", "2026-12-31")),
      () =>
        "DPS-CERT-030 at waivers[0].code: found a fault that nobody can waive: DPS-CERT-070; fix: remove the waiver and mend the fault; only these are waived: DPS-CERT-048, DPS-CERT-049, DPS-CERT-057, DPS-CERT-058, DPS-CERT-059, DPS-CERT-060, DPS-CERT-062, DPS-CERT-073, DPS-CERT-140 and DPS-CERT-150",
    ],
    [
      "of an idle waiver",
      one,
      () => device(all, "one", undefined, waiving("DPS-CERT-048", "2026-12-31")),
      () =>
        "DPS-CERT-031 at waivers[0]: found a waiver of DPS-CERT-048 at x, where there is no such fault; fix: remove the waiver",
    ],
    [
      "of a waiver that has ended",
      one,
      () => device(all, "one", undefined, waiving("DPS-CERT-048", "2026-05-31")),
      () =>
        "DPS-CERT-081 at waivers[0].until: found a waiver that ended on 2026-05-31; fix: remove the waiver, or renew it with a reason",
    ],
    [
      "of another service",
      () => ({ ...one(), service }),
      () => ({ ...one(), service: { ...service, name: "dps-b" } }),
      () =>
        "DPS-CERT-061 at service.name: found dps-b in place of dps-a: another DPS instance, with an ID scope that no device knows, in place of the one with 1 enabled entry; fix: keep it; declare another instance in another stack, and take the entries away here last",
    ],
    [
      "of a service that would be let go of",
      () => ({ ...one(), service }),
      () => ({ ...one(), service: { ...service, adopt: true } }),
      () =>
        "DPS-CERT-061 at service.adopt: found an instance that this stack manages, with 1 enabled entry, and that would be deleted when it is only looked up; fix: keep adopt: false; to let go of the instance, take it out of the state (`pulumi state delete`) in the same go",
    ],
    [
      "of a hub taken away",
      () => ({ ...one(), hubs: [{ name: "hub-a", adopt: false }, { adopt: false }] }),
      () => ({ ...one(), hubs: [{ adopt: false }] }),
      () =>
        "DPS-CERT-062 at hubs: found a change that takes hub hub-a away from the service: its devices are assigned to another hub when they register next, and a hub of this stack is deleted with their identities; fix: move its devices to another hub first, then waive this with a reason",
    ],
    [
      "of a group in use taken away",
      sensors,
      () => all.base,
      () =>
        `DPS-CERT-063 at enrollmentGroups.sensors: found an enrollment group that is taken away with 3 devices on record, and no other group that admits CA \`root-a\`: ${shown(all.rootA)}; fix: set its status to disabled first, and take it away in a later change`,
      () => facts({ "group:sensors": { ...NO_DEVICES, devices: onRecord(3) } }),
    ],
    [
      "of Edge devices",
      sensors,
      () => group(all, "ca", "root-a", "root-b"),
      () =>
        "DPS-CERT-065 at enrollmentGroups.sensors: found devices that come back only when they are set to (IoT Edge: edge-1; below an Edge device: a, b, c, d, e and 1 more); fix: see that their runtime registers with DPS again when it is refused, and look after them one by one",
      () =>
        facts({
          "group:sensors": { ...NO_DEVICES, edge: ["edge-1"], children: [..."abcdef"] },
        }),
    ],
    [
      "of few free CA entries",
      () => ({ ...sensors(), caCertificates: { "root-a": { certificate: "root-a" } } }),
      sensors,
      () =>
        "DPS-CERT-066 at caCertificates: found 1 free of 25 entries after this change; fix: take CA certificates that no group needs out of the service, so that a breach of a root finds a free entry",
      () => facts({}, { caCertificates: cas("root-a", ...many(22)) }),
    ],
    [
      "of facts that could not be read",
      sensors,
      () => group(all, "ca", "root-a", "root-b"),
      () =>
        "DPS-CERT-069 at service: found facts that are not complete: hub hub-a has more than 10000 devices; the others are not known; fix: see for yourself, in the portal or with the Azure CLI",
      () =>
        facts({}, { leftOut: ["hub hub-a has more than 10000 devices; the others are not known"] }),
    ],
    [
      "of no free CA entry",
      () => ({ ...sensors(), caCertificates: { "root-a": { certificate: "root-a" } } }),
      sensors,
      () =>
        "DPS-CERT-080 at caCertificates: found 1 new CA certificates (root-b) and 0 free of 25 entries; fix: in one change disable the groups of a CA that is to go and take it out of caCertificates, which deletes it at the end; add the new one in a second change",
      () => facts({}, { caCertificates: cas("root-a", ...many(24)) }),
    ],
    [
      "of a device that a group admits again",
      () => ({ ...one(), enrollmentGroups: sensors().enrollmentGroups }),
      sensors,
      () =>
        "DPS-CERT-067 at individualEnrollments.device-1: found an individual enrollment that is taken away, whose device enrollment group `sensors` admits from then on; fix: to keep the device out, deny its registration ID; else nothing is to be done",
    ],
    [
      "of a compromised CA that is still declared",
      sensors,
      () => group(all, "ca", "root-b", undefined, breach("root-a")),
      () =>
        `DPS-CERT-077 at caCertificates.root-a.certificate: found a CA that has a key that compromised[0] names (leaked): ${shown(all.rootA)}; fix: remove it from caCertificates; its certificate may stay in certificates`,
    ],
    [
      "of a group above a compromised CA that goes in the same change",
      sensors,
      () => ({ ...all.base, ...breach("low") }),
      () =>
        `DPS-CERT-082 at enrollmentGroups.sensors: found a group that this change alters or takes away, and that admits until then a CA that has a key that compromised[0] names (leaked): ${shown(all.lowA)}; fix: leave the group as it is in this change: then a disabled group of its own shuts that CA out first; alter it in a later change`,
    ],
  ];
  for (const [name, before, after, expected, knownFacts] of rows) {
    it(name, () => {
      assert.deepEqual(messages(before(), after(), knownFacts?.()), [expected()]);
    });
  }

  it("of weak keys and signatures, of what is new only, and not of an anchor's own signature", () => {
    const weak = (keyType: string, signatureAlgorithm: string, name = "two"): Declared => {
      const after = device(all, "one", "two");
      const certificate = structuredClone(after.certificates[name]);
      if (certificate?.known !== true) throw new Error("it is in the cast");
      Object.assign(certificate.summary, { keyType, signatureAlgorithm });
      return { ...after, certificates: { ...after.certificates, [name]: certificate } };
    };
    const path = "individualEnrollments.device-1.secondary.certificate";
    assert.deepEqual(messages(one(), weak("RSA 1024", "RSA SHA-1")), [
      `DPS-CERT-059 at ${path}: found a certificate with a weak key (RSA 1024): ${shown(all.two)}; fix: use an RSA key of 2048 bits or more, or an EC key on P-256 or a larger curve`,
      `DPS-CERT-060 at ${path}: found a certificate with a weak signature (RSA SHA-1): ${shown(all.two)}; fix: have it issued again, signed with SHA-256 or better`,
    ]);
    assert.match(
      messages(one(), weak("EC secp224r1", "1.2.840.113549.1.1.4")).join(),
      /060.*RSA MD5/,
    );
    for (const good of ["EC P-256", "EC brainpoolP256r1", "RSA-PSS 2048", "Ed25519"]) {
      assert.deepEqual(messages(one(), weak(good, "ECDSA SHA-256")), [], good);
    }
    assert.deepEqual(messages(weak("RSA 1024", "RSA SHA-1"), weak("RSA 1024", "RSA SHA-1")), []);
    const anchor = weak("EC P-256", "RSA SHA-1", "root-a");
    assert.deepEqual(messages(undefined, anchor), []);
  });

  it("does not stop a breach for what only protects availability", async () => {
    const soon = await leaf(all.rootB, "device-1", { notBefore: new Date("2026-06-02T00:00:00Z") });
    const gone = await leaf(all.rootB, "device-1", { notAfter: new Date("2026-05-02T00:00:00Z") });
    const path = "individualEnrollments.device-1.primary.certificate";
    for (const [certificate, code] of [
      [soon, "DPS-CERT-049"],
      [gone, "DPS-CERT-042"],
    ] as const) {
      const after = device(all, "three");
      after.certificates = { ...after.certificates, three: known(certificate) };
      const refused = messages(one(), after);
      assert.ok(
        refused.some((message) => message.startsWith(`${code} at ${path}`)),
        refused.join(),
      );
      const eased = messages(one(), { ...after, ...breach("one") });
      assert.match(eased.join(), new RegExp(`^${code} .*\\(which does not stop a breach\\)`));
    }
    const used = { ...NO_DEVICES, devices: onRecord(5, { leaf: thumbprint() }) };
    const late = { longestOfflineHours: 48 };
    const fleet = facts({
      "individual:device-1": { ...used, lastWritten: "2026-05-31T23:00:00Z" },
    });
    const retired = device(all, undefined, "three", late);
    const codes = (after: Declared) =>
      messages(device(all, "one", "three"), after, fleet).map((message) => message.slice(0, 12));
    assert.deepEqual(codes(retired), ["DPS-CERT-058", "DPS-CERT-057"]);
    assert.deepEqual(codes({ ...retired, ...breach("one") }), []);
    const waivers = ["058", "057"].map((code) => ({
      code: `DPS-CERT-${code}`,
      path,
      reason: "bench",
      until: "2026-06-30",
      ...(code === "058" && { devices: onRecord(5).map(({ deviceId }) => deviceId) }),
    }));
    assert.match(
      messages(device(all, "one", "three"), { ...retired, waivers }, fleet).join(),
      /058.*\(waived until 2026-06-30: bench\).*057.*\(waived until/s,
    );
  });

  it("keeps an overlap that ends too early from beginning, and says until when", async () => {
    const short = await leaf(all.lowA, "device-1", { notAfter: new Date("2026-06-02T00:00:00Z") });
    const before = device(all, "one", undefined, { longestOfflineHours: 48 });
    const certificates = { ...before.certificates, one: known(short) };
    const after = { ...device(all, "one", "three"), longestOfflineHours: 48, certificates };
    const fleet = facts({ "individual:device-1": { ...NO_DEVICES, devices: onRecord(1) } });
    assert.deepEqual(messages({ ...before, certificates }, after, fleet), [
      `DPS-CERT-057 at individualEnrollments.device-1.secondary.certificate: found an overlap of 24 hours, until the end of ${shown(short)}, where 1 device on record need 2 days; fix: roll earlier next time; waive this with a reason when the devices that are late can be reached otherwise`,
    ]);
  });

  it("does not stop a compromised CA from being swapped under its name", async () => {
    const fresh = await root("Root A again");
    const before = group(all, "ca", "root-a");
    const after = group(all, "ca", "root-a", undefined, breach("old"));
    after.certificates = { ...after.certificates, old: known(all.rootA), "root-a": known(fresh) };
    assert.deepEqual(messages(before, after), []);
  });

  function thumbprint(): string {
    const certificate = all.base.certificates["one"];
    if (certificate?.known !== true) throw new Error("it is in the cast");
    return certificate.summary.sha256Thumbprint;
  }
});
