/** Which devices a retirement puts at risk, by what evidence, and what lets it through. */
import assert from "node:assert/strict";
import type { Declared, KnownFacts } from "../../certificates/declared";
import type { DeviceFact, EntryFacts } from "../../certificates/fleet-facts";
import { formatFault } from "../../certificates/faults";
import { judge, judgeFleet } from "../../certificates/rules";
import { summarize } from "../../certificates/summary";
import { breach, type Cast, cast, device, DEVICE, group, SENSORS } from "./cast";
import { below, known, leaf, messages, NOW, shown } from "./fixtures";

const NOBODY = { withSasKey: [], edge: [], children: [] };
const PATH = `${SENSORS}.primary.ca`;

describe("the retirement of a group's root", () => {
  let all: Cast;
  before(async () => {
    all = await cast();
  });

  const sha256 = ({ pem }: { pem: string }) => summarize(pem).sha256Thumbprint;
  const sha1 = ({ pem }: { pem: string }) => summarize(pem).sha1Thumbprint;
  const both = () => group(all, "ca", "root-a", "root-b");
  const retired = (more: Partial<Declared> = {}) => group(all, "ca", undefined, "root-b", more);
  const facts = (devices: DeviceFact[], more: Partial<EntryFacts> = {}): KnownFacts => ({
    fleet: { entries: { "group:sensors": { devices, ...NOBODY, ...more } }, leftOut: [] },
  });
  const one = (deviceId: string, evidence: Partial<DeviceFact> = {}): DeviceFact => ({
    deviceId,
    hub: "hub-a",
    leaf: "AB".repeat(32),
    ...evidence,
  });
  const reports = (deviceId: string, ca: { pem: string }) =>
    one(deviceId, { issuer: { thumbprint: sha256(ca), by: "report" } });
  const waiver = (devices?: string[]) => ({
    code: "DPS-CERT-058",
    path: PATH,
    reason: "scrapped",
    until: "2026-06-30",
    ...(devices && { devices }),
  });
  /** The judgement of the change, with the root's description left out. */
  const judged = (devices: DeviceFact[], more: Partial<Declared> = {}): string[] =>
    messages(both(), retired(more), facts(devices)).map((text) =>
      text.replace(`CA \`root-a\`: ${shown(all.rootA)}`, "OLD"),
    );

  it("goes through when each device has evidence of what stays", () => {
    const inManifest = one("c", { issuer: { thumbprint: sha1(all.rootB), by: "manifest" } });
    const declaredLeaf = one("d", { leaf: sha256(all.three) });
    assert.deepEqual(judged([reports("a", all.rootB), inManifest, declaredLeaf]), []);
    assert.deepEqual(judged([]), []);
  });

  it("is refused, with names, for devices on what goes and for those of which nothing is known", () => {
    const unknown = [
      one("no-report"),
      { deviceId: "no-identity", hub: "hub-a" },
      one("of-nobody", { issuer: { thumbprint: "CD".repeat(32), by: "report" } }),
    ];
    assert.deepEqual(judged([reports("old", all.rootA), reports("new", all.rootB), ...unknown]), [
      `DPS-CERT-058 at ${PATH}: found OLD taken away with 4 of 5 devices on record at risk: 1 last registered with it, where retirement allows 0: old; 3 not known, where retirement allows 0: no-report, no-identity and of-nobody; fix: wait until they have registered with the certificate that stays (evidence is the issuer that a device reports in its twin, or its leaf in remove.issuedLeaves; the certificates in between have to be in certificates), or waive this with a reason and their IDs in devices`,
    ]);
  });

  it("takes the issuer below a root for the root, and one that is in neither slot for no evidence", async () => {
    const stranger = await below(all.rootA, "Low A3");
    const held = (certificate: string) =>
      group(all, "certificate", certificate, "low2", { caCertificates: {} });
    const devices = facts([reports("below", all.lowA2), reports("elsewhere", stranger)]);
    const after = group(all, "certificate", undefined, "low2", { caCertificates: {} });
    const withStranger = (each: Declared): Declared => ({
      ...each,
      certificates: { ...each.certificates, stranger: known(stranger) },
    });
    const found = judge(withStranger(held("low")), withStranger(after), NOW, devices);
    assert.match(
      found.faults.map(formatFault).join("\n"),
      /^DPS-CERT-058 .* 1 of 2 devices on record at risk: 1 not known, where retirement allows 0: elsewhere; fix/m,
    );
  });

  it("sees that a device has come to an intermediate that takes the place of its root", () => {
    const before = group(all, "ca", "root-a");
    const after = group(all, "certificate", "low");
    const found = (devices: DeviceFact[]) =>
      messages(before, after, facts(devices)).filter((text) => text.includes("058"));
    assert.deepEqual(found([reports("new", all.lowA)]), []);
    assert.match(
      found([reports("new", all.lowA), reports("old", all.rootA), reports("other", all.lowA2)])[0]!,
      /2 of 3 devices on record at risk: 2 last registered with it, .*: old and other; fix/,
    );
  });

  it("names twenty devices, and counts the others", () => {
    const many = Array.from({ length: 23 }, (_, index) => one(`d${index + 1}`));
    assert.match(judged(many).join(), /: d1, d2, .*, d20 and 3 more; fix: /);
  });

  it("goes through with a warning within the limits of retirement, a share being rounded down", () => {
    const devices = [reports("old", all.rootA), one("dark"), one("gone")];
    const limited = (onOld: number | `${number}%`, notKnown: number | `${number}%`) =>
      judged(devices, { retirement: { onOld, notKnown } });
    const [within, ...others] = limited("34%", "67%");
    assert.equal(
      within,
      `DPS-CERT-058 at ${PATH}: found OLD taken away with 3 of 3 devices on record at risk: 1 last registered with it, where retirement allows 1: old; 2 not known, where retirement allows 2: dark and gone; fix: look after these devices; they register again only with the certificate that stays`,
    );
    assert.deepEqual(others, []);
    const { faults } = judge(
      both(),
      retired({ retirement: { onOld: 1, notKnown: "100%" } }),
      NOW,
      facts(devices),
    );
    assert.deepEqual(
      faults.map(({ severity }) => severity),
      ["warning"],
    );
    assert.match(limited("33%", 2).join(), /1 last registered with it, where retirement allows 0/);
    assert.match(limited(1, 1).join(), /or waive this/);
  });

  it("goes through with a waiver that names each device beyond the limits", () => {
    const devices = [reports("old", all.rootA), one("dark")];
    const severities = (waivers: Declared["waivers"], more: Partial<Declared> = {}) =>
      judge(both(), retired({ waivers, ...more }), NOW, facts(devices)).faults.map(
        ({ code, severity }) => `${code} ${severity}`,
      );
    assert.deepEqual(severities([waiver(["old", "dark"])]), ["DPS-CERT-058 warning"]);
    assert.deepEqual(severities([waiver(["old"])]), ["DPS-CERT-058 waivable"]);
    assert.deepEqual(severities([waiver(["OLD", "dark"])]), ["DPS-CERT-058 waivable"]);
    const tolerant = { retirement: { notKnown: 1 } };
    assert.deepEqual(severities([waiver(["old"])], tolerant), ["DPS-CERT-058 warning"]);
    assert.match(
      judged(devices, { waivers: [waiver(["old"])] }).join(),
      /: dark \(the waiver does not name dark\); fix: /,
    );
  });

  it("is not waived without names, nor is another fault with names", () => {
    const [, unnamed] = judged([one("dark")], { waivers: [waiver()] });
    assert.equal(
      unnamed,
      "DPS-CERT-030 at waivers[0]: found a waiver of DPS-CERT-058 that names no devices; fix: name in devices those that may be cut off, as the refusal lists them; for many of them set retirement",
    );
    const other = { ...waiver(["dark"]), code: "DPS-CERT-057" };
    assert.match(
      judged([one("dark")], { waivers: [other] }).join("\n"),
      /^DPS-CERT-030 at waivers\[0\].devices: found devices in a waiver of DPS-CERT-057, which is not about single devices; fix: remove devices$/m,
    );
  });

  it("is refused when not all devices could be counted, also when those that were are safe", () => {
    const uncounted = "more than 50000 devices on record; the others are not counted";
    assert.deepEqual(
      messages(both(), retired(), facts([reports("new", all.rootB)], { uncounted })),
      [
        `DPS-CERT-140 at ${PATH}: found CA \`root-a\`: ${shown(all.rootA)} taken away while not all devices could be counted: ${uncounted}; fix: see to it that they can be read, or look for those that still need it by other means and waive this with a reason`,
      ],
    );
    assert.match(
      messages(both(), retired(), facts([], { uncounted: "no answer within 180 s" })).join(),
      /^DPS-CERT-140/,
    );
  });

  it("does not hold up a breach, in which only the CA's records are evidence", () => {
    const devices = [
      reports("reporting", all.rootB),
      one("listed", { issuer: { thumbprint: sha256(all.rootA), by: "manifest" } }),
    ];
    const after = group(all, "ca", undefined, "root-b", breach("root-a"));
    after.caCertificates = { "root-b": { certificate: "root-b" } };
    assert.deepEqual(
      messages(both(), after, facts(devices)).filter((text) => /058|140/.test(text)),
      [],
    );
    const { counts } = judgeFleet(both(), after, NOW, {
      fleet: facts(devices).fleet!,
    });
    assert.match(counts.join(), /: 2 devices on record: 1 with CA `root-a`.*, 1 not known$/);
  });
});

