/** What is wrong with a change, as opposed to its result. */
import assert from "node:assert/strict";
import { refusals } from "../../certificates/faults";
import { judge } from "../../certificates/rules";
import { breach, cast, device, DEVICE, group, SENSORS, type Cast } from "./cast";
import { known, leaf, messages, NOW, shown } from "./fixtures";

describe("a change", () => {
  let all: Cast;
  before(async () => {
    all = await cast();
  });

  it("is refused without an overlap, unless that is waived, disabled, expired, covered or a breach", async () => {
    const expected = [
      `DPS-CERT-048 at ${DEVICE}.primary.certificate: found ${shown(all.two)} in place of ${shown(all.one)}, without an overlap; fix: keep the old certificate in the other slot until the devices have the new one; after a breach, name the old one in compromised`,
    ];
    assert.deepEqual(messages(device(all, "one"), device(all, "two")), expected);
    const waiver = {
      code: "DPS-CERT-048",
      path: `${DEVICE}.primary.certificate`,
      reason: "bench device",
      until: "2026-06-01",
    };
    const waived = judge(
      device(all, "one"),
      device(all, "two", undefined, { waivers: [waiver] }),
      NOW,
    ).faults;
    assert.deepEqual(refusals(waived), []);
    assert.deepEqual(waived[0]?.waived, { reason: "bench device", until: "2026-06-01" });
    assert.deepEqual(
      messages(device(all, "one"), device(all, "two", undefined, breach("one"))),
      [],
    );
    const old = await leaf(all.lowA, "device-1", { notAfter: new Date("2026-05-01T00:00:00Z") });
    const expired = device(all, "one");
    expired.certificates = { ...expired.certificates, one: known(old) };
    assert.deepEqual(messages(expired, device(all, "two")), []);
    assert.deepEqual(messages(group(all, "certificate", "low"), group(all, "ca", "root-a")), []);
    assert.equal(messages(group(all, "ca", "root-a"), group(all, "certificate", "low")).length, 1);
  });

  it("refuses waivers that cannot be applied, and warns of idle ones", () => {
    const waiver = { path: "x", reason: "r", until: "2026-12-31" };
    const after = device(all, "one", undefined, {
      waivers: [
        { ...waiver, code: "DPS-CERT-048" },
        { ...waiver, code: "DPS-CERT-070" },
        { ...waiver, code: "DPS-CERT-999" },
        { ...waiver, code: "DPS-CERT-048", until: "2026-05-31" },
        { ...waiver, code: "DPS-CERT-048", until: "2026-13-31" },
      ],
    });
    assert.deepEqual(
      messages(device(all, "one"), after).map((message) => message.split("; fix")[0]),
      [
        "DPS-CERT-030 at waivers[1].code: found a fault that nobody can waive: DPS-CERT-070",
        "DPS-CERT-030 at waivers[2].code: found an unknown code: DPS-CERT-999",
        "DPS-CERT-081 at waivers[3].until: found a waiver that ended on 2026-05-31",
        "DPS-CERT-030 at waivers[4].until: found a day that is not written as YYYY-MM-DD: 2026-13-31",
        "DPS-CERT-031 at waivers[0]: found a waiver of DPS-CERT-048 at x, where there is no such fault",
      ],
    );
  });

  it("does not remove or swap a CA that is still referred to", () => {
    const onlyB = { caCertificates: { "root-b": { certificate: "root-b" } } };
    assert.deepEqual(
      messages(group(all, "ca", "root-a"), group(all, "ca", "root-a", undefined, onlyB)),
      [
        `DPS-CERT-051 at ${SENSORS}.primary.ca: found a reference to CA \`root-a\`, which this change removes from caCertificates; fix: point the group at another CA first, and remove this one in the same or a later change`,
      ],
    );
    assert.deepEqual(
      messages(
        group(all, "certificate", "low"),
        group(all, "certificate", "low", undefined, onlyB),
      ),
      [
        `DPS-CERT-051 at ${SENSORS}.primary.certificate: found a signing certificate whose chain ends at a CA that this change removes: ${shown(all.lowA)}; fix: replace the signing certificate first, or keep the CA`,
      ],
    );
    const swapped = { caCertificates: { "root-a": { certificate: "root-b" } } };
    assert.deepEqual(
      messages(group(all, "ca", "root-a"), group(all, "ca", "root-a", undefined, swapped))[0],
      `DPS-CERT-052 at caCertificates.root-a.certificate: found ${shown(all.rootB)} in place of ${shown(all.rootA)}, while ${SENSORS}.primary.ca refers to the name; fix: declare the new CA under a new name than root-a and point the groups at it`,
    );
  });

  it("warns when an expiration roll carries the key on", async () => {
    const renewed = await leaf(all.lowA, "device-1", { keys: all.one.keys });
    const after = device(all, "one", "two");
    after.certificates = { ...after.certificates, two: known(renewed) };
    assert.deepEqual(messages(device(all, "one"), after), [
      `DPS-CERT-055 at ${DEVICE}.secondary.certificate: found a new certificate with the key of ${shown(all.one)}: ${shown(renewed)}; fix: make a new key for the next certificate`,
    ]);
  });
});
