/** A stack that takes over what was made by hand before it. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { replace } from "./factory";
import type { Sections } from "./setting";

/** What is made by hand: all certificates from files, one in each entry. */
export interface Declared {
  service: { name: string; resourceGroup: string; location: string };
  hubs: { name: string }[];
  certificates: Record<string, { file: string }>;
  caCertificates: Record<string, { certificate: string; proof: { keyFile: string } }>;
  enrollmentGroups: Record<string, { primary: { ca: string } | { certificate: string } }>;
  individualEnrollments: Record<string, { primary: { certificate: string } }>;
}

/** Makes what the sections declare, without a stack. Throws when one of the clients does. */
export async function makeByHand(
  program: string,
  folder: string,
  environment: NodeJS.ProcessEnv,
  sections: Sections,
): Promise<void> {
  const file = join(folder, "by-hand.json");
  replace(file, JSON.stringify(named(sections)));
  const script = join(program, "rehearsal", "by-hand.ts");
  await promisify(execFile)(process.execPath, ["--require", "tsx/cjs", script, file], {
    cwd: program,
    env: environment,
  });
}

/** The same sections, for a stack that finds everything there. */
export function adopting(sections: Sections): Sections {
  const declared = named(sections);
  return {
    ...declared,
    service: { ...declared.service, adopt: true },
    hubs: declared.hubs.map((hub) => ({ ...hub, adopt: true })),
    caCertificates: each(declared.caCertificates),
    enrollmentGroups: each(declared.enrollmentGroups),
    individualEnrollments: each(declared.individualEnrollments),
  };
}

function named(sections: Sections): Declared & Sections {
  const declared = sections as Declared & Sections;
  return { ...declared, service: { ...declared.service, name: "dps-by-hand" } };
}

function each<T extends object>(all: Record<string, T>): Record<string, T & { adopt: true }> {
  return Object.fromEntries(
    Object.entries(all).map(([name, one]) => [name, { ...one, adopt: true as const }]),
  );
}
