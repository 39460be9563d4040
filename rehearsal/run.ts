/** Carries out procedures in as few sandboxes as they need; what fails ends only its own sandbox. */
import { Findings } from "./findings";
import type { Procedure } from "./procedures/procedure";
import { Rehearsal } from "./rehearsal";
import { type Setting, standard } from "./setting";
import { Telling } from "./telling";

export interface RunOptions {
  /** Folder of the program: the repository. */
  program: string;
  /** Carried out in this order. */
  procedures: Procedure[];
  /** In place of each procedure's own setting. */
  setting?: Setting;
  /** What procedures begin with is made by hand and taken over. Default: false. */
  adopted?: boolean | undefined;
  /** Hears what is going on, line by line. */
  say: (line: string) => void;
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
  const telling = new Telling(options.say);
  const findings = new Findings((text) => telling.rule(text));
  const open = partsOf(options.procedures, options.setting);
  for (let part = open.shift(); part !== undefined; part = open.shift()) {
    const left = await carryOut(part, options, findings, telling);
    if (left.length > 0) {
      open.unshift(...partsOf(left, options.setting));
    }
  }
  return findings;
}

/** Neighbours with one setting share a sandbox; its devices are those that one of them needs. */
export function partsOf(procedures: Procedure[], setting?: Setting): Part[] {
  const parts: Part[] = [];
  for (const procedure of procedures) {
    const own = setting ?? procedure.setting ?? standard;
    const last = parts.at(-1);
    if (last?.setting === own) {
      last.procedures.push(procedure);
    } else {
      parts.push({ setting: own, procedures: [procedure] });
    }
  }
  return setting === undefined ? parts.map(needed) : parts;
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
  const begin = async (): Promise<Rehearsal> => {
    signal?.throwIfAborted();
    return Rehearsal.begin({
      program,
      setting: { ...setting, adopted },
      findings,
      telling,
      signal,
    });
  };
  const rehearsal = await begin();
  let current = procedures[0]?.name ?? "always";
  let left = procedures.slice(1);
  try {
    await rehearsal.deploy();
    for (const [at, procedure] of procedures.entries()) {
      current = procedure.name;
      left = procedures.slice(at + 1);
      telling.part(`${procedure.name}: ${procedure.title}`);
      await procedure.carryOut(rehearsal);
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
