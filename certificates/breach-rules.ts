/** What a breach forbids. None of these gates protects availability, so none yields to haste. */
import { references, slotBreach } from "./change-rules";
import { allKnown, Breaches, keysOf, normalThumbprint, type Breach } from "./compromise";
import type { Declared } from "./declared";
import { fault, type Fault } from "./faults";
import { heldCas } from "./held-cas";
import { identity, knownCertificates, own, wordsOf, type Entry, type ResolvedSlot } from "./slots";
import { displayName, foldCase, listed, pathOf } from "./text";

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
    ...thumbprintFaults(after),
    ...thumbprintDenialFaults(after, entries, breaches),
    ...deniedIdFaults(after),
    ...liftedFaults(before, after, entries, breaches),
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

/* Containment searches by what is declared now, so what was declared before does not help. */
function thumbprintFaults(after: Declared): Fault[] {
  const all = allKnown(undefined, after);
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

/* What is shut out by an entry of its own has to be named: the entry is made of the certificate. */
function thumbprintDenialFaults(after: Declared, entries: Entry[], breaches: Breaches): Fault[] {
  const held = new Set(heldCas(after, breaches).map(({ name }) => name));
  return after.compromised.flatMap((entry, index) => {
    if (!("thumbprint" in entry)) return [];
    const wanted = normalThumbprint(entry.thumbprint);
    const found = knownCertificates(after).find(([, { summary }]) =>
      [summary.sha1Thumbprint, summary.sha256Thumbprint].includes(wanted),
    );
    if (found === undefined) return [];
    const [name, { summary }] = found;
    const isEnrolled = entries.some(
      ({ kind, id }) =>
        kind === "individual" && foldCase(id) === foldCase(summary.subjectCommonName),
    );
    if (summary.isCa ? !held.has(name) : isEnrolled) return [];
    const what = summary.isCa
      ? "a CA that a group higher up admits"
      : "the leaf of a device without an individual enrollment";
    return [
      fault(
        "DPS-CERT-090",
        `compromised[${index}].thumbprint`,
        `what is not supported yet: by its thumbprint, ${what}`,
        `name the certificate: { certificate: ${displayName(name)} }`,
      ),
    ];
  });
}

function deniedIdFaults(after: Declared): Fault[] {
  const enrolled = new Set(Object.keys(after.individualEnrollments).map(foldCase));
  const named = new Set(
    [...after.denied, ...after.compromised].flatMap((entry) => {
      const leaf = "certificate" in entry ? own(after.certificates, entry.certificate) : undefined;
      const id = leaf?.known === true ? leaf.summary.subjectCommonName : leaf?.commonName;
      return id === undefined ? [] : [foldCase(id)];
    }),
  );
  return after.denied.flatMap((entry, index) => {
    if (!("registrationId" in entry)) return [];
    const id = foldCase(entry.registrationId);
    if (enrolled.has(id) || named.has(id)) return [];
    return [
      fault(
        "DPS-CERT-086",
        `denied[${index}].registrationId`,
        `${displayName(entry.registrationId)}, of which no certificate is denied`,
        "name its certificate in denied as well, when it is at hand",
      ),
    ];
  });
}

/*
 * A leaf that came in through a group is shut out by a denial, and a CA by a disabled group; both go with
 * the declaration.
 */
function liftedFaults(
  before: Declared | undefined,
  after: Declared,
  entries: Entry[],
  breaches: Breaches,
): Fault[] {
  if (before === undefined) return [];
  const still = new Set(
    [...after.compromised, ...after.denied].flatMap((entry) =>
      "registrationId" in entry ? [] : keysOf(entry, after, allKnown(before, after)),
    ),
  );
  // What a group would admit after the change, were it still declared compromised.
  const { compromised } = before;
  const certificates = { ...before.certificates, ...after.certificates };
  const declared = { ...after, certificates, compromised };
  const held = new Set(
    heldCas(declared, new Breaches(undefined, declared)).map(({ name }) => name),
  );
  return before.compromised.flatMap((entry) => {
    const name = "certificate" in entry ? entry.certificate : undefined;
    const lifted = name === undefined ? undefined : own(before.certificates, name);
    if (name === undefined || lifted?.known !== true) return [];
    const { publicKeySha256, subjectCommonName, isCa } = lifted.summary;
    const hasEntry = entries.some(
      ({ kind, id }) => kind === "individual" && foldCase(id) === foldCase(subjectCommonName),
    );
    const shutOut = isCa ? !held.has(name) : hasEntry;
    if (still.has(publicKeySha256) || shutOut) return [];
    const breach = breaches.of(name, lifted);
    return breach === undefined ? [] : [comesBack("compromised", wordsOf(name, lifted), breach)];
  });
}
