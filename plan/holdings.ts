/** What the service holds, before and after a change, as DPS's matching looks at it. */
import type { AdmittingEntry, ServiceHoldings } from "../certificates/admission";
import { type ChainCertificate, chainCertificate } from "../certificates/chain-certificate";
import { allKnown } from "../certificates/compromise";
import type { Declared, Roll, Step } from "../certificates/declared";
import { denialGroupId } from "../certificates/denial-group";
import { inOrder } from "../certificates/roll-steps";
import { entriesOf, entryKey, entryPath, own } from "../certificates/slots";
import { uploadedCertificate } from "../certificates/uploaded";
import type { Inventory, LiveSlot } from "./inventory";

/** Certificates whose bytes are known, and what is known of the others. */
export class Library {
  readonly certificates = new Map<string, ChainCertificate>();
  /** Common names of certificates whose bytes are not known, by SHA-256. */
  readonly commonNames = new Map<string, string>();
  private readonly bySha1 = new Map<string, string>();

  constructor(before: Declared | undefined, after: Declared, inventory: Inventory) {
    for (const { pem } of allKnown(before, after)) this.add(pem);
    for (const { certificate } of inventory.caCertificates) {
      const known = certificate === undefined ? undefined : uploadedCertificate(certificate);
      if (known !== undefined) this.addReadable(known.pem);
    }
    for (const { subject, thumbprint } of inventory.caCertificates) {
      this.name(this.idOf(thumbprint), subject);
    }
    for (const { slots } of inventory.entries) {
      for (const slot of slots) {
        if ("ca" in slot) continue;
        const { sha256Thumbprint, subjectName } = slot.certificate;
        const name = /^CN=([^,+]*)$/.exec(subjectName)?.[1];
        if (name !== undefined) this.name(sha256Thumbprint.toUpperCase(), name);
      }
    }
  }

  /** SHA-256 of the certificate with this SHA-1, or something that equals nothing else. */
  idOf(sha1: string): string {
    return this.bySha1.get(sha1.toUpperCase()) ?? `SHA-1 ${sha1.toUpperCase()}`;
  }

  /** The same for a thumbprint of either length. */
  find(thumbprint: string): ChainCertificate | undefined {
    return this.certificates.get(thumbprint.length === 40 ? this.idOf(thumbprint) : thumbprint);
  }

  private add(pem: string): void {
    const read = chainCertificate(pem);
    this.certificates.set(read.id, read);
    this.bySha1.set(read.summary.sha1Thumbprint, read.id);
  }

  /* Of what has extensions that cannot be read only the thumbprint is known. */
  private addReadable(pem: string): void {
    try {
      this.add(pem);
    } catch {
      // It stays so.
    }
  }

  private name(id: string, commonName: string): void {
    if (!this.certificates.has(id)) this.commonNames.set(id, commonName);
  }
}

/** The service, changed step by step as `up` changes it. */
export class Holdings {
  /** By `entryKey`. */
  private readonly entries = new Map<string, AdmittingEntry & { kind: "group" | "individual" }>();
  /** By name. */
  private readonly cas = new Map<string, { id: string; verified: boolean }>();
  /** Slots that refer to a CA, by the key of their entry: what they admit goes with the CA. */
  private readonly references = new Map<string, string[]>();

  constructor(
    { caCertificates, entries }: Inventory,
    private readonly library: Library,
  ) {
    for (const { name, thumbprint, isVerified } of caCertificates) {
      this.cas.set(name, { id: library.idOf(thumbprint), verified: isVerified });
    }
    for (const { kind, id, key, enabled, slots } of entries) {
      this.put(
        { kind, id, enabled, certificates: certificatesIn(slots) },
        key,
        referencesIn(slots),
      );
    }
  }

  get service(): ServiceHoldings {
    const all = [...this.entries].map(([key, { kind, id, enabled, certificates }]) => {
      const referred = (this.references.get(key) ?? []).flatMap(
        (name) => this.cas.get(name)?.id ?? [],
      );
      return { kind, id, enabled, certificates: [...certificates, ...referred] };
    });
    return {
      individuals: all.filter(({ kind }) => kind === "individual"),
      groups: all.filter(({ kind }) => kind === "group"),
      cas: [...this.cas.values()],
    };
  }

