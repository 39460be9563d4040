/** What all procedures have in common: a beginning, an end, and the devices in between. */
import { isDeepStrictEqual } from "node:util";
import type { Identity } from "../factory";
import type { FleetDevice, Mark } from "../fleet";
import type { Window } from "../moments";
import { deletedCas, type Holding, judgeExpiration } from "../order-rules";
import type { Rehearsal } from "../rehearsal";
import type { Twin } from "../wire";

export interface Procedure {
  /** P4, P5, ... of the design. */
  name: string;
  title: string;
  carryOut(rehearsal: Rehearsal): Promise<void>;
}

/** A procedure that has begun. */
export class Course {
  private readonly began: ReturnType<Rehearsal["observer"]["mark"]>;
  private readonly marks: Map<FleetDevice, Mark>;
  private readonly others: FleetDevice[];
  private readonly twins = new Map<FleetDevice, Twin>();

  /** @param concerned devices that get a new certificate */
  constructor(
    private readonly rehearsal: Rehearsal,
    private readonly procedure: string,
    private readonly concerned: FleetDevice[],
  ) {
    this.began = rehearsal.observer.mark();
    this.others = [...rehearsal.devices.values()].filter((one) => !concerned.includes(one));
    this.marks = new Map([...rehearsal.devices.values()].map((device) => [device, device.mark()]));
  }

  get window(): Window {
    return this.rehearsal.observer.since(this.began);
  }

  /** What a concerned device had when the procedure began. */
  before(device: FleetDevice): Identity {
    return this.marks.get(device)!.identity;
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
    const disturbed = this.others.filter((device) =>
      device
        .since(this.marks.get(device)!)
        .some(({ event }) => event === "disconnected" || event === "refused"),
    );
    if (this.others.length > 0) {
      this.hold(
        "devices that are not concerned keep their connection",
        disturbed.length === 0,
        disturbed.map(({ id }) => id).join(", ") || `${this.others.length} devices`,
      );
    }
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

  /** Refused attempts of a roll in which the old certificate stays accepted until the end. */
  judgeRefusals(): void {
    for (const device of this.concerned) {
      const mark = this.marks.get(device)!;
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
    for (const device of this.concerned) {
      const what = role ?? `${device.spec.rollFirst}s first`;
      this.rehearsal.findings.addDevice(this.procedure, device, what, this.marks.get(device)!);
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
