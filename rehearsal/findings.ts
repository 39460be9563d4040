/** What a rehearsal found out: each rule that was looked at, and each device before and after. */
import type { FleetDevice, Mark } from "./fleet";
import type { Ruling } from "./order-rules";

export interface Finding extends Ruling {
  /** P4, P5, ..., or "always". */
  procedure: string;
}

export interface DeviceRow {
  procedure: string;
  device: string;
  /** What became of it, in words: `registers first`, `removed and back`, `not concerned`. */
  role: string;
  before: { thumbprint: string; expires: string };
  after: { thumbprint: string; expires: string };
  /** Host name. */
  hub: string;
  refused: { hub: number; dps: number };
  secondsWithoutConnection: number;
}

export class Findings {
  readonly rules: Finding[] = [];
  readonly devices: DeviceRow[] = [];
  /** Folders of rehearsals in which a rule did not hold. */
  readonly kept: string[] = [];

  constructor(private readonly say: (text: string, held: boolean) => void) {}

  /** Of several sandboxes: procedures in this order, and at the end what holds for all of them. */
  static merged(all: Findings[], order: string[]): Findings {
    const merged = new Findings(() => undefined);
    const place = ({ procedure }: { procedure: string }): number =>
      order.includes(procedure) ? order.indexOf(procedure) : order.length;
    const inOrder = <T extends { procedure: string }>(rows: T[]): T[] =>
      rows.sort((one, other) => place(one) - place(other));
    merged.rules.push(...inOrder(all.flatMap(({ rules }) => rules)));
    merged.devices.push(...inOrder(all.flatMap(({ devices }) => devices)));
    merged.kept.push(...all.flatMap(({ kept }) => kept));
    return merged;
  }

  /** Judges one thing. `evidence` says what was seen, whether or not it held. */
  add(procedure: string, rule: string, held: boolean, evidence: string): void {
    this.rules.push({ procedure, rule, held, evidence });
    this.say(`${held ? "held:" : "DID NOT HOLD:"} ${rule} (${evidence})`, held);
  }

  /** A procedure that could not be carried out to its end. */
  addEnd(procedure: string, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.add(procedure, "it is carried out to its end", false, why);
  }

  /** Whether a preview has seen nothing to change. */
  addSettled(after: string, settled: boolean): void {
    const rule = `pulumi preview --expect-no-changes succeeds after ${after}`;
    this.add("always", rule, settled, settled ? "no changes" : "changes");
  }

  addAll(procedure: string, rulings: Ruling[]): void {
    for (const { rule, held, evidence } of rulings) {
      this.add(procedure, rule, held, evidence);
    }
  }

  /** What a device was before, and is now. */
  addDevice(procedure: string, device: FleetDevice, role: string, since: Mark): void {
    this.devices.push({
      procedure,
      device: device.id,
      role,
      before: since.identity,
      after: device.identity ?? since.identity,
      hub: device.hub ?? "",
      refused: { hub: device.refused("hub", since), dps: device.refused("dps", since) },
      secondsWithoutConnection: device.secondsWithoutConnection(since),
    });
  }

  /** Devices that no procedure was about. */
  addBystanders(devices: Map<FleetDevice, Mark>): void {
    for (const [device, mark] of devices) {
      if (!this.devices.some(({ device: id }) => id === device.id)) {
        this.addDevice("", device, "not concerned", mark);
      }
    }
  }

  get failures(): Finding[] {
    return this.rules.filter(({ held }) => !held);
  }
}
