/** `npm start`: the four procedures with eight devices, in a sandbox of their own. */
import { resolve } from "node:path";
import type { Findings } from "./findings";
import { individualBreach } from "./procedures/individual-breach";
import { individualExpiration } from "./procedures/individual-expiration";
import { rootBreach } from "./procedures/root-breach";
import { rootExpiration } from "./procedures/root-expiration";
import { type Member, rehearse } from "./rehearsal";
import { report } from "./report";

const fleet: Member[] = [
  { registrationId: "device-1", enrollment: "individual", rollFirst: "register" },
  { registrationId: "device-2", enrollment: "individual", rollFirst: "connect" },
  { registrationId: "sensor-1", enrollment: "sensors", rollFirst: "register" },
  { registrationId: "sensor-2", enrollment: "sensors", rollFirst: "register" },
  { registrationId: "sensor-3", enrollment: "sensors", rollFirst: "connect" },
  { registrationId: "gateway-1", enrollment: "gateways", rollFirst: "register" },
  { registrationId: "gateway-2", enrollment: "gateways", rollFirst: "register" },
  { registrationId: "gateway-3", enrollment: "gateways", rollFirst: "connect" },
];

async function main(): Promise<number> {
  const began = Date.now();
  const interrupted = new AbortController();
  let signals = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      signals += 1;
      // A second signal: somebody is in a hurry. What still runs is killed at the exit.
      if (signals > 1) process.exit(130);
      console.log(`\n${signal}: cleaning up.`);
      interrupted.abort(new Error(`ended by ${signal}`));
    });
  }
  // Nobody reads any more, as in `npm start | head`.
  process.stdout.on("error", (error) => interrupted.abort(error));
  let findings: Findings;
  try {
    findings = await rehearse({
      program: resolve(__dirname, ".."),
      procedures: [individualExpiration, rootExpiration, individualBreach, rootBreach],
      members: fleet,
      say: (line) => console.log(line),
      signal: interrupted.signal,
    });
  } catch (error) {
    if (interrupted.signal.aborted) {
      return 130;
    }
    throw error;
  }
  console.log(`\n${report(findings, (Date.now() - began) / 1000)}`);
  return findings.failures.length === 0 ? 0 : 1;
}

main().then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
