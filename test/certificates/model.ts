/** A small DPS for the properties: what it admits at each instant, while the engine's steps are taken. */
import type { Declared, Step } from "../../certificates/declared";
import { entriesOf } from "../../certificates/slots";
import type { Cast } from "./cast";

interface ModelEntry {
  kind: "individual" | "group";
  id: string;
  enabled: boolean;
  /** SHA-256 of a certificate, or the name of a CA. */
  slots: ({ sha256: string } | { ca: string })[];
}

/** A chain that somebody presents, leaf first, by SHA-256; a forged leaf has one of its own. */
export interface Chain {
  name: string;
  commonName: string;
  certificates: string[];
}

export class Model {
  /** SHA-256 of each uploaded and verified CA, by name. */
  readonly cas = new Map<string, string>();
  readonly entries = new Map<string, ModelEntry>();

  take({ action }: Step, after: Declared): void {
    switch (action.do) {
      case "disable": {
        const entry = this.entries.get(action.entry);
        if (entry !== undefined) this.entries.set(action.entry, { ...entry, enabled: false });
        return;
      }
      case "write": {
        const entry = entriesOf(after).find(({ path }) => path === action.entry);
        if (entry === undefined) throw new Error(`${action.entry} is written and not declared`);
        const { kind, id, enabled, slots } = entry;
        this.entries.set(action.entry, {
          kind,
          id,
          enabled,
          slots: slots.map(({ slot, id: sha256 }) => ("ca" in slot ? slot : { sha256 })),
        });
        return;
      }
      case "hold": {
        const { certificate, entry } = action;
        const id = entry.split(".").at(-1) ?? "";
        if (certificate === undefined) {
          this.entries.set(entry, { kind: "individual", id, enabled: false, slots: [] });
        } else {
          const slots = [{ sha256: certificate }];
          const key = `hold:${certificate}`;
          this.entries.set(key, { kind: "group", id: key, enabled: false, slots });
        }
        return;
      }
      case "upload": {
        const ca = after.caCertificates[action.ca];
        const certificate = after.certificates[ca?.certificate ?? ""];
        if (certificate?.known === true) {
          this.cas.set(action.ca, certificate.summary.sha256Thumbprint);
        }
        return;
      }
      case "delete":
        this.entries.delete(action.entry);
        return;
      case "delete CA":
        this.cas.delete(action.ca);
        return;
      case "remove devices":
      case "nothing":
        return;
    }
  }

  /** As DPS looks: the individual enrollment, then the groups from the leaf upwards; the first decides. */
  decider({ commonName, certificates }: Chain): ModelEntry | undefined {
    const [leaf = "", ...issuers] = certificates;
    const all = [...this.entries.values()];
    const own = all.find(({ kind, id }) => kind === "individual" && id === commonName);
    if (own !== undefined) return !own.enabled || this.holds(own, leaf) ? own : undefined;
    return issuers.map((issuer) => this.groupOf(all, issuer)).find((group) => group !== undefined);
  }

  /* not known: which of two groups with one certificate counts. One that is disabled shuts out. */
  private groupOf(all: ModelEntry[], issuer: string): ModelEntry | undefined {
    const groups = all.filter((each) => each.kind === "group" && this.holds(each, issuer));
    return groups.find(({ enabled }) => !enabled) ?? groups[0];
  }

  admits(chain: Chain): boolean {
    const entry = this.decider(chain);
    if (entry === undefined || !entry.enabled) return false;
    const verified = [...this.cas.values()];
    return (
      entry.kind === "individual" || chain.certificates.some((each) => verified.includes(each))
    );
  }

  /** Whether the entry that decides holds one of these certificates itself, and not one above. */
  isHeld(chain: Chain, sha256s: string[]): boolean {
    return (this.decider(chain)?.slots ?? []).some((slot) =>
      sha256s.includes("ca" in slot ? (this.cas.get(slot.ca) ?? "") : slot.sha256),
    );
  }

  private holds({ slots }: ModelEntry, sha256: string): boolean {
    return slots.some((slot) =>
      "ca" in slot ? this.cas.get(slot.ca) === sha256 : slot.sha256 === sha256,
    );
  }

  /** Names of CAs that a slot of an enabled group needs and that are not there. */
  dangling(): string[] {
    return [...this.entries.values()].flatMap(({ enabled, kind, slots }) =>
      !enabled || kind === "individual"
        ? []
        : slots.flatMap((slot) => ("ca" in slot && !this.cas.has(slot.ca) ? [slot.ca] : [])),
    );
  }

  clone(): Model {
    const copy = new Model();
    this.cas.forEach((value, key) => copy.cas.set(key, value));
    this.entries.forEach((value, key) => copy.entries.set(key, value));
    return copy;
  }
}

/** What the devices of the cast present, and what a thief of each key could. */
export function chains(all: Cast): {
  devices: Chain[];
  thieves: Record<string, Chain[]>;
  sha256: (name: string) => string;
} {
  const sha256 = (name: string): string => {
    const certificate = all.base.certificates[name];
    if (certificate?.known !== true) throw new Error(`${name} is in the cast`);
    return certificate.summary.sha256Thumbprint;
  };
  const chain = (commonName: string, ...names: string[]): Chain => ({
    name: names.join(" < "),
    commonName,
    certificates: names.map((name) => (name === "forged" ? "forged" : sha256(name))),
  });
  const one = chain("device-1", "one", "low", "root-a");
  const two = chain("device-1", "two", "low", "root-a");
  const three = chain("device-1", "three", "root-b");
  const underLow = chain("nobody", "forged", "low", "root-a");
  return {
    sha256,
    devices: [one, two, three],
    thieves: {
      one: [one],
      two: [two],
      three: [three],
      low: [underLow, one, two],
      low2: [chain("nobody", "forged", "low2", "root-a")],
      "root-a": [chain("nobody", "forged", "root-a"), underLow, one, two],
      "root-b": [chain("nobody", "forged", "root-b"), three],
    },
  };
}
