/** What all procedures have in common: a beginning, an end, and the devices in between. */
import { isDeepStrictEqual } from "node:util";
import type { Canary } from "../canaries";
import type { Identity } from "../factory";
import type { FleetDevice, Mark } from "../fleet";
import type { Window } from "../moments";
import {
  type BreachView,
  cutOffOf,
  deletedCas,
  type Holding,
  judgeBreach,
  judgeExpiration,
} from "../order-rules";
import type { Rehearsal } from "../rehearsal";
import { judgeClosedTried, judgeNoGap, judgeOneWay, judgeTruth, type Trial } from "../trials";
import type { Twin } from "../wire";

/** A procedure that has begun. */
export class Course {
  private readonly began: ReturnType<Rehearsal["observer"]["mark"]>;
  private readonly marks: Map<FleetDevice, Mark>;
  private readonly others: FleetDevice[];
  private readonly twins = new Map<FleetDevice, Twin>();
  private readonly firstTrial: number;
  private stopWatching = (): void => undefined;

  private constructor(
    private readonly rehearsal: Rehearsal,
    private readonly procedure: string,
    private readonly concerned: FleetDevice[],
  ) {
    this.began = rehearsal.observer.mark();
    this.others = [...rehearsal.devices.values()].filter((one) => !concerned.includes(one));
    this.marks = new Map([...rehearsal.devices.values()].map((device) => [device, device.mark()]));
    this.firstTrial = rehearsal.aviary.trials.length;
  }

  /**
   * @param concerned devices that get a new certificate, or lose theirs
   * @param canaries tried now, and after each write until `close`
   */
  static async begin(
    rehearsal: Rehearsal,
    procedure: string,
    concerned: FleetDevice[],
    canaries: Canary[] = [],
  ): Promise<Course> {
    const course = new Course(rehearsal, procedure, concerned);
    if (canaries.length > 0) {
      course.stopWatching = await rehearsal.aviary.watch(canaries);
    }
    return course;
  }

  get window(): Window {
    return this.rehearsal.observer.since(this.began);
  }

  /** What a device had when the procedure began. */
  before(device: FleetDevice): Identity {
    return this.mark(device).identity;
  }

  /** Where a device was when the procedure began. */
  mark(device: FleetDevice): Mark {
    return this.marks.get(device)!;
  }

  hold(rule: string, held: boolean, evidence: string): void {
    this.rehearsal.findings.add(this.procedure, rule, held, evidence);
  }

  /** The old CA is not left behind: nothing may be issued under it any more. */
  judgeCaGone(name: string): void {
    const deleted = deletedCas(this.window);
    this.hold(
      `CA certificate ${name} is gone from DPS`,
      deleted.includes(name),
      `deleted: ${deleted.join(", ") || "none"}`,
    );
  }

  /** Devices that are not concerned work on. */
  judgeOthers(): void {
    if (this.others.length > 0) {
      this.judgeUndisturbed(this.others, "devices that are not concerned keep their connection");
    }
  }

  /** Nothing that happened since the beginning has reached these devices. */
  judgeUndisturbed(devices: FleetDevice[], rule: string): void {
    const disturbed = devices.filter((device) => isDisturbed(device, this.mark(device)));
    this.hold(
      rule,
      devices.length > 0 && disturbed.length === 0,
      disturbed.map(({ id }) => id).join(", ") || `${devices.length} devices`,
    );
  }

  /** Concerned devices went from one certificate to another, and DPS took each. */
  judgeNeverRefusedByDps(rule: string): void {
    const counts = this.concerned.map((device) => {
      const mark = this.mark(device);
      const registered = device.since(mark).filter(({ event }) => event === "registered").length;
      return { device, registered, refused: device.refused("dps", mark) };
    });
    this.hold(
      rule,
      counts.length > 0 &&
        counts.every(({ registered, refused }) => registered > 0 && refused === 0),
      counts
        .map(
          ({ device, registered, refused }) =>
            `${device.id}: ${registered} × registered, ${refused} × refused by DPS`,
        )
        .join("; "),
    );
  }

  /** DPS goes on accepting those who are not concerned. */
  judgeAcceptanceOfOthers(): void {
    if (this.others.length > 0) {
      const [acceptance] = judgeExpiration(this.window, this.others.map(holding));
      this.rehearsal.findings.addAll(this.procedure, [acceptance!]);
    }
  }

  /** At an expiration nobody may ever be shut out. */
  judgeOverlap(): void {
    const all = [...this.marks.keys()].map(holding);
    this.rehearsal.findings.addAll(this.procedure, judgeExpiration(this.window, all));
  }

