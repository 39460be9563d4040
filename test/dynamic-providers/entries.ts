/** Enrollments of either kind, as handlers and as people in the portal see them. */
import assert from "node:assert/strict";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import type { EnrollmentInputs, EnrollmentOutputs } from "../../dynamic-providers/enrollment/live";
import {
  identity,
  liveSlots,
  type Slot,
  type Slots,
} from "../../dynamic-providers/enrollment/slots";
import { enrollmentGroup } from "../../dynamic-providers/enrollment-group/provider";
import { individualEnrollment } from "../../dynamic-providers/individual-enrollment/provider";
import { TestCa } from "../support/test-ca";
import { reference, slot, type Stage } from "./stage";

/** An attestation as it is written by hand. */
export function attestation(slots: Slots<Slot>, kind: "individual" | "group"): object {
  const each = (make: (slot: Slot) => unknown): object => ({
    ...(slots.primary && { primary: make(slots.primary) }),
    ...(slots.secondary && { secondary: make(slots.secondary) }),
  });
  const isReference = (slots.primary ?? slots.secondary)?.ca !== undefined;
  const form = kind === "individual" ? "clientCertificates" : "signingCertificates";
  return {
    type: "x509",
    x509: isReference
      ? { caReferences: each(({ ca }) => ca) }
      : { [form]: each(({ pem }) => ({ certificate: pem })) },
  };
}

/** The same tests for each form of attestation; `fresh` answers a new entry for each test. */
export function forEachForm(
  prefix: string,
  stage: () => Stage,
  tests: (fresh: () => TestEntry) => void,
): void {
  let count = 0;
  for (const form of ["individual", "intermediates", "references"] as const) {
    describe(`of the form ${form}`, () => {
      let entry: TestEntry;
      beforeEach(async () => {
        count += 1;
        entry = await TestEntry[form](stage(), `${prefix}-${count}`);
      });
      tests(() => entry);
    });
  }
}

type Three = readonly [Slot, Slot, Slot];
const uploaded = new WeakMap<Stage, Promise<Three>>();

async function upload(stage: Stage): Promise<Three> {
  const named = async (name: string): Promise<Slot> => {
    const ca = await TestCa.root(`Root of ${name}`);
    await new CaCertificatesClient(stage.connection).upload(name, ca.pem, { selfAttested: true });
    return reference(name, ca);
  };
  return [await named("ca-a"), await named("ca-b"), await named("ca-c")];
}

/** One entry of a kind, its declaration and three things that its slots can hold. */
export class TestEntry {
  private constructor(
    private readonly stage: Stage,
    readonly kind: "individual" | "group",
    readonly id: string,
    readonly slots: Three,
  ) {}

  static async individual(stage: Stage, id: string): Promise<TestEntry> {
    const leaf = async (): Promise<Slot> => slot(await TestCa.selfSigned(id));
    return new TestEntry(stage, "individual", id, [await leaf(), await leaf(), await leaf()]);
  }

  static async intermediates(stage: Stage, id: string): Promise<TestEntry> {
    const root = await TestCa.root(`Root of ${id}`);
    const held = async (name: string): Promise<Slot> => slot(await root.intermediate(name));
    return new TestEntry(stage, "group", id, [await held("A"), await held("B"), await held("C")]);
  }

  /** An entry whose slots hold whatever a test has. */
  static of(stage: Stage, kind: TestEntry["kind"], id: string, slots: Three): TestEntry {
    return new TestEntry(stage, kind, id, slots);
  }

  /** The CA certificates are `ca-a`, `ca-b` and `ca-c`, the same for all of one stage. */
  static async references(stage: Stage, id: string): Promise<TestEntry> {
    const slots = uploaded.get(stage) ?? upload(stage);
    uploaded.set(stage, slots);
    return new TestEntry(stage, "group", id, await slots);
  }

  get handler(): typeof individualEnrollment {
    return this.kind === "individual" ? individualEnrollment : enrollmentGroup;
  }

  /** As `up` names it. */
  get title(): string {
    return `${this.kind === "individual" ? "individual enrollment" : "enrollment group"} "${this.id}"`;
  }

