/** What a breach forbids. None of these gates protects availability, so none yields to haste. */
import { references, slotBreach } from "./change-rules";
import { allKnown, keysOf, normalThumbprint, type Breach, type Breaches } from "./compromise";
import type { Declared } from "./declared";
import { fault, type Fault } from "./faults";
import { identity, knownCertificates, own, wordsOf, type Entry, type ResolvedSlot } from "./slots";
import { displayName, listed, pathOf } from "./text";

const NEW_KEY = "make a new key and have a certificate issued for it";

export function breachFaults(
  before: Declared | undefined,
  after: Declared,
  entries: Entry[],
  oldEntries: Entry[],
  breaches: Breaches,
): Fault[] {
  const enabled = entries.filter((entry) => entry.enabled);
  return [
    ...Object.keys(after.caCertificates).flatMap((name) => caFaults(before, after, name, breaches)),
    ...enabled.flatMap((entry) => {
      const old = oldEntries.find((each) => each.key === entry.key);
      return entry.slots.flatMap((slot) => slotFaults(slot, old, breaches));
    }),
    ...enabled.flatMap((entry) => entry.slots.flatMap((slot) => deniedFaults(after, slot))),
    ...thumbprintFaults(before, after),
  ];
}

/* A CA reference is judged once, at the CA. */
function slotFaults(slot: ResolvedSlot, old: Entry | undefined, breaches: Breaches): Fault[] {
  const breach = "ca" in slot.slot ? undefined : slotBreach(breaches, slot);
  if (breach === undefined) return [];
  if (!breach.declared) return [comesBack(slot.path, slot.words, breach)];
  const replaced = old?.slots.find((each) => each.id !== slot.id && sameKey(each, slot));
  const isNew = old?.slots.every((each) => each.id !== slot.id) ?? false;
  if (breach.by === "key" && isNew && replaced !== undefined) {
    return [sameKeyAgain(slot.path, slot.words, replaced.words)];
  }
  return [
    fault(
      "DPS-CERT-070",
      slot.path,
      `a certificate that ${breach.words}: ${slot.words}`,
      breach.by === "key"
        ? "remove it from the slot, replace it by one with a new key, or disable the entry"
        : "replace it by one from a CA that is not compromised, or disable the entry",
    ),
  ];
}

function sameKey(a: ResolvedSlot, b: ResolvedSlot): boolean {
  if (a.certificate?.known !== true || b.certificate?.known !== true) return false;
  return a.certificate.summary.publicKeySha256 === b.certificate.summary.publicKeySha256;
}

function caFaults(
  before: Declared | undefined,
  after: Declared,
  name: string,
  breaches: Breaches,
): Fault[] {
  const certificateName = own(after.caCertificates, name)?.certificate ?? "";
  const certificate = own(after.certificates, certificateName);
  const breach = breaches.of(certificateName, certificate);
  if (breach === undefined) return [];
  const path = `${pathOf("caCertificates", name)}.certificate`;
  const words = wordsOf(certificateName, certificate);
  if (!breach.declared) return [comesBack(path, words, breach)];
  const referring = references(after, name, true);
  if (referring.length === 0) {
    return [
      fault(
        "DPS-CERT-077",
        path,
        `a CA that ${breach.words}: ${words}`,
        "remove it from caCertificates; its certificate may stay in certificates",
      ),
    ];
  }
  const replaced = breach.by === "key" ? replacedCa(before, after, name) : undefined;
  if (replaced !== undefined) return [sameKeyAgain(path, words, replaced)];
  return [
    fault(
      "DPS-CERT-071",
      path,
      `a CA that ${breach.words}, referred to by ${listed(referring)}: ${words}`,
      "point the groups at another CA or disable them, and remove this one from caCertificates",
    ),
  ];
}

/* The certificate of the CA that was there before, when this one is new and has its key. */
function replacedCa(
  before: Declared | undefined,
  after: Declared,
  name: string,
): string | undefined {
  const certificateName = own(after.caCertificates, name)?.certificate ?? "";
  const certificate = own(after.certificates, certificateName);
  if (before === undefined || certificate?.known !== true) return undefined;
  const cas = Object.values(before.caCertificates).map((ca) => ({
    name: ca.certificate,
    certificate: own(before.certificates, ca.certificate),
  }));
  const id = identity(certificateName, certificate);
  if (cas.some((each) => identity(each.name, each.certificate) === id)) return undefined;
  const same = cas.find(
    (each) =>
      each.certificate?.known === true &&
      each.certificate.summary.publicKeySha256 === certificate.summary.publicKeySha256,
  );
  return same === undefined ? undefined : wordsOf(same.name, same.certificate);
}

function sameKeyAgain(path: string, words: string, replaced: string): Fault {
  return fault(
    "DPS-CERT-072",
    path,
    `a replacement with the compromised key of ${replaced}: ${words}`,
    NEW_KEY,
  );
}

function comesBack(path: string, words: string, breach: Breach): Fault {
  return fault(
    "DPS-CERT-073",
    path,
    `a certificate that ${breach.words}: ${words}`,
    "keep the entry in compromised and use another certificate; to re-admit it all the same, " +
      "waive this with a reason",
  );
}

function deniedFaults(after: Declared, slot: ResolvedSlot): Fault[] {
  return after.denied.flatMap((each, index) => {
    if (!("certificate" in each)) return [];
    const denied = own(after.certificates, each.certificate);
    if (denied === undefined || identity(each.certificate, denied) !== slot.id) return [];
    return [
      fault(
        "DPS-CERT-076",
        slot.path,
        `a certificate that denied[${index}] names: ${slot.words}`,
        "replace it in the slot, or remove the denial",
      ),
    ];
  });
}

function thumbprintFaults(before: Declared | undefined, after: Declared): Fault[] {
  const all = allKnown(before, after);
  const anyUnknown = knownCertificates(after).length < Object.keys(after.certificates).length;
  return after.compromised.flatMap((entry, index) => {
    if (!("thumbprint" in entry) || anyUnknown || keysOf(entry, after, all).length > 0) return [];
    return [
      fault(
        "DPS-CERT-074",
        `compromised[${index}].thumbprint`,
        `a thumbprint that no certificate of this configuration has: ${displayName(normalThumbprint(entry.thumbprint))}`,
        "name the certificate in certificates, so that its key is known",
      ),
    ];
  });
}
