import { createHash } from "node:crypto";
import type { MethodCall } from "../../clients/hub-methods";
import { type Handler, hasUnknown, say } from "../handler";
import { tellByJob } from "./by-job";
import { tellByMethod } from "./by-method";
import { describeReport, type Report, reportOf, type Told } from "./outcomes";
import { type ReprovisioningScope, type Target, targetsOf } from "./targets";
import { Deadline, systemTiming, type Timing } from "./timing";

export interface DeviceReprovisioningInputs extends ReprovisioningScope {
  how: "directMethod" | "job";
  /** What each slot of the entry admits; none while it is declared disabled. Two are an overlap. */
  admits: string[];
  /** Is the entry enabled in DPS? false: somebody closed it, so nobody is sent there. */
  open: boolean;
  methodName: string;
  /** How long a device may take to answer, seconds: 5 to 300. */
  responseSeconds: number;
  /** How long the hub waits for a device that is offline, seconds: 0 to 300. Direct methods only. */
  connectSeconds: number;
  /** How long all of it may take, seconds: what is left then is done by the next `up`. */
  waitSeconds: number;
}

export interface DeviceReprovisioningOutputs extends DeviceReprovisioningInputs {
  /** The overlap that devices were told of; absent when there is none. */
  overlap?: string;
  /** Devices that are left for the next `up`. */
  left: number;
  /** Who was told of this overlap before the time was over; empty when nobody is left. */
  told: Told[];
  report?: Report;
}

/** How long those that answered are watched for their registration, seconds. */
const REGISTRATION_SECONDS = 30;
const LOOK = { firstMs: 250, maximumMs: 5000 };

/**
 * Tells the devices of an entry to register again, once for each overlap: when a new certificate
 * stands beside the old one. An availability help and no more: what shuts a stolen certificate out is
 * containment and removal, and neither waits for this.
 */
export function deviceReprovisioningHandler(
  timing: Timing,
): Handler<DeviceReprovisioningInputs, DeviceReprovisioningOutputs> {
  async function run(
    inputs: DeviceReprovisioningInputs,
    before: Told[],
  ): Promise<DeviceReprovisioningOutputs> {
    const overlap = overlapOf(inputs);
    if (overlap === undefined) {
      return { ...inputs, left: 0, told: [] };
    }
    const deadline = Deadline.in(inputs.waitSeconds, timing);
    const known = new Set(before.map(({ deviceId }) => deviceId));
    const targets = await targetsOf(inputs);
    const open = targets.filter(({ registered, deviceId }) => !registered && !known.has(deviceId));
    const { told, left } = await tell(inputs, overlap, open, deadline);
    const all = [...before, ...told];
    const registered = await registrations(inputs, told, deadline);
    const report = reportOf(targets, registered, all);
    say(describeReport(nameOf(inputs), report, left.length));
    return {
      ...inputs,
      overlap,
      left: left.length,
      told: left.length === 0 ? [] : all,
      report,
    };
  }

  /** Who has registered, once those that answered have done so or have had time to. */
  async function registrations(
    inputs: DeviceReprovisioningInputs,
    told: Told[],
    deadline: Deadline,
  ): Promise<Set<string>> {
    const answered = told.filter(({ result }) => result === "answered");
    const registered = new Set<string>();
    const wait = deadline.notLaterThan(REGISTRATION_SECONDS);
    await wait.until(
      async () => {
        for (const target of await targetsOf(inputs)) {
          if (target.registered) registered.add(target.deviceId);
        }
        return answered.every(({ deviceId }) => registered.has(deviceId));
      },
      LOOK.firstMs,
      LOOK.maximumMs,
    );
    return registered;
  }

  return {
    async check(olds, news) {
      const before = olds.admits === undefined ? undefined : overlapOf(olds as typeof news);
      const overlap = hasUnknown(news.admits) ? undefined : overlapOf(news);
      if (overlap !== undefined && overlap !== before) {
        say(
          `The devices of ${nameOf(news)} are told to register again, by ${HOW[news.how]}, for up to ${news.waitSeconds} s.`,
        );
      }
      return { inputs: news };
    },

    async diff(_id, olds, news) {
      const replaces = (["kind", "enrollmentId"] as const).filter((key) => olds[key] !== news[key]);
      if (!hasUnknown(news.connection) && !sameService(olds, news)) {
        return { changes: true, replaces: [...replaces, "connection"] };
      }
      const same = !hasUnknown(news.admits) && overlapOf(news) === olds.overlap;
      return { changes: !same || olds.left > 0 || replaces.length > 0, replaces };
    },

    async create(inputs) {
      return { id: `${inputs.kind}/${inputs.enrollmentId}`, outs: await run(inputs, []) };
    },

    async read(id, props) {
      return { id, props };
    },

    async update(_id, olds, news) {
      const goesOn = olds.left > 0 && overlapOf(news) === olds.overlap;
      // Whoever registered since the roll began has heard of it, also when the entry was written again.
      return {
        outs: goesOn ? await run({ ...news, since: olds.since }, olds.told) : await run(news, []),
      };
    },

    async delete() {
      // What devices were told cannot be taken back, and does no harm.
    },
  };
}

export const deviceReprovisioning = deviceReprovisioningHandler(systemTiming);

const HOW = { directMethod: "a direct method", job: "a job of their hub" };

/** Two certificates at a time; in which slot each stands does not matter. */
function overlapOf({
  admits,
  open,
}: Pick<DeviceReprovisioningInputs, "admits" | "open">): string | undefined {
  if (open === false) {
    return undefined;
  }
  const different = [...new Set(admits)].sort();
  return different.length < 2 ? undefined : different.join(" and ");
}

function tell(
  inputs: DeviceReprovisioningInputs,
  overlap: string,
  targets: Target[],
  deadline: Deadline,
): Promise<{ told: Told[]; left: Target[] }> {
  const { connection, how, kind, enrollmentId } = inputs;
  const method: MethodCall = {
    methodName: inputs.methodName,
    payload: { reason: "roll", enrollment: { kind, id: enrollmentId } },
    responseTimeoutInSeconds: inputs.responseSeconds,
    connectTimeoutInSeconds: inputs.connectSeconds,
  };
  if (how === "directMethod") {
    return tellByMethod(connection, targets, method, deadline);
  }
  const identity = JSON.stringify([connection.serviceHostName, kind, enrollmentId, overlap]);
  const hash = createHash("sha256").update(identity).digest("hex").slice(0, 16);
  return tellByJob({ connection, method, deadline, prefix: `reprovision-${hash}-` }, targets);
}

function sameService(one: ReprovisioningScope, other: ReprovisioningScope): boolean {
  return one.connection.serviceHostName === other.connection.serviceHostName;
}

function nameOf({ kind, enrollmentId }: ReprovisioningScope): string {
  return kind === "group"
    ? `enrollment group "${enrollmentId}"`
    : `individual enrollment "${enrollmentId}"`;
}
