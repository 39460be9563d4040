import { EnrollmentsClient } from "../../clients/enrollments";
import { HubRegistry, linkedHubs } from "../../clients/hub-registry";
import { displayName } from "../../certificates/text";
import { type Handler, hasUnknown, say } from "../handler";
import { type Device, devicesOf, sharedWords, withSpellings } from "./devices";
import { type BreachScope, type ClosedIdentity, lift, Liftings, notWritten } from "./lifting";
import { denialReason, deniersOf, markOf } from "./marks";

/** What is declared compromised is judged before an identity is enabled when its denial is lifted. */
export interface DeniedDevicesInputs extends BreachScope {
  /** Registration IDs that are denied, without a certificate that takes the place of another one. */
  denied: string[];
  /** `project/stack`: several stacks may deny a device of one hub. */
  stack: string;
}

export interface DeniedDevicesOutputs extends DeniedDevicesInputs {
  /** Also those whose denial is lifted and that could not be given back yet. */
  closed: ClosedIdentity[];
}

const ID = "denied-devices";
const ATTEMPTS = 5;

/**
 * Ends the access that a denied device still has: DPS refuses it, but its hub identity would go on
 * connecting. The identity is disabled, in every linked hub, and keeps its twin: a denial may be a mistake,
 * and can be lifted, which enables it again, unless somebody else had disabled it, another stack denies
 * it as well, or a breach reaches it by then. After a breach identities are deleted instead
 * (`DeviceRegistrationRemoval`). Azure: "How to deprovision devices that were previously auto-provisioned".
 */
export const deniedDevices: Handler<DeniedDevicesInputs, DeniedDevicesOutputs> = {
  async check(_olds, news) {
    return { inputs: news };
  },

  async diff(_id, olds, news) {
    const isOther = !isSame(olds.denied, news.denied);
    if (hasUnknown(news)) {
      return { changes: isOther };
    }
    const open = await openIn(news, olds.closed);
    open.forEach(({ deviceId, hub }) =>
      say(
        `Device ${displayName(deviceId)} is denied, and its identity in ${hub} is enabled: \`pulumi up\` disables it.`,
      ),
    );
    return { changes: isOther || open.length > 0 || (await isOwed(news, olds.closed)) };
  },

  async create(inputs) {
    return { id: ID, outs: await goOn(inputs, []) };
  },

  async read(id, props) {
    return { id, props };
  },

  async update(_id, olds, news) {
    return { outs: await goOn(news, olds.closed) };
  },

  async delete(_id, { closed }) {
    if (closed.length > 0) {
      say(`The hub identities of ${closed.length} denied devices stay disabled.`);
    }
  },
};

async function goOn(
  inputs: DeniedDevicesInputs,
  before: ClosedIdentity[],
): Promise<DeniedDevicesOutputs> {
  const { connection, denied } = inputs;
  const mark = markOf(inputs.stack);
  const closed = before.filter((one) => isDenied(inputs, one));
  const hubs = denied.length + before.length === 0 ? [] : await linkedHubs(connection);
  const devices = await devicesOf(new EnrollmentsClient(connection), denied);
  devices.forEach(({ sharedWith, ...device }) => {
    if (sharedWith !== undefined) say(sharedWords(device, sharedWith));
  });
  const alone = devices.filter(({ sharedWith }) => sharedWith === undefined);
  for (const hub of hubs) {
    const registry = new HubRegistry(connection, hub);
    for (const { registrationId, deviceId } of await withSpellings(connection, hub, alone)) {
      const names = [mark, ...before.map((one) => one.mark)];
      const done = await close(registry, deviceId, mark, names);
      if (done === undefined) continue;
      closed.push({ registrationId, deviceId, hub, ...done });
      say(`Denied: device ${displayName(deviceId)} is disabled in ${hub}.`);
    }
  }
  const lifted = before.filter((one) => !isDenied(inputs, one));
  closed.push(...(await liftAll(inputs, lifted, hubs)));
  return { ...inputs, closed: [...new Map(closed.map((one) => [idOf(one), one])).values()] };
}

/**
 * Disables it; undefined: it is not there, or somebody had disabled it.
 * @param names this stack, as it calls itself and has called itself
 */
