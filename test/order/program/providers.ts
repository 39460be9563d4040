/**
 * Providers over the stand-in. Each write re-reads first, so that what a killed run already did is
 * found and not done twice. The functions are serialised: they capture nothing but each other.
 */
import type * as pulumi from "@pulumi/pulumi";

interface World {
  cas: Record<string, boolean>;
  entries: Record<string, { enabled: boolean; slots: string[] }>;
  identities: Record<string, { enabled: boolean }>;
  registrations: Record<string, { entry: string; key: string }>;
}

/* The address comes from the environment: a fork of a stack has the state of the original. */
async function read(): Promise<World> {
  return (await (await fetch(process.env["ORDER_STAND_IN"] ?? "")).json()) as World;
}

async function write(verb: string, kind: string, id: string, value?: unknown): Promise<void> {
  await fetch(process.env["ORDER_STAND_IN"] ?? "", {
    method: "POST",
    body: JSON.stringify({ verb, kind, id, value }),
  });
}

interface ContainmentInputs {
  compromised: string[];
}

async function contain(
  inputs: ContainmentInputs,
): Promise<{ contained: Record<string, string[]> }> {
  const contained: Record<string, string[]> = {};
  for (const key of inputs.compromised) {
    const world = await read();
    const holding = Object.keys(world.entries).filter((id) =>
      world.entries[id]?.slots.includes(key),
    );
    for (const id of holding) {
      const entry = world.entries[id];
      if (entry?.enabled === true) {
        await write("put", "entries", id, { ...entry, enabled: false });
      }
    }
    contained[key] = holding;
  }
  return { contained };
}

export const containmentProvider: pulumi.dynamic.ResourceProvider = {
  // The names of CAs ever declared gather in the inputs: at a breach the old name is gone from the
  // configuration, and the groups that refer to it have to be found without asking ARM.
  async check(olds: { cas?: string[] }, news: { cas: string[] }) {
    return { inputs: { ...news, cas: [...new Set([...(olds.cas ?? []), ...news.cas])].sort() } };
  },
  async diff(_id, olds: ContainmentInputs, news: ContainmentInputs) {
    return { changes: JSON.stringify(olds.compromised) !== JSON.stringify(news.compromised) };
  },
  async create(inputs: ContainmentInputs) {
    return { id: "containment", outs: { ...inputs, ...(await contain(inputs)) } };
  },
  async update(_id, olds: { contained: Record<string, string[]> }, news: ContainmentInputs) {
    const { contained } = await contain(news);
    return { outs: { ...news, contained: { ...contained, ...olds.contained } } };
  },
};

interface CaInputs {
  name: string;
}

export const caProvider: pulumi.dynamic.ResourceProvider = {
  async create(inputs: CaInputs) {
    const world = await read();
    if (world.cas[inputs.name] === undefined) {
      await write("put", "cas", inputs.name, false);
    }
    if (world.cas[inputs.name] !== true) {
      await write("put", "cas", inputs.name, true);
    }
    return { id: inputs.name, outs: inputs };
  },
  async diff() {
    return { changes: false };
  },
  async delete(id) {
    await write("delete", "cas", id);
  },
};

interface EntryInputs {
  entry: string;
  enabled: boolean;
  slots: string[];
}

async function putEntry(inputs: EntryInputs): Promise<void> {
  const wanted = { enabled: inputs.enabled, slots: inputs.slots };
  const live = (await read()).entries[inputs.entry];
  if (JSON.stringify(live) !== JSON.stringify(wanted)) {
    await write("put", "entries", inputs.entry, wanted);
  }
}

export const entryProvider: pulumi.dynamic.ResourceProvider = {
  // Of the compromised keys an entry keeps only those of its own slots, old or new: otherwise every
  // entry of the service would show a change when one key is compromised.
  async check(olds: { slots?: string[] }, news: { slots: string[]; compromised: string[] }) {
    const own = new Set([...(olds.slots ?? []), ...news.slots]);
    return { inputs: { ...news, compromised: news.compromised.filter((key) => own.has(key)) } };
  },
  async diff(_id, olds: EntryInputs, news: EntryInputs) {
    const wanted = ({ enabled, slots }: EntryInputs): string => JSON.stringify({ enabled, slots });
    return { changes: wanted(olds) !== wanted(news) };
  },
  async create(inputs: EntryInputs) {
    await putEntry(inputs);
    return { id: inputs.entry, outs: inputs };
  },
  async update(_id, _olds, news: EntryInputs) {
    await putEntry(news);
    return { outs: news };
  },
  async delete(id) {
    await write("delete", "entries", id);
  },
};

interface RemovalInputs {
  key: string;
  entries: string[];
}

/** Diff is asked in previews too, where `entries` may be unknown: only the key counts. */
async function sameKey(
  _id: string,
  olds: { key: string },
  news: { key: string },
): Promise<pulumi.dynamic.DiffResult> {
  return { changes: olds.key !== news.key };
}

async function candidates(inputs: RemovalInputs): Promise<string[]> {
  const { registrations } = await read();
  return Object.keys(registrations).filter((id) => {
    const registration = registrations[id];
    return registration?.key === inputs.key && inputs.entries.includes(registration.entry);
  });
}

export const journalProvider: pulumi.dynamic.ResourceProvider = {
  diff: sameKey,
  async create(inputs: RemovalInputs) {
    return { id: `journal-${inputs.key}`, outs: { ...inputs, devices: await candidates(inputs) } };
  },
};

export const removalProvider: pulumi.dynamic.ResourceProvider = {
  diff: sameKey,
  async create(inputs: RemovalInputs & { journal: string[] }) {
    const world = await read();
    const open = Object.values(world.entries).some(
      ({ enabled, slots }) => enabled && slots.includes(inputs.key),
    );
    if (open) {
      throw new Error(`${inputs.key} is still admitted`);
    }
    for (const device of inputs.journal) {
      const { identities, registrations } = await read();
      if (identities[device]?.enabled === true) {
        await write("put", "identities", device, { enabled: false });
      }
      if (identities[device] !== undefined) {
        await write("delete", "identities", device);
      }
      if (registrations[device] !== undefined) {
        await write("delete", "registrations", device);
      }
    }
    return { id: `removal-${inputs.key}`, outs: inputs };
  },
};
