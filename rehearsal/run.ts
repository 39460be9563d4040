/** Carries out procedures in sandboxes, several at once; what fails ends only its own sandbox. */
import { Findings } from "./findings";
import type { Procedure } from "./procedures/procedure";
import { Rehearsal } from "./rehearsal";
import { type Setting, standard } from "./setting";
import { type Say, Telling } from "./telling";

/** While the devices of one sandbox wait for a service, the engine of another one works. */
const LANES = 3;
/** How many procedures share a sandbox, at most: what came before them is soon too much to be read. */
const NEIGHBOURS = 6;

export interface RunOptions {
  /** Folder of the program: the repository. */
  program: string;
  /** Carried out in this order. */
  procedures: Procedure[];
  /** In place of each procedure's own setting, and one sandbox for all. */
  setting?: Setting;
  /** What procedures begin with is made by hand and taken over. Default: false. */
  adopted?: boolean | undefined;
  /** Sandboxes that run at once, at most. Default: 3. */
  lanes?: number | undefined;
  /** Hears what is going on, line by line. */
  say: Say;
  /** Aborted: everything ends, as soon as it can be ended in order. */
  signal?: AbortSignal;
}

/** Procedures one after the other on one stack. */
export interface Part {
  setting: Setting;
  procedures: Procedure[];
}

/** Rehearses, and leaves nothing behind but the findings. Throws when it is aborted. */
export async function rehearse(options: RunOptions): Promise<Findings> {
  const { procedures, setting, lanes = LANES, say, signal } = options;
  const open = partsOf(procedures, setting);
  const began = Date.now();
  const all: Findings[] = [];
  const broken = new AbortController();
  const stop = signal === undefined ? broken.signal : AbortSignal.any([signal, broken.signal]);
  const names = open.length > 1 ? LETTERS.slice(0, Math.min(lanes, open.length)) : "";
  if (names.length > 1) {
    say(
      `${open.length} sandboxes, ${names.length} at once: the letter in front says which.`,
      false,
    );
  }

  async function lane(name: string): Promise<void> {
    for (let part = open.shift(); part !== undefined; part = open.shift()) {
      const telling = new Telling(say, names.length > 1 ? name : "", began);
      const findings = new Findings((text, held) => telling.rule(text, held));
      all.push(findings);
      const left = await carryOut(part, { ...options, signal: stop }, findings, telling);
      open.unshift(...partsOf(left, setting));
    }
  }

  const ended = await Promise.allSettled(
    [...(names || LETTERS.slice(0, 1))].map(async (name) => {
      try {
        await lane(name);
      } catch (error) {
        broken.abort(error);
        throw error;
      }
    }),
  );
  for (const one of ended) {
    if (one.status === "rejected") throw one.reason;
  }
  return Findings.merged(
    all,
    procedures.map(({ name }) => name),
  );
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Neighbours with one setting share a sandbox; its devices are those that one of them needs. */
export function partsOf(procedures: Procedure[], setting?: Setting): Part[] {
  if (setting !== undefined) {
    return procedures.length === 0 ? [] : [{ setting, procedures }];
  }
  const parts: Part[] = [];
  for (const procedure of procedures) {
    const own = procedure.setting ?? standard;
    const last = parts.at(-1);
    if (last?.setting === own) {
      last.procedures.push(procedure);
    } else {
      parts.push({ setting: own, procedures: [procedure] });
    }
  }
  return parts.flatMap(divided).map(needed);
}

/** In pieces as long as each other: as few as there have to be, and enough for several at once. */
function divided({ setting, procedures }: Part): Part[] {
  const pieces = Math.max(
    Math.ceil(procedures.length / NEIGHBOURS),
    Math.min(LANES, Math.floor(procedures.length / 2)),
  );
  const end = (piece: number): number => Math.round((piece * procedures.length) / pieces);
  return Array.from({ length: pieces }, (_, piece) => ({
    setting,
    procedures: procedures.slice(end(piece), end(piece + 1)),
  }));
}

function needed({ setting, procedures }: Part): Part {
  const needs = new Set(procedures.flatMap(({ members }) => members));
  const members = setting.members.filter(({ registrationId }) => needs.has(registrationId));
  return { setting: { ...setting, members }, procedures };
}

/** Resolves to what is left to do in another sandbox, after one procedure has failed. */
async function carryOut(
  { setting, procedures }: Part,
  { program, signal, adopted = false }: RunOptions,
  findings: Findings,
  telling: Telling,
): Promise<Procedure[]> {
  signal?.throwIfAborted();
  const rehearsal = await Rehearsal.begin({
    program,
    setting: { ...setting, adopted },
    findings,
    telling,
    signal,
  });
  let current = procedures[0]?.name ?? "always";
  let left = procedures.slice(1);
  try {
    await rehearsal.deploy();
    for (const [at, procedure] of procedures.entries()) {
      current = procedure.name;
      left = procedures.slice(at + 1);
      telling.part(`${procedure.name}: ${procedure.title}`);
      await procedure.carryOut(rehearsal);
      await rehearsal.next();
    }
    current = "always";
    await rehearsal.conclude();
  } catch (error) {
    signal?.throwIfAborted();
    findings.addEnd(current, error);
    return left;
  } finally {
    await rehearsal.end();
  }
  return [];
}
