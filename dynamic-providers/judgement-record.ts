/**
 * What was judged in a run, for whoever shows it in another form than lines in a terminal: one line of
 * JSON for each judgement, appended to the file that DPS_JUDGEMENTS names. Without it nothing is written.
 */
import { appendFileSync, readFileSync } from "node:fs";
import type { Declared, Roll } from "../certificates/declared";
import type { PastRoll } from "../certificates/past-rolls";
import type { Fault } from "../certificates/faults";
import type { Connection } from "../clients/target";
import type { IssuedLeavesFile, RemovalSettings } from "./device-registration-removal/scope";

export const JUDGEMENTS = "DPS_JUDGEMENTS";

export type JudgementRecord =
  /** The program refused its configuration. */
  | { by: "program"; faults: Fault[] }
  /** Of everything declared; `before` is what was declared and carried out last. */
  | {
      by: "manifest";
      /** The target's time: ISO 8601. */
      now: string;
      before?: Declared;
      after: Declared;
      /** What was carried out before this change, oldest first. */
      pastRolls?: PastRoll[];
      issuedLeaves?: IssuedLeavesFile;
      faults: Fault[];
      rolls: Roll[];
    }
  /** In view of the live service; without faults also when the change asked nothing of it. */
  | { by: "fleet"; connection: Connection; faults: Fault[] }
  /** What one resource warns of by itself, when it looks at what is live. */
  | { by: "resource"; faults: Fault[] }
  | {
      by: "removal";
      remove: RemovalSettings;
      /** Thumbprints of the CA certificates whose leaves are good. */
      goodIssuers: string[];
    };

export function record(judgement: JudgementRecord, env: NodeJS.ProcessEnv = process.env): void {
  const file = env[JUDGEMENTS];
  if (file) appendFileSync(file, `${JSON.stringify(judgement)}\n`);
}

export function recorded(file: string): JudgementRecord[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as JudgementRecord);
}
