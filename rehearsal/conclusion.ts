/** What must not be there at the end: secrets in clear, and remains. */
import { readFileSync } from "node:fs";
import type { Sandbox } from "../sandbox/common/model";
import type { RunningSandbox } from "../sandbox/sandbox";
import type { Engine } from "./engine";
import type { Pki } from "./pki";
import { filesIn, found, secretsOf, secretsOfKey } from "./secrets";

/** Looks into the state, the configuration and everything that the engine has printed. */
export function secretsInClear(
  running: RunningSandbox,
  { printed, configurationFile }: Engine,
  pki: Pki,
  passphrase: string,
): { held: boolean; evidence: string } {
  const { folder, sandbox } = running;
  const secrets = [
    { what: "the passphrase of the state", value: passphrase },
    ...secretsOf(sandbox, running.endpoints().arm.clientSecret),
    ...[...pki.keys()].flatMap(([name, key]) => secretsOfKey(name, key)),
  ];
  const places = [
    { file: "Pulumi's output", text: printed },
    { file: "the configuration", text: readFileSync(configurationFile, "utf8") },
    ...filesIn(folder.state).map(({ file, text }) => ({
      file: file.slice(folder.state.length + 1),
      text,
    })),
  ];
  const seen = places.flatMap(({ file, text }) =>
    found(text, secrets).map((what) => `${what} in ${file}`),
  );
  return {
    held: places.length > 2 && seen.length === 0,
    evidence:
      seen.join("; ") ||
      `${new Set(secrets.map(({ what }) => what)).size} secrets looked for in ${places.length} places`,
  };
}

/** What is left in a sandbox, in words. */
export function remainsIn(sandbox: Sandbox): string[] {
  return [
    ...["resource-groups", "provisioning-services", "iot-hubs", "ca-certificates"],
    ...["dps-individual-enrollments", "dps-enrollment-groups", "dps-registrations"],
    "hub-devices",
  ].flatMap((name) => {
    const count = sandbox.collection(name).list().length;
    return count === 0 ? [] : [`${count} in ${name}`];
  });
}

/** How often DPS and the hubs have a device: registration records, and identities by device ID. */
export function recordsOf(
  sandbox: Sandbox,
  id: string,
): { registrations: string[]; identities: number } {
  const registrations = sandbox
    .collection<{ registrationId: string; deviceId?: string }>("dps-registrations")
    .list()
    .filter((one) => [one.registrationId, one.deviceId].includes(id));
  const identities = sandbox
    .collection<{ deviceId: string }>("hub-devices")
    .list()
    .filter(({ deviceId }) => deviceId === id);
  return {
    registrations: registrations.map(({ registrationId }) => registrationId),
    identities: identities.length,
  };
}
