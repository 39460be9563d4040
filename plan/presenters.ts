/** What devices show DPS, as far as there is evidence of it. */
import type { PresentingDevice } from "../certificates/admission";
import { issues } from "../certificates/chain";
import type { ChainCertificate } from "../certificates/chain-certificate";
import type { Library } from "./holdings";
import type { Inventory, InventoryDevice } from "./inventory";

/** What devices present, as far as there is evidence. */
export class Presenters {
  private readonly facts = new Map<string, { leaf?: string; issuer?: string }>();
  private readonly cas: ChainCertificate[];
  private readonly above = new Map<string, string[]>();

  constructor(
    inventory: Inventory,
    private readonly library: Library,
    inBreach: ReadonlySet<string>,
  ) {
    this.cas = [...library.certificates.values()].filter(({ summary }) => summary.isCa);
    for (const [key, { devices }] of Object.entries(inventory.facts.entries)) {
      for (const { deviceId, leaf, issuer } of devices) {
        // Where a thief may have come in, what a device reports is no evidence: he reports what he likes.
        const counts = issuer !== undefined && !(inBreach.has(key) && issuer.by === "report");
        const above = counts
          ? (library.find(issuer.thumbprint)?.id ?? issuer.thumbprint)
          : undefined;
        this.facts.set(`${key} ${deviceId}`, {
          ...(leaf !== undefined && { leaf }),
          ...(above !== undefined && { issuer: above }),
        });
      }
    }
  }

  /** Why it is not known, in words, or what it presents: its leaf and all known certificates above it. */
  of({ deviceId, entry, registrationId, status }: InventoryDevice): PresentingDevice | string {
    const { leaf, issuer } = this.facts.get(`${entry} ${deviceId}`) ?? {};
    if (status !== "assigned") return "it is not assigned to a hub";
    if (leaf === undefined) return "its hub does not tell which leaf it has";
    const known = this.library.certificates.get(leaf);
    const start =
      known ?? (issuer === undefined ? undefined : this.library.certificates.get(issuer));
    const above = start === undefined ? [] : this.aboveOf(start);
    return {
      registrationId,
      leaf,
      ...(issuer !== undefined && { issuer }),
      above: known === undefined && start !== undefined ? [start.id, ...above] : above,
    };
  }

  /** A device whose leaf was issued by this certificate. */
  below(registrationId: string, issuer: string): PresentingDevice {
    const known = this.library.certificates.get(issuer);
    const above = known === undefined ? [] : this.aboveOf(known);
    return { registrationId, leaf: "not known", issuer, above: [issuer, ...above] };
  }

  private aboveOf(start: ChainCertificate): string[] {
    const before = this.above.get(start.id);
    if (before !== undefined) return before;
    const found = new Set<string>();
    const open = [start];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const { pem } = at;
      const issuers = this.cas.filter(
        ({ id, pem: upper }) => id !== start.id && !found.has(id) && issues(upper, pem),
      );
      issuers.forEach(({ id }) => found.add(id));
      open.push(...issuers);
    }
    const all = [...found];
    this.above.set(start.id, all);
    return all;
  }
}
