/** What must not be there at the end: secrets in clear, and remains. */
import { readFileSync } from "node:fs";
import type { Sandbox } from "../sandbox/common/model";
import type { RunningSandbox } from "../sandbox/sandbox";
import type { Engine } from "./engine";
import type { Ruling } from "./order-rules";
import type { Pki } from "./pki";
import { filesIn, found, secretsOf, secretsOfKey } from "./secrets";

/** Looks into the state, the configuration and everything that the engine has printed. */
export function judgeSecrets(
  running: RunningSandbox,
  { printed, configurationFile }: Engine,
  pki: Pki,
): Ruling {
  const { folder, sandbox } = running;
  const secrets = [
    {
      what: "the passphrase of the state",
      value: running.environment()["PULUMI_CONFIG_PASSPHRASE"]!,
    },
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
    rule: "no private key, connection string or token in clear in the state or in Pulumi's output",
    held: places.length > 2 && seen.length === 0,
    evidence:
      seen.join("; ") ||
      `${new Set(secrets.map(({ what }) => what)).size} secrets looked for in ${places.length} places`,
  };
}

/** What a destroyed stack leaves: nothing, or what was there before it. */
export function judgeRemains(sandbox: Sandbox, adopted: boolean): Ruling {
  const remains = remainsIn(sandbox);
  const isThere = (name: string): boolean => remains.some((one) => one.endsWith(name));
  const evidence = remains.join(", ") || "nothing left";
  return adopted
    ? {
        rule: "pulumi destroy leaves the service and the hubs that were made by hand",
        held: isThere("provisioning-services") && isThere("iot-hubs"),
        evidence,
      }
    : {
        rule: "pulumi destroy leaves nothing in the sandbox",
        held: remains.length === 0,
        evidence,
      };
}

/** What is left in a sandbox, in words. */
function remainsIn(sandbox: Sandbox): string[] {
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
