/** `npm run contain` as a process of its own. */
import { execFile } from "node:child_process";
import { join } from "node:path";

const MAIN = join(__dirname, "../../containment/main.ts");

export interface Ended {
  code: number;
  out: string;
  err: string;
}

/** @param env added to this process's own */
export function contain(args: string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--require", "tsx/cjs", MAIN, ...args],
      { env: { ...process.env, ...env }, timeout: 30_000 },
      (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}
