/** What is kept of a rehearsal that failed, for somebody who wants to know why. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunningSandbox } from "../sandbox/sandbox";
import type { Engine } from "./engine";
import type { FleetDevice } from "./fleet";

/** Files beside the sandbox's folder, which is kept as well. Test keys lie in them, as everywhere here. */
export function keep(
  folder: string,
  sandbox: RunningSandbox,
  engine: Engine,
  devices: Iterable<FleetDevice>,
): void {
  sandbox.keep();
  const events = [...devices].flatMap(({ id, events: lived }) =>
    lived.map((event) => ({ device: id, ...event })),
  );
  const lines = events
    .sort((one, other) => one.time.localeCompare(other.time))
    .map((event) => `${JSON.stringify(event)}\n`);
  writeFileSync(join(folder, "devices.jsonl"), lines.join(""), { mode: 0o600 });
  writeFileSync(join(folder, "pulumi.log"), engine.printed, { mode: 0o600 });
}

/** How to look into a folder that was kept. */
export function wayInto(folder: string): string {
  return [
    `Kept to be looked into: ${folder}`,
    `  pulumi.log, devices.jsonl, sandbox/requests.jsonl: what the engine printed, what devices lived through, every request`,
    `  npm run sandbox -- --keep --dir ${join(folder, "sandbox")}: the sandbox again, with the stack in it, as it was`,
  ].join("\n");
}