async function close(
  registry: HubRegistry,
  deviceId: string,
  mark: string,
  names: string[],
): Promise<Pick<ClosedIdentity, "generationId" | "mark"> | undefined> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const identity = await registry.getIdentity(deviceId);
    if (identity === undefined) return undefined;
    const { generationId = "" } = identity;
    const deniers = deniersOf(identity);
    // A run that was killed has disabled it and did not live to say so.
    const own = deniers.find((one) => names.includes(one));
    if (own !== undefined) return { generationId, mark: own };
    if (identity.status === "disabled" && deniers.length === 0) return undefined;
    const reason = denialReason([...deniers, mark]);
    if (reason === undefined) {
      say(
        `warning: device ${displayName(deviceId)} is disabled in ${registry.hubHostName} because ${deniers.length} other stacks deny it, and the reason has no room for one more: when they lift their denials, the next \`pulumi up\` of this stack disables it again.`,
      );
      return undefined;
    }
    const outcome = (await registry.disableAll([identity], reason)).get(deviceId);
    if (outcome === "written") return { generationId, mark };
    if (outcome === "gone") return undefined;
    if (outcome !== "overtaken" && outcome !== undefined) throw outcome;
  }
  throw notWritten(registry.hubHostName, deviceId, "denied");
}

/** Answers those to whom something is still owed. A hub that was unlinked is tried as well. */
async function liftAll(
  inputs: DeniedDevicesInputs,
  lifted: ClosedIdentity[],
  hubs: string[],
): Promise<ClosedIdentity[]> {
  const liftings = new Liftings(inputs, hubs);
  const owed: ClosedIdentity[] = [];
  for (const one of lifted) {
    try {
      if (!(await lift(inputs, one, await liftings.of(one)))) owed.push(one);
    } catch (error) {
      if (hubs.includes(one.hub) || !(error instanceof Error)) throw error;
      owed.push(one);
      say(
        `warning: device ${displayName(one.deviceId)} is not denied any more, and stays disabled in ${one.hub}, which is not linked to this DPS any more. ${error.message} ` +
          "Enable it in that hub by hand if it is to connect there; or link the hub again, and the next `pulumi up` enables it.",
      );
    }
  }
  return owed;
}

/** Can something be given back now? Hubs that are not linked are not asked again. */
async function isOwed(inputs: DeniedDevicesInputs, closed: ClosedIdentity[]): Promise<boolean> {
  const lifted = closed.filter((one) => !isDenied(inputs, one));
  const hubs = lifted.length === 0 ? [] : await linkedHubs(inputs.connection);
  const liftings = new Liftings(inputs, hubs);
  for (const one of lifted.filter(({ hub }) => hubs.includes(hub))) {
    const { lifting } = await liftings.of(one);
    if (lifting.what !== "not known") return true;
  }
  return false;
}

function isDenied(
  { denied }: Pick<DeniedDevicesInputs, "denied">,
  { registrationId }: ClosedIdentity,
): boolean {
  return denied.some((one) => one.toLowerCase() === registrationId.toLowerCase());
}

/** Denied devices that a hub would let in, as DPS, the enrollments or an earlier run spell them. */
async function openIn(
  { connection, denied }: DeniedDevicesInputs,
  closed: ClosedIdentity[],
): Promise<{ deviceId: string; hub: string }[]> {
  const devices = (await devicesOf(new EnrollmentsClient(connection), denied)).filter(
    ({ sharedWith }) => sharedWith === undefined,
  );
  const spelt = (device: Device): string[] =>
    device.isGuess !== true
      ? [device.deviceId]
      : [
          device.deviceId,
          ...closed
            .filter((one) => isDenied({ denied: [device.registrationId] }, one))
            .map(({ deviceId }) => deviceId),
        ];
  const deviceIds = [...new Set(devices.flatMap(spelt))];
  const found: { deviceId: string; hub: string }[] = [];
  for (const hub of deviceIds.length === 0 ? [] : await linkedHubs(connection)) {
    const twins = await new HubRegistry(connection, hub).findDevices(deviceIds);
    found.push(
      ...twins
        .filter(({ status }) => status === "enabled")
        .map(({ deviceId }) => ({ deviceId, hub })),
    );
  }
  return found;
}

function idOf({ registrationId, deviceId, hub, generationId }: ClosedIdentity): string {
  return `${registrationId.toLowerCase()} ${deviceId} ${hub} ${generationId}`;
}

function isSame(one: string[], other: string[]): boolean {
  return JSON.stringify([...one].sort()) === JSON.stringify([...other].sort());
}
