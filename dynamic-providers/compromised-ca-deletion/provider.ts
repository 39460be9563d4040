import { type CompromisedKey, perhapsReachedKeys } from "../../certificates/compromised-keys";
import { fault, type Fault } from "../../certificates/faults";
import { listed, pathOf } from "../../certificates/text";
import { CaCertificatesClient, type LiveCaCertificate } from "../../clients/ca-certificates";
import { EnrollmentsClient } from "../../clients/enrollments";
import { ServiceError } from "../../clients/service-error";
import type { Connection } from "../../clients/target";
import { isOfKey } from "../breach-containment/ca-names";
import { liveSlots } from "../enrollment/slots";
import { type Handler, hasUnknown, say } from "../handler";
import { warnOrSay } from "../warning";

export interface CompromisedCaDeletionInputs {
  connection: Connection;
  compromised: CompromisedKey[];
  /** Keys that each CA certificate name was ever declared to have; as in `BreachContainment`. */
  caKeys: Record<string, string[]>;
  /** Names of the CA certificates that are declared now: their own resources see to them. */
  declared: string[];
}

export interface CompromisedCaDeletionOutputs extends CompromisedCaDeletionInputs {
  /** Names of what was deleted, ever. */
  deleted: string[];
}

/** What DPS holds of a compromised CA. */
interface Found {
  /** Declared once, and no more; no group refers to it. */
  deletable: LiveCaCertificate[];
  /** What stays, and why. */
  warnings: (string | Fault)[];
}

/**
 * Deletes the compromised CA certificates that have left the configuration, when no group refers to them
 * any more. The engine would delete those that this stack has uploaded, but it knows nothing of a breach:
 * what was adopted, or is to be retained, it would let go of as it is.
 */
export const compromisedCaDeletion: Handler<
  CompromisedCaDeletionInputs,
  CompromisedCaDeletionOutputs
> = {
  async check(_olds, news) {
    return { inputs: news };
  },

  async diff(_id, olds, news) {
    if (hasUnknown(news)) {
      return { changes: JSON.stringify(olds.compromised) !== JSON.stringify(news.compromised) };
    }
    const { deletable, warnings } = await look(news);
    warnings.forEach(warnOrSay);
    return { changes: deletable.length > 0 };
  },

  async create(inputs) {
    return { id: "deletion", outs: { ...inputs, deleted: await remove(inputs) } };
  },

  async read(id, props) {
    return { id, props };
  },

  async update(_id, olds, news) {
    const deleted = [...new Set([...olds.deleted, ...(await remove(news))])].sort();
    return { outs: { ...news, deleted } };
  },

  async delete() {
    // What was deleted stays deleted.
  },
};

async function remove(inputs: CompromisedCaDeletionInputs): Promise<string[]> {
  const client = new CaCertificatesClient(inputs.connection);
  const { deletable, warnings } = await look(inputs);
  for (const { name, etag } of deletable) {
    await client.delete(name, etag);
    say(`CA certificate "${name}" is compromised, and is deleted from DPS.`);
  }
  warnings.forEach(warnOrSay);
  return deletable.map(({ name }) => name);
}

async function look(inputs: CompromisedCaDeletionInputs): Promise<Found> {
  const { connection, compromised, caKeys, declared } = inputs;
  const found: Found = { deletable: [], warnings: [] };
  if (compromised.length === 0) {
    return found;
  }
  let live: LiveCaCertificate[];
  try {
    live = await new CaCertificatesClient(connection).list();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const words = `The CA certificates of the DPS could not be listed, so compromised ones may still be there. ${error.message}`;
    return { deletable: [], warnings: [`warning: ${words}`] };
  }
  const current = new Set(declared.map((name) => name.toLowerCase()));
  const referring = await references(connection);
  for (const ca of live.filter(({ name }) => !current.has(name.toLowerCase()))) {
    const key = compromised.find((one) => isOfKey(one, ca));
    if (key === undefined) continue;
    const groups = referring.get(ca.name.toLowerCase()) ?? [];
    const once = Object.entries(caKeys).some(
      ([name, keys]) =>
        name.toLowerCase() === ca.name.toLowerCase() &&
        keys.some((one) => perhapsReachedKeys(key).includes(one)),
    );
    if (groups.length > 0) {
      const names = listed(groups.map((id) => `\`${id}\``));
      found.warnings.push(
        stays(ca, key, `which enrollment group ${names} refers to`, `take it out of ${names}`),
      );
    } else if (!once) {
      const fix = "delete it in DPS, if it is nobody else's; or declare it with adopt: true";
      found.warnings.push(stays(ca, key, "under a name that this stack never had", fix));
    } else {
      found.deletable.push(ca);
    }
  }
  return found;
}

function stays(
  { name, thumbprint }: LiveCaCertificate,
  { subject }: CompromisedKey,
  why: string,
  fix: string,
): Fault {
  return fault(
    "DPS-CERT-119",
    pathOf("caCertificates", name),
    `a CA certificate of ${subject}, which is compromised (SHA-1 ${thumbprint}), ${why}`,
    fix,
  );
}

/** IDs of the groups that refer to each CA certificate, by its name in lower case. */
async function references(connection: Connection): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const group of await new EnrollmentsClient(connection).queryGroups()) {
    const { primary, secondary } = liveSlots(group.attestation);
    for (const name of new Set([primary?.ca, secondary?.ca].map((ca) => ca?.toLowerCase()))) {
      if (name === undefined) continue;
      found.set(name, [...(found.get(name) ?? []), group.enrollmentGroupId]);
    }
  }
  return found;
}
