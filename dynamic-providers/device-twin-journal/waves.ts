/** Which candidates' turn it is. */
import { devicesWords } from "../../certificates/fleet-usage";
import { EnrollmentsClient } from "../../clients/enrollments";
import { HubRegistry, linkedHubs, nobodysThumbprint } from "../../clients/hub-registry";
import { targetNow } from "../../clients/target-time";
import { type Candidate, cameBack } from "../device-registration-removal/candidates";
import type { RemovalScope, WaveSettings } from "../device-registration-removal/scope";
import { inSeries, until } from "../device-registration-removal/pacing";
import { say } from "../handler";
import type { JournalEntry } from "./journal";

/** As the schema says. */
const DEFAULTS: WaveSettings = { returned: 90, waitSeconds: 120, pauseMinutes: 0 };
const DEFAULT_SIZES = [1, 10, 100];
/** Candidates among which connected ones are looked for, to go first. */
const LOOKED_AT = 500;

/** How far the waves have come. */
export interface Waves {
  /** Number of waves that were begun. */
  begun: number;
  /** When the last one was, ISO 8601. */
  begunAt?: string;
}

export interface Turn {
  now: Candidate[];
  waiting: Candidate[];
  waves: Waves;
  /** Why the next wave has not begun, when devices of the waves before are missing. */
  held?: string;
}

/**
 * Without waves everybody's. Otherwise the next wave's, if the devices of the waves before are back and
 * the pause is over. Devices that have the compromised leaf itself never wait, nor does what a device
 * that is back has left behind in another hub.
 */
export async function turnOf(
  scope: RemovalScope,
  waiting: Candidate[],
  before: JournalEntry[],
  waves: Waves,
): Promise<Turn> {
  const waits = ({ admitted, backIn }: Candidate): boolean => admitted && backIn === undefined;
  const rest = waiting.filter(waits);
  if (scope.remove.how !== "waves" || rest.length === 0) {
    return { now: waiting, waiting: [], waves };
  }
  const certain = waiting.filter((one) => !waits(one));
  const settings = { ...DEFAULTS, ...scope.remove.waves };
  const { hold, isFault } = await holdBack(scope, before, waves, settings);
  if (hold !== undefined) {
    say(hold);
    return { now: certain, waiting: rest, waves, ...(isFault && { held: hold }) };
  }
  const gone = before.filter(waits).length;
  const size = sizeOf(settings, waves.begun, gone + rest.length);
  const ordered = await connectedFirst(scope, rest);
  const begun = waves.begun + 1;
  say(
    `Wave ${begun} of the removal: ${devicesWords(Math.min(size, rest.length))}; ${Math.max(0, rest.length - size)} more in a later wave, with access until then.`,
  );
  return {
    now: [...certain, ...ordered.slice(0, size)],
    waiting: ordered.slice(size),
    waves: { begun, begunAt: targetNow().toISOString() },
  };
}

/** @param begun number of waves before; @param total all devices, removed or not */
export function sizeOf(
  { sizes, share }: Pick<WaveSettings, "sizes" | "share">,
  begun: number,
  total: number,
): number {
  if (share !== undefined) {
    return Math.ceil((total * share) / 100);
  }
  const all = sizes ?? DEFAULT_SIZES;
  return all[Math.min(begun, all.length - 1)] ?? 1;
}