  /** As faults name it. */
  get path(): string {
    return `${this.kind === "individual" ? "individualEnrollments" : "enrollmentGroups"}.${this.id}`;
  }

  inputs(fields: Partial<EnrollmentInputs> = {}): EnrollmentInputs {
    return {
      connection: this.stage.connection,
      enrollmentId: this.id,
      provisioningStatus: "enabled",
      reprovisionPolicy: "migrate",
      compromised: [],
      ...fields,
    };
  }

  async create(fields: Partial<EnrollmentInputs>): Promise<EnrollmentOutputs> {
    return this.stage.listening(async () => {
      const { outs } = await this.handler.create(this.inputs(fields));
      return outs;
    });
  }

  /** Made by this stack; what was written and said for it is forgotten. */
  async created(fields: Partial<EnrollmentInputs>): Promise<EnrollmentOutputs> {
    const outs = await this.create(fields);
    this.stage.reset();
    return outs;
  }

  /** What the engine does at `pulumi up`: a diff, and where that says so an update. */
  async up(
    olds: EnrollmentOutputs,
    fields: Partial<EnrollmentInputs>,
  ): Promise<{ outs: EnrollmentOutputs; updated: boolean }> {
    return this.stage.listening(async () => {
      const news = (await this.handler.check(olds, this.inputs(fields))).inputs!;
      const { changes } = await this.handler.diff(this.id, olds, news);
      return changes === true
        ? { ...(await this.handler.update(this.id, olds, news)), updated: true }
        : { outs: olds, updated: false };
    });
  }

  update(olds: EnrollmentOutputs, fields: Partial<EnrollmentInputs>): Promise<EnrollmentOutputs> {
    return this.stage.listening(async () => {
      const news = (await this.handler.check(olds, this.inputs(fields))).inputs!;
      return (await this.handler.update(this.id, olds, news)).outs;
    });
  }

  /** What the engine does at `pulumi refresh`. */
  async refreshed(olds: EnrollmentOutputs): Promise<EnrollmentOutputs> {
    const { props } = await this.handler.read(this.id, olds);
    assert.ok(props !== undefined);
    return props;
  }

  /** Somebody writes fields of the entry by hand. */
  byHand(fields: Record<string, unknown>): Promise<void> {
    return this.stage.byHand(this.kind, this.id, fields);
  }

  /** Somebody writes both slots by hand. */
  slotsByHand(primary: Slot, secondary?: Slot): Promise<void> {
    const slots = { primary, ...(secondary && { secondary }) };
    return this.byHand({ attestation: attestation(slots, this.kind) });
  }

  /** Somebody makes the entry by hand. */
  async madeByHand(slots: Slots<Slot>, fields: object = {}): Promise<void> {
    const { enrollments } = this.stage;
    const record = { attestation: attestation(slots, this.kind), ...fields };
    await (this.kind === "individual"
      ? enrollments.putIndividual({ registrationId: this.id, ...record } as never)
      : enrollments.putGroup({ enrollmentGroupId: this.id, ...record } as never));
  }

  async deletedByHand(): Promise<void> {
    const { enrollments } = this.stage;
    const { etag } = (await this.record())!;
    await (this.kind === "individual"
      ? enrollments.deleteIndividual(this.id, etag)
      : enrollments.deleteGroup(this.id, etag));
  }

  record() {
    const { enrollments } = this.stage;
    return this.kind === "individual"
      ? enrollments.getIndividual(this.id)
      : enrollments.getGroup(this.id);
  }

  /** `enabled` or `disabled` and what the slots hold, as A, B, C; `gone` when there is no entry. */
  async live(): Promise<string> {
    const record = await this.record();
    if (record === undefined) return "gone";
    const { primary, secondary } = liveSlots(record.attestation);
    const letters = [primary, secondary].flatMap((held) => {
      if (held === undefined) return [];
      const index = this.slots.findIndex((each) => identity(each) === identity(held));
      return ["?ABC"[index + 1]];
    });
    return `${record.provisioningStatus ?? "enabled"} ${letters.join("")}`;
  }
}