  /**
   * Everything that the change does, in the order in which `up` does it.
   *
   * @param heldOff keys of entries that somebody disabled by hand: they stay so
   */
  carryOut(rolls: readonly Roll[], after: Declared, heldOff: ReadonlySet<string>): void {
    const steps = inOrder(rolls.flatMap(({ steps: each }) => each));
    for (const step of steps) this.take(step, after, heldOff);
  }

  private take({ action }: Step, after: Declared, heldOff: ReadonlySet<string>): void {
    switch (action.do) {
      case "disable": {
        const key = this.keyOf(action.entry, after);
        const entry = this.entries.get(key);
        if (entry !== undefined) this.entries.set(key, { ...entry, enabled: false });
        return;
      }
      case "write": {
        const entry = entriesOf(after).find(({ path }) => path === action.entry);
        if (entry === undefined) return;
        const { kind, id, key, enabled, slots } = entry;
        const certificates = slots.flatMap(({ slot, id: each }) => ("ca" in slot ? [] : [each]));
        const referred = slots.flatMap(({ slot }) => ("ca" in slot ? [slot.ca] : []));
        this.put({ kind, id, enabled: enabled && !heldOff.has(key), certificates }, key, referred);
        return;
      }
      case "hold":
        this.hold(action, after);
        return;
      case "upload": {
        const ca = own(after.caCertificates, action.ca);
        const certificate = ca && own(after.certificates, ca.certificate);
        const id =
          certificate?.known === true ? certificate.summary.sha256Thumbprint : `made ${action.ca}`;
        this.cas.set(action.ca, { id, verified: ca?.waits !== true });
        return;
      }
      case "delete": {
        const key = this.keyOf(action.entry, after);
        this.entries.delete(key);
        this.references.delete(key);
        return;
      }
      case "delete CA":
        this.cas.delete(action.ca);
        return;
      case "remove devices":
      case "nothing":
        return;
    }
  }

  private hold(action: { entry: string; certificate?: string }, after: Declared): void {
    const { certificate, entry } = action;
    if (certificate === undefined) {
      const key = this.keyOf(entry, after);
      const id = key.slice("individual:".length);
      this.put({ kind: "individual", id, enabled: false, certificates: [] }, key, []);
      return;
    }
    const known = this.library.certificates.get(certificate);
    const id = known === undefined ? certificate : denialGroupId(known.summary);
    const key = entryKey("group", id);
    this.put({ kind: "group", id, enabled: false, certificates: [certificate] }, key, []);
  }

  private put(
    entry: AdmittingEntry & { kind: "group" | "individual" },
    key: string,
    references: string[],
  ): void {
    this.entries.set(key, entry);
    this.references.set(key, references);
  }

  /* Steps name an entry by its path; of one that is denied there may be no other name. */
  private keyOf(path: string, after: Declared): string {
    const live = [...this.entries].find(([, { kind, id }]) => entryPath(kind, id) === path);
    if (live !== undefined) return live[0];
    const denied = [...after.denied, ...after.compromised].flatMap((each) =>
      "registrationId" in each ? [each.registrationId] : commonNameIn(each, after),
    );
    const id = denied.find((each) => entryPath("individual", each) === path) ?? path;
    return entryKey("individual", id);
  }
}

function commonNameIn(each: object, after: Declared): string[] {
  if (!("certificate" in each) || typeof each.certificate !== "string") return [];
  const certificate = own(after.certificates, each.certificate);
  return certificate?.known === true ? [certificate.summary.subjectCommonName] : [];
}

function certificatesIn(slots: LiveSlot[]): string[] {
  return slots.flatMap((slot) =>
    "ca" in slot ? [] : [slot.certificate.sha256Thumbprint.toUpperCase()],
  );
}

function referencesIn(slots: LiveSlot[]): string[] {
  return slots.flatMap((slot) => ("ca" in slot ? [slot.ca] : []));
}
