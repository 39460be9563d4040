/**
 * May this device connect? Refusals have the texts of Azure's 401003 where they are known; they reach
 * the request log only, the device sees the return code.
 * Source: learn.microsoft.com/azure/iot-hub/troubleshoot-error-codes, "401003 IoTHubUnauthorized".
 */
import { createHash } from "node:crypto";
import type { ConnectAnswer, MqttConnect } from "../common/mqtt-front";
import type { AccessPolicy, IotHubRecord, Sandbox } from "../common/model";
import { dateOf, decoded } from "../common/peer-chain";
import { checkExpiry, parseSas, SasError, signedWith } from "../common/sas";
import { judgeCaSigned } from "./ca-signed";
import type { DeviceRecord } from "./records";
import type { DeviceRegistry } from "./registry";

const ACCEPTED = 0;
const RENEW = "Authentication failed for this device, renew token or certificate and reconnect";
/** `{host}/{deviceId}/?api-version=...`; a module has one part more. */
const USERNAME = /^([^/]+)\/([^/]+)\/(?:([^/?]+)\/)?\??(.*)$/;

class Refusal extends Error {}

/**
 * @param names host names under which devices reach the hub, beside its own
 */
export function authenticate(
  sandbox: Sandbox,
  hub: IotHubRecord,
  registry: DeviceRegistry,
  names: string[],
  connect: MqttConnect,
): ConnectAnswer {
  try {
    const deviceId = readUsername(connect, [hub.hostName, ...names]);
    const record = registry.find(deviceId);
    if (record === undefined) {
      const text = `IotHub '${hub.hostName}' does not contain the specified device '${deviceId}'`;
      throw new Refusal(text);
    }
    if (record.status === "disabled") {
      throw new Refusal(`Device '${deviceId}' is disabled`);
    }
    return { code: ACCEPTED, note: checkProof(sandbox, hub, record, names, connect) };
  } catch (error) {
    if (error instanceof Refusal || error instanceof SasError) {
      return { code: sandbox.switches.hubRefusalCode, note: `401003 ${error.message}` };
    }
    throw error;
  }
}

function readUsername({ username, clientId }: MqttConnect, hosts: string[]): string {
  const [, host = "", deviceId, moduleId, rest = ""] = USERNAME.exec(username) ?? [];
  if (deviceId === undefined || !new URLSearchParams(rest).has("api-version")) {
    throw new Refusal("The username is not {host}/{deviceId}/?api-version=...");
  }
  const wanted = host.toLowerCase().replace(/:\d+$/, "");
  if (!hosts.some((one) => one.toLowerCase() === wanted)) {
    throw new Refusal(`The username is for another hub: ${host}`);
  }
  if (moduleId !== undefined) {
    throw new Refusal("not supported by the sandbox: modules");
  }
  if (deviceId !== clientId) {
    throw new Refusal(`The client ID is not the device ID '${deviceId}'`);
  }
  return deviceId;
}

/** What proved the device; throws when nothing did. */
function checkProof(
  sandbox: Sandbox,
  hub: IotHubRecord,
  record: DeviceRecord,
  names: string[],
  connect: MqttConnect,
): string {
  switch (record.authentication.type) {
    case "selfSigned":
      return checkThumbprint(sandbox, record, connect.peerLeaf());
    case "sas":
      return checkToken(hub, record, names, connect.password);
    case "certificateAuthority":
      return checkCaSigned(sandbox, hub, record, connect.peerChain());
    case "none":
      throw new Refusal(`${RENEW}: the device has no way to authenticate`);
  }
}

function checkCaSigned(
  sandbox: Sandbox,
  hub: IotHubRecord,
  { deviceId }: DeviceRecord,
  peerChain: Buffer[],
): string {
  const judged = judgeCaSigned(sandbox, hub, deviceId, peerChain);
  if ("fault" in judged) throw new Refusal(`${RENEW}: ${judged.fault}`);
  return judged.proof;
}

/** The thumbprint and the dates decide; who issued the certificate does not (iotedge#621). */
function checkThumbprint(
  { clock, switches }: Sandbox,
  record: DeviceRecord,
  leaf: Buffer | undefined,
): string {
  if (leaf === undefined) {
    throw new Refusal(`${RENEW}: no certificate was presented`);
  }
  const sha1 = createHash("sha1").update(leaf).digest("hex").toUpperCase();
  const sha256 = createHash("sha256").update(leaf).digest("hex").toUpperCase();
  const { primaryThumbprint, secondaryThumbprint } = record.authentication.x509Thumbprint;
  if (![primaryThumbprint, secondaryThumbprint].some((one) => one === sha1 || one === sha256)) {
    throw new Refusal(
      `Thumbprint does not match configuration: Thumbprint: SHA1Hash=${sha1}, SHA2Hash=${sha256}; ` +
        `Configuration: PrimaryThumbprint=${primaryThumbprint ?? ""}, ` +
        `SecondaryThumbprint=${secondaryThumbprint ?? ""}`,
    );
  }
  const now = clock.now();
  const { validFrom, validTo } = decoded(leaf);
  if (now > dateOf(validTo)) {
    throw new Refusal(`${RENEW}: the certificate ${sha256} expired on ${validTo}`);
  }
  if (switches.hubChecksNotBefore && now < dateOf(validFrom)) {
    throw new Refusal(`${RENEW}: the certificate ${sha256} is not valid before ${validFrom}`);
  }
  return `certificate ${sha256}`;
}

/**
 * Signed with a key of the device, or with a policy of the hub that may connect devices. not known:
 * whether an open connection ends when its token expires; here it does not.
 */
function checkToken(
  hub: IotHubRecord,
  { deviceId, authentication }: DeviceRecord,
  names: string[],
  password: string | undefined,
): string {
  const token = parseSas(password);
  checkExpiry(token);
  const [host = "", ...path] = token.audience.toLowerCase().split("/");
  const isHub = [hub.hostName, ...names].some(
    (name) => name.toLowerCase() === host.replace(/:\d+$/, ""),
  );
  const isDevice = path.join("/") === `devices/${deviceId}`.toLowerCase();
  if (!isHub || !(isDevice || (path.length === 0 && token.policy !== ""))) {
    throw new Refusal(`${RENEW}: the token is for ${token.audience}`);
  }
  const keys =
    token.policy === ""
      ? Object.values(authentication.symmetricKey)
      : keysOf(hub.authorizationPolicies, token.policy);
  if (!keys.some((key) => key !== null && signedWith(token, key))) {
    throw new Refusal(`${RENEW}: the token was made with another key`);
  }
  return token.policy === "" ? "token of the device" : `token of the policy ${token.policy}`;
}

function keysOf(policies: AccessPolicy[], name: string): string[] {
  return policies
    .filter(({ keyName }) => keyName.toLowerCase() === name.toLowerCase())
    .filter(({ rights }) => /\bDeviceConnect\b/i.test(rights))
    .flatMap(({ primaryKey, secondaryKey }) => [primaryKey, secondaryKey]);
}
