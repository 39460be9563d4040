/** What somebody does beside the stack, by hand: with Microsoft's clients, in a process of its own. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { replace } from "./factory";

/** All certificates from files, one in each entry. */
export interface Declared {
  service: { name: string; resourceGroup: string; location: string };
  /** `existing`: it is there, and is linked only. */
  hubs: { name: string; existing?: true }[];
  certificates: Record<string, { file: string }>;
  caCertificates: Record<string, { certificate: string; proof: { keyFile: string } }>;
  enrollmentGroups: Record<string, { primary: { ca: string } | { certificate: string } }>;
  individualEnrollments: Record<string, { primary: { certificate: string } }>;
}

export type Deed =
  | { do: "make"; declared: Declared }
  /** Another verification code for a CA certificate: the one before is stale. */
  | { do: "new code"; service: string; ca: string }
  | { do: "disable"; service: string; registrationId: string }
  | { do: "delete service"; service: string };

/** Throws when one of the clients does. */
export async function byHand(
  program: string,
  folder: string,
  environment: NodeJS.ProcessEnv,
  deed: Deed,
): Promise<void> {
  const file = join(folder, "by-hand.json");
  replace(file, JSON.stringify(deed));
  const script = join(program, "rehearsal", "by-hand.ts");
  await promisify(execFile)(process.execPath, ["--require", "tsx/cjs", script, file], {
    cwd: program,
    env: environment,
  });
}