/** Why the next wave must not begin; `isFault`: because of the devices, and not of the time. */
async function holdBack(
  scope: RemovalScope,
  before: JournalEntry[],
  { begun, begunAt }: Waves,
  { returned, waitSeconds, pauseMinutes }: WaveSettings,
): Promise<{ hold?: string; isFault?: boolean }> {
  if (begun === 0) {
    return {};
  }
  const name = `Wave ${begun + 1} of the removal`;
  const earliest = new Date(Date.parse(begunAt ?? "") + pauseMinutes * 60_000);
  if (earliest > targetNow()) {
    return {
      hold: `${name} begins at the earliest at ${earliest.toISOString()} (pauseMinutes: ${pauseMinutes}); run \`pulumi up\` again then.`,
    };
  }
  const expected = before.filter(
    ({ admitted, backIn, identities }) =>
      admitted && backIn === undefined && identities.some(({ isConnected }) => isConnected),
  );
  if (returned === 0 || expected.length === 0) {
    say(
      returned === 0
        ? `${name}: not checked whether devices of the waves before are back (returned: 0).`
        : `${name}: no device of the waves before was connected, so whether removed devices come back is not known.`,
    );
    return {};
  }
  if (await isUnfinished(scope, before)) {
    return {
      hold: `${name} has not begun: the run before ended within the wave before, which this run finishes. Run \`pulumi up\` again.`,
    };
  }
  let missing = expected;
  const enough = (): boolean =>
    ((expected.length - missing.length) / expected.length) * 100 >= returned;
  await until(waitSeconds, async () => {
    missing = await stillMissing(scope, missing);
    return { done: enough(), asked: missing.length };
  });
  const count = `${expected.length - missing.length} of the ${expected.length} devices of the waves before that were connected are back`;
  if (enough()) {
    say(`${name}: ${count}.`);
    return {};
  }
  const names = missing.slice(0, 5).map(({ deviceId }) => deviceId);
  return {
    hold:
      `${name} has not begun: ${count}, and returned: ${returned} asks for ${returned} %. ` +
      `Missing: ${names.join(", ")}${missing.length > names.length ? ", …" : ""}. ` +
      "See why they do not register, and run `pulumi up` again; or lower `returned`.",
    isFault: true,
  };
}

/** Has a device of the waves before not been removed yet, because a run was cut off? */
async function isUnfinished(
  { connection }: RemovalScope,
  devices: JournalEntry[],
): Promise<boolean> {
  const missing = await stillMissing({ connection }, devices);
  const left = new Set<string>();
  for (const hub of missing.length === 0 ? [] : await linkedHubs(connection)) {
    const registry = new HubRegistry(connection, hub);
    await inSeries(missing, async ({ deviceId, identities }) => {
      const identity = await registry.getIdentity(deviceId);
      const saved = identities.find((one) => one.hub === hub);
      const isRekeyed = identity?.thumbprints.every((one) => one === nobodysThumbprint(deviceId));
      if (identity?.generationId === saved?.generationId && isRekeyed === false) left.add(deviceId);
    });
  }
  return left.size > 0;
}

async function stillMissing(
  { connection }: Pick<RemovalScope, "connection">,
  devices: JournalEntry[],
): Promise<JournalEntry[]> {
  const client = new EnrollmentsClient(connection);
  const missing: JournalEntry[] = [];
  await inSeries(devices, async (device) => {
    const registration = await client.getRegistration(device.registrationId);
    // Whoever was settling at the cut-off has lost its record by now, too.
    if (!cameBack({ ...device, settling: false }, registration)) missing.push(device);
  });
  return missing;
}

/** In the order of their IDs; of the first 500 those that are connected come first. */
async function connectedFirst(scope: RemovalScope, candidates: Candidate[]): Promise<Candidate[]> {
  const head = candidates.slice(0, LOOKED_AT);
  const connected = new Set<string>();
  for (const hub of await linkedHubs(scope.connection)) {
    const registry = new HubRegistry(scope.connection, hub);
    for (const { deviceId, isConnected } of await registry.findDevices(
      head.map((one) => one.deviceId),
    )) {
      if (isConnected) connected.add(deviceId);
    }
  }
  const isConnected = ({ deviceId }: Candidate): boolean => connected.has(deviceId);
  return [
    ...head.filter(isConnected),
    ...head.filter((one) => !isConnected(one)),
    ...candidates.slice(LOOKED_AT),
  ];
}
