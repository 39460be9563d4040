/** A device made of `curl` and `openssl s_client`. */
import assert from "node:assert/strict";
import type { Issued } from "../../support/test-ca";
import { connackCode, connect, publish, subscribe } from "./mqtt-packets";
import { type Plant, type ProcessResult, run } from "./plant";

/** What a device presents; undefined: no certificate. */
export type Credential = { chain: string; key: string } | undefined;

/** The leaf and the intermediates above it. */
export function chained({ chainPem, key }: Issued): Credential {
  return { chain: chainPem, key };
}

/** The leaf, whatever is above it. */
export function alone({ pem, key }: Issued): Credential {
  return { chain: pem, key };
}

export interface HttpResult {
  status: number;
  body: Record<string, unknown>;
}

/** Files for the programs; `above` holds what comes after the leaf. */
interface KeyFiles {
  cert: string;
  key: string;
  above: string | undefined;
}

let files = 0;

function keyFiles(plant: Plant, credential: NonNullable<Credential>): KeyFiles {
  const name = `key-${++files}`;
  const end = "-----END CERTIFICATE-----\n";
  const above = credential.chain.slice(credential.chain.indexOf(end) + end.length).trim();
  return {
    cert: plant.file(`${name}.pem`, credential.chain),
    key: plant.file(`${name}.key`, credential.key),
    above: above === "" ? undefined : plant.file(`${name}.above.pem`, `${above}\n`),
  };
}

/** One request to the device API by curl; `path` follows `/registrations/`. */
export async function curl(
  plant: Plant,
  credential: Credential,
  method: string,
  path: string,
  body?: object,
): Promise<HttpResult> {
  const { service, sandbox } = plant;
  const base = `${service.device.https}/${service.idScope}/registrations`;
  const certificate = credential && keyFiles(plant, credential);
  const { exitCode, stdout, stderr } = await run("curl", [
    ...["--silent", "--show-error", "--noproxy", "*", "--cacert", sandbox.endpoints().caFile],
    ...(certificate === undefined ? [] : ["--cert", certificate.cert, "--key", certificate.key]),
    ...["--request", method, "--header", "content-type: application/json"],
    ...(body === undefined ? [] : ["--data", JSON.stringify(body)]),
    ...["--write-out", "\n%{http_code}", `${base}/${path}?api-version=2021-10-01`],
  ]);
  assert.equal(exitCode, 0, stderr);
  const text = stdout.toString("utf8");
  const end = text.lastIndexOf("\n");
  return {
    status: Number(text.slice(end + 1)),
    body: JSON.parse(text.slice(0, end)) as Record<string, unknown>,
  };
}

/** `openssl s_client` at host:port, trusting the sandbox's root alone. */
export async function sClient(
  plant: Plant,
  credential: Credential,
  address: string,
  options: string[],
  input?: Parameters<typeof run>[2],
): Promise<ProcessResult> {
  const { caFile } = plant.sandbox.endpoints();
  const host = address.slice(0, address.lastIndexOf(":"));
  const name = /^[\d.]+$/.test(host) ? "-verify_ip" : "-verify_hostname";
  const certificate = credential && keyFiles(plant, credential);
  const above = certificate?.above;
  const args = [
    ...["s_client", "-connect", address, "-CAfile", caFile, "-no-CApath", "-no-CAstore"],
    ...[name, host, "-verify_return_error"],
    ...(certificate === undefined ? [] : ["-cert", certificate.cert, "-key", certificate.key]),
    ...(above === undefined ? [] : ["-cert_chain", above]),
    ...options,
  ];
  return run("openssl", args, input);
}

/** Everything that DPS says over MQTT up to its first answer. */
export async function registerByMqtt(
  plant: Plant,
  credential: Credential,
  id: string,
): Promise<Buffer> {
  const { service } = plant;
  const payload = JSON.stringify({ registrationId: id });
  const bytes = Buffer.concat([
    connect(id, `${service.idScope}/registrations/${id}/api-version=2019-03-31`),
    subscribe("$dps/registrations/res/#"),
    publish("$dps/registrations/PUT/iotdps-register/?$rid=1", payload),
  ]);
  const until = (stdout: Buffer): boolean => /\/res\/\d+\/.*\}/s.test(stdout.toString("latin1"));
  const input = { bytes, until };
  const { stdout } = await sClient(plant, credential, service.device.mqtt, ["-quiet"], input);
  return stdout;
}

/** The return code with which the hub answers a connection of this device. */
export async function hubCode(
  plant: Plant,
  credential: Credential,
  id: string,
): Promise<number | undefined> {
  const { hub } = plant;
  const bytes = connect(id, `${hub.hostName}/${id}/?api-version=2021-04-12`);
  const until = (stdout: Buffer): boolean => connackCode(stdout) !== undefined;
  const { stdout } = await sClient(plant, credential, hub.mqtt, ["-quiet"], { bytes, until });
  return connackCode(stdout);
}