describe("the retirement of an individual enrollment's leaf", () => {
  it("goes by the leaf that the hub has, and by nothing else", async () => {
    const all = await cast();
    const retire = (hubHas: string | undefined): string[] =>
      messages(device(all, "one", "three"), device(all, undefined, "three"), {
        fleet: {
          entries: {
            "individual:device-1": {
              ...NOBODY,
              devices: [{ deviceId: "device-1", hub: "hub-a", ...(hubHas && { leaf: hubHas }) }],
            },
          },
          leftOut: [],
        },
      });
    const other = await leaf(all.rootB, "device-1");
    const at = `DPS-CERT-058 at ${DEVICE}.primary.certificate: found ${shown(all.one)} taken away with 1 of 1 device on record at risk:`;
    assert.deepEqual(retire(summarize(all.three.pem).sha256Thumbprint), []);
    assert.deepEqual(retire(summarize(all.one.pem).sha256Thumbprint), [
      `${at} 1 last registered with it, where retirement allows 0: device-1; fix: wait until they have registered with the certificate that stays, or waive this with a reason and their IDs in devices`,
    ]);
    for (const neither of [undefined, summarize(other.pem).sha256Thumbprint]) {
      assert.deepEqual(retire(neither), [
        `${at} 1 not known, where retirement allows 0: device-1; fix: wait until they have registered with the certificate that stays (evidence is the leaf that its hub has), or waive this with a reason and their IDs in devices`,
      ]);
    }
  });
});