  /** What canaries lived through in a change that shuts nobody out; a roll also has a direction. */
  judgeCanariesOverlap({ oneWay }: { oneWay: boolean }): void {
    const { trials } = this;
    if (trials.length > 0) {
      this.rehearsal.findings.addAll(this.procedure, [
        judgeTruth(trials, this.rehearsal.observer.moments),
        judgeNoGap(trials),
        ...(oneWay ? [judgeOneWay(trials)] : []),
      ]);
    }
  }

  /** Contain, replace, remove: by the records after each write, and by what canaries were answered. */
  judgeBreach(breach: BreachView): void {
    const { window, trials } = this;
    const { moments } = this.rehearsal.observer;
    this.rehearsal.findings.addAll(this.procedure, judgeBreach(window, breach));
    if (trials.length > 0) {
      const within = cutOffOf(window, breach);
      const cutOff = within === -1 ? -1 : moments.length - window.moments.length + within;
      this.rehearsal.findings.addAll(this.procedure, [
        judgeTruth(trials, moments),
        judgeClosedTried(trials, cutOff),
      ]);
    }
  }

  /** Refused attempts of a roll in which the old certificate stays accepted until the end. */
  judgeRefusals(): void {
    for (const device of this.concerned) {
      const mark = this.mark(device);
      const expected = device.spec.rollFirst === "connect" ? 1 : 0;
      const hub = device.refused("hub", mark);
      const dps = device.refused("dps", mark);
      this.hold(
        expected === 0
          ? `${device.id} registers first: it is never refused`
          : `${device.id} goes to its hub first: it is refused there once, and recovers`,
        hub === expected && dps === 0,
        `refused ${hub} times by hubs, ${dps} times by DPS`,
      );
    }
  }

  /** The old certificates are tried at DPS and at every hub: all must refuse. */
  async tryOld(where: "DPS" | "DPS and every hub"): Promise<void> {
    const { wire } = this.rehearsal;
    const hubs = where === "DPS" ? [] : wire.hubs();
    const accepted: string[] = [];
    const answers = new Map<string, number>();
    for (const device of this.concerned) {
      const old = this.before(device);
      const tries = [
        { place: "DPS", attempt: await wire.tryDps(device.id, old) },
        ...(await Promise.all(
          hubs.map(async (hub) => ({
            place: hub.name,
            attempt: await wire.tryHub(hub, device.id, old),
          })),
        )),
      ];
      for (const { place, attempt } of tries) {
        const answer = `${place}: ${attempt.answer}`;
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
        if (attempt.accepted) accepted.push(`${device.id} at ${place}`);
      }
    }
    this.hold(
      `the old certificate is refused by ${where} (tried)`,
      this.concerned.length > 0 && accepted.length === 0,
      accepted.length > 0
        ? `accepted: ${accepted.join(", ")}`
        : [...answers].map(([answer, count]) => `${count} × ${answer}`).join("; "),
    );
  }

  /** @param role of the concerned devices in the table at the end; default: what they do first */
  close(role?: string): void {
    this.stopWatching();
    for (const device of this.concerned) {
      const what = role ?? `${device.spec.rollFirst}s first`;
      this.rehearsal.findings.addDevice(this.procedure, device, what, this.mark(device));
    }
  }

  /** Gives each concerned device tags and desired properties, and remembers its twin. */
  async labelTwins(): Promise<void> {
    for (const device of this.concerned) {
      const { wire } = this.rehearsal;
      await wire.patchTwin(device.hub!, device.id, label(device, this.procedure));
      this.twins.set(device, await wire.twin(device.hub!, device.id));
    }
  }

  async judgeTwins(): Promise<void> {
    const lost: string[] = [];
    for (const [device, before] of this.twins) {
      const after = await this.rehearsal.wire.twin(device.hub!, device.id);
      if (!isDeepStrictEqual(after, before)) lost.push(device.id);
    }
    this.hold(
      "the device comes back with its tags and desired properties as before",
      this.twins.size > 0 && lost.length === 0,
      lost.length === 0 ? `${this.twins.size} twins` : `others: ${lost.join(", ")}`,
    );
  }

  private get trials(): Trial[] {
    return this.rehearsal.aviary.trials.slice(this.firstTrial);
  }
}

function isDisturbed(device: FleetDevice, mark: Mark): boolean {
  return device.since(mark).some(({ event }) => event === "disconnected" || event === "refused");
}

function label(device: FleetDevice, procedure: string): Twin {
  return {
    tags: { label: { device: device.id, floor: 7 } },
    desired: { label: { procedure, everySeconds: 30 } },
  };
}

function holding(device: FleetDevice): Holding {
  return {
    device: device.id,
    has: (time) =>
      device.given
        .filter((one) => one.time <= time)
        .slice(-1)
        .map(({ identity: { chain } }) => ({ registrationId: device.id, chain })),
  };
}
