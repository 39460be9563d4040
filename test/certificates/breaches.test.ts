/** What a breach forbids, and how far it reaches. */
import assert from "node:assert/strict";
import { FAULTS } from "../../certificates/faults";
import { summarize } from "../../certificates/summary";
import { breach, cast, device, DEVICE, group, SENSORS, type Cast } from "./cast";
import { below, known, leaf, messages, rolls, root, shown } from "./fixtures";

describe("a breach", () => {
  let all: Cast;
  before(async () => {
    all = await cast();
  });

  it("may not keep the compromised key in a slot", () => {
    assert.deepEqual(messages(device(all, "one"), device(all, "one", "three", breach("one"))), [
      `DPS-CERT-070 at ${DEVICE}.primary.certificate: found a certificate that has a key that compromised[0] names (leaked): ${shown(all.one)}; fix: remove it from the slot, replace it by one with a new key, or disable the entry`,
    ]);
  });

  it("finds the key by thumbprint, of either kind, with colons or without", () => {
    for (const thumbprint of [
      all.one.thumbprint,
      all.one.thumbprint.toLowerCase().replace(/(..)(?!$)/g, "$1:"),
    ]) {
      const after = device(all, "one", undefined, {
        compromised: [{ thumbprint, reason: "leaked" }],
      });
      assert.match(messages(device(all, "one"), after)[0] ?? "", /^DPS-CERT-070 /);
    }
    const unknown = device(all, "one", undefined, {
      compromised: [{ thumbprint: "00".repeat(20), reason: "leaked" }],
    });
    assert.deepEqual(messages(device(all, "one"), unknown), [
      `DPS-CERT-074 at compromised[0].thumbprint: found a thumbprint that no certificate of this configuration has: ${"00".repeat(20)}; fix: name the certificate in certificates, so that its key is known`,
    ]);
  });

  it("has a reason that stays in its line, whatever is written in it", () => {
    const after = device(all, "one", undefined, {
      compromised: [{ certificate: "one", reason: "leaked\n::error::all is well\n" }],
    });
    assert.equal(
      messages(device(all, "one"), after)[0]?.split(": ")[1],
      "found a certificate that has a key that compromised[0] names (leaked\\u{a}::error::all is well)",
    );
  });

  it("may not replace the certificate by one with the same key", async () => {
    const renewed = await leaf(all.rootB, "device-1", { keys: all.one.keys });
    const after = device(all, "two", undefined, breach("one"));
    after.certificates = { ...after.certificates, two: known(renewed) };
    assert.deepEqual(messages(device(all, "one"), after), [
      `DPS-CERT-072 at ${DEVICE}.primary.certificate: found a replacement with the compromised key of ${shown(all.one)}: ${shown(renewed)}; fix: make a new key and have a certificate issued for it`,
    ]);
  });

  it("names everything that was issued below a compromised CA", () => {
    const after = {
      ...group(all, "certificate", "low", undefined, breach("root-a")),
      individualEnrollments: device(all, "one").individualEnrollments,
    };
    const reason = `which has a key that compromised[0] names (leaked)`;
    assert.deepEqual(
      messages(undefined, after).map((message) => message.split("; fix")[0]),
      [
        `DPS-CERT-077 at caCertificates.root-a.certificate: found a CA that has a key that compromised[0] names (leaked): ${shown(all.rootA)}`,
        `DPS-CERT-070 at ${SENSORS}.primary.certificate: found a certificate that was issued by ${shown(all.rootA)}, ${reason}: ${shown(all.lowA)}`,
        `DPS-CERT-070 at ${DEVICE}.primary.certificate: found a certificate that was issued by ${shown(all.lowA)}, which was issued by ${shown(all.rootA)}, ${reason}: ${shown(all.one)}`,
      ],
    );
  });

  it("spares what a cross-signed twin under another CA still upholds", async () => {
    const twin = await below(all.rootB, "Low A", { keys: all.lowA.certificate.keys });
    const after = group(all, "certificate", "twin", undefined, breach("root-a"));
    after.certificates = { ...after.certificates, twin: known(twin) };
    after.individualEnrollments = device(all, "one").individualEnrollments;
    after.caCertificates = { "root-b": { certificate: "root-b" } };
    assert.deepEqual(messages(undefined, after), []);
  });

  it("may not leave groups on the compromised CA, also under another name or renewed", async () => {
    const renewed = await root("Root A renewed", { keys: all.rootA.certificate.keys });
    const after = group(all, "ca", "renewed", undefined, breach("root-a"));
    after.certificates = { ...after.certificates, renewed: known(renewed) };
    after.caCertificates = { renewed: { certificate: "renewed" } };
    assert.deepEqual(messages(undefined, after), [
      `DPS-CERT-071 at caCertificates.renewed.certificate: found a CA that has a key that compromised[0] names (leaked), referred to by ${SENSORS}.primary.ca: ${shown(renewed)}; fix: point the groups at another CA or disable them, and remove this one from caCertificates`,
    ]);
    assert.match(messages(group(all, "ca", "root-a"), after)[0] ?? "", /^DPS-CERT-072 /);
  });

  it("lets a compromised certificate stay in a disabled entry", () => {
    const after = device(all, "one", undefined, breach("one"));
    after.individualEnrollments["device-1"] = {
      primary: { certificate: "one" },
      status: "disabled",
    };
    assert.deepEqual(messages(device(all, "one"), after), []);
    assert.equal(rolls(device(all, "one"), after)[DEVICE], "P4 contain");
  });

  it("stays in force when the declaration is taken away again", () => {
    const before = device(all, "three", undefined, breach("one"));
    const reverted = device(all, "one", "three");
    const expected = [
      `DPS-CERT-073 at ${DEVICE}.primary.certificate: found a certificate that has a key that was declared compromised before (leaked): ${shown(all.one)}; fix: keep the entry in compromised and use another certificate; to re-admit it all the same, waive this with a reason`,
    ];
    assert.deepEqual(messages(before, reverted), expected);
    const { publicKeySha256 } = summarize(all.one.pem);
    const facts = { compromisedKeys: [{ publicKeySha256, reason: "leaked" }] };
    assert.deepEqual(messages(undefined, reverted, facts), expected);
  });

  it("finds a thumbprint only among what is declared now, because containment does too", () => {
    const after = device(all, "three", undefined, {
      compromised: [{ thumbprint: all.one.thumbprint, reason: "leaked" }],
    });
    const certificates = { ...after.certificates };
    delete certificates["one"];
    const codes = messages(device(all, "one"), { ...after, certificates });
    assert.match(codes.join("\n"), /^DPS-CERT-074 /m);
    assert.equal(FAULTS["DPS-CERT-074"].severity, "refusal");
  });

  it("wants the name of a leaf that only a denial can shut out", () => {
    const compromised = [{ thumbprint: all.one.thumbprint, reason: "leaked" }];
    assert.deepEqual(messages(undefined, group(all, "ca", "root-b", undefined, { compromised })), [
      "DPS-CERT-090 at compromised[0].thumbprint: found what is not supported yet: by its thumbprint, the leaf of a device without an individual enrollment; fix: name the certificate: { certificate: one }",
    ]);
  });

  it("does not let a leaf back in through its group by removing the declaration", () => {
    const before = group(all, "ca", "root-a", undefined, breach("one"));
    const after = group(all, "ca", "root-a");
    assert.match(messages(before, after)[0] ?? "", /^DPS-CERT-073 at compromised: found /);
    after.enrollmentGroups["sensors"] = { primary: { ca: "root-b" }, status: "enabled" };
    assert.match(messages(before, after).join("\n"), /^DPS-CERT-073 at compromised: found /m);
    after.individualEnrollments = device(all, "three").individualEnrollments;
    assert.doesNotMatch(messages(before, after).join("\n"), /073/);
  });
});
