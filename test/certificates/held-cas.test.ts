import assert from "node:assert/strict";
import { Breaches } from "../../certificates/compromise";
import type { Declared } from "../../certificates/declared";
import { denialGroupId } from "../../certificates/denial-group";
import { heldCas } from "../../certificates/held-cas";
import { judge } from "../../certificates/rules";
import { summarize } from "../../certificates/summary";
import { breach, cast, device, group, type Cast } from "./cast";
import { messages, NOW, shown, stepWords } from "./fixtures";

describe("CA certificates in disabled groups of their own", () => {
  let all: Cast;
  before(async () => {
    all = await cast();
  });

  const held = (declared: Declared): string[] =>
    heldCas(declared, new Breaches(undefined, declared)).map(
      ({ name, ca, above }) => `${name} ${ca ?? "itself"} ${above.map(({ id }) => id).join()}`,
    );
  const deny = (certificate: string): Pick<Declared, "denied"> => ({
    denied: [{ certificate, reason: "plant closed" }],
  });

  it("are those compromised that a group higher up admits", () => {
    assert.deepEqual(held(group(all, "ca", "root-a", undefined, breach("low"))), [
      "low itself sensors",
    ]);
    assert.deepEqual(messages(undefined, group(all, "ca", "root-a", undefined, breach("low"))), []);
    assert.deepEqual(held(group(all, "ca", "root-b", undefined, breach("low"))), []);
  });

  it("are none that a disabled group of the configuration holds", () => {
    const after = group(all, "ca", "root-a", undefined, breach("low"));
    after.enrollmentGroups["stolen"] = { primary: { certificate: "low" }, status: "disabled" };
    assert.deepEqual(held(after), []);
  });

  it("are those denied: an intermediate itself, a root by the name of its CA", () => {
    assert.deepEqual(held(group(all, "ca", "root-b", undefined, deny("low"))), ["low itself "]);
    assert.deepEqual(held(group(all, "ca", "root-b", undefined, deny("root-a"))), [
      "root-a root-a ",
    ]);
    const without = { ...deny("root-a"), caCertificates: { "root-b": { certificate: "root-b" } } };
    assert.deepEqual(held(group(all, "ca", "root-b", undefined, without)), []);
  });

  it("are found by the names of issuers while the stack has not made them", () => {
    const unmade = (issuer?: string) =>
      ({ known: false, isCa: true, ...(issuer !== undefined && { issuer }) }) as const;
    const declared = group(all, "ca", "root-a", undefined, breach("low"));
    declared.certificates = {
      ...declared.certificates,
      "root-a": unmade(),
      low: unmade("root-a"),
    };
    assert.deepEqual(held(declared), ["low itself sensors"]);
  });

  it("have an ID made of the certificate alone", () => {
    const { subjectCommonName, sha256Thumbprint } = summarize(all.lowA.pem);
    assert.equal(
      denialGroupId({ subjectCommonName, sha256Thumbprint }),
      `denied-low-a-${all.lowA.certificate.thumbprint.slice(0, 16).toLowerCase()}`,
    );
    for (const subjectCommonName of ["", "../É", "x".repeat(300)]) {
      assert.match(
        denialGroupId({ subjectCommonName, sha256Thumbprint }),
        /^(?=.{1,128}$)denied-([a-z0-9-]+-)?[0-9a-f]{16}$/,
      );
    }
  });

  it("are let in again by name of the group that admits them, and a compromised one not without a waiver", () => {
    const denied = group(all, "ca", "root-a", undefined, deny("low"));
    const lifted = judge(denied, group(all, "ca", "root-a"), NOW).rolls.find(
      ({ phase }) => phase === "readmit",
    );
    assert.equal(lifted?.words, `re-admission of ${shown(all.lowA)}: its denial is lifted`);
    assert.deepEqual(lifted === undefined ? [] : stepWords(lifted), [
      "delete the disabled entry",
      `enrollment group \`sensors\` admits ${shown(all.lowA)} from then on`,
    ]);
    const before = group(all, "ca", "root-a", undefined, breach("low"));
    assert.match(
      messages(before, group(all, "ca", "root-a")).join(),
      /^DPS-CERT-073 at compromised: found a certificate that has a key that was declared compromised/,
    );
    assert.deepEqual(messages(before, group(all, "ca", "root-b")).filter(is073), []);
  });

  it("names who admits a device whose denial is lifted", () => {
    const steps = (before: Declared, after: Declared): string[] =>
      judge(before, after, NOW).rolls.flatMap((roll) =>
        roll.phase === "readmit" ? stepWords(roll) : [],
      );
    const byLeaf = group(all, "ca", "root-a", undefined, deny("one"));
    assert.deepEqual(
      steps(byLeaf, group(all, "ca", "root-a"))[1],
      "enrollment group `sensors` admits `device-1` from then on",
    );
    assert.deepEqual(
      steps(group(all, "ca", "root-b", undefined, deny("one")), group(all, "ca", "root-b"))[1],
      "no enabled group of this configuration admits `device-1` then",
    );
    const byId = { denied: [{ registrationId: "device-1", reason: "sold" }] };
    const two = group(all, "ca", "root-a", undefined, byId);
    two.enrollmentGroups["more"] = { primary: { ca: "root-b" }, status: "enabled" };
    const after = { ...two, denied: [] };
    assert.equal(
      steps(two, after)[1],
      "`device-1` is admitted from then on by that of enrollment group `sensors` and enrollment group `more` which its certificate chains to",
    );
  });

  it("want to be named, not given by a thumbprint", () => {
    const compromised = [{ thumbprint: all.lowA.certificate.thumbprint, reason: "leaked" }];
    assert.deepEqual(messages(undefined, group(all, "ca", "root-a", undefined, { compromised })), [
      "DPS-CERT-090 at compromised[0].thumbprint: found what is not supported yet: by its thumbprint, a CA that a group higher up admits; fix: name the certificate: { certificate: low }",
    ]);
  });

  it("warns of a denied registration ID of which no certificate is at hand", () => {
    const denied = [{ registrationId: "Device-1", reason: "sold" }];
    const only = group(all, "ca", "root-a", undefined, { denied });
    assert.deepEqual(messages(undefined, only), [
      "DPS-CERT-086 at denied[0].registrationId: found Device-1, of which no certificate is denied; fix: name its certificate in denied as well, when it is at hand",
    ]);
    const both = { denied: [...denied, { certificate: "one", reason: "sold" }] };
    assert.deepEqual(messages(undefined, group(all, "ca", "root-a", undefined, both)), []);
    const enrolled = device(all, "one", undefined, { denied });
    enrolled.individualEnrollments["device-1"]!.status = "disabled";
    assert.deepEqual(messages(undefined, enrolled), []);
  });
});

const is073 = (message: string): boolean => message.startsWith("DPS-CERT-073");
