/**
 * Individual enrollments and enrollment groups differ in their names and in where a certificate
 * stands; everything else (etags, what may be overwritten, what is a breach) is here, once.
 */
import type { Attestation } from "../../clients/enrollments";
import type { Connection } from "../../clients/target";
import { ServiceError } from "../../clients/service-error";
import {
  type EntryRoll,
  inferRoll,
  type RollSide,
  type RollSlot,
} from "../../certificates/entry-roll";
import { reachedKeys } from "../../certificates/compromised-keys";
import { type Handler, hasUnknown, say } from "../handler";
import {
  describe,
  disabledByContainment,
  type EnrollmentInputs,
  type EnrollmentOutputs,
  lessTrust,
  type LiveEnrollment,
  liveEnrollment,
  managed,
  onlyLessTrust,
  policies,
  sameAsDeclared,
  type WireEnrollment,
} from "./live";
import { identity, normalised, type Slot, slotKeys, type Slots } from "./slots";

/** What differs between the two kinds of enrollment. */
export interface EnrollmentKind {
  /** "individual enrollment" or "enrollment group". */
  noun: string;
  kind: "individual" | "group";
  get(connection: Connection, id: string): Promise<WireEnrollment | undefined>;
  /** Creates without an etag, else updates exactly the version with that etag. */
  put(
    connection: Connection,
    id: string,
    record: WireEnrollment,
    etag?: string,
  ): Promise<WireEnrollment>;
  delete(connection: Connection, id: string, etag: string): Promise<void>;
  attestation(slots: Slots<Slot>): unknown;
}

/** How often a write that met a newer etag is tried again before it gives up. */
const ATTEMPTS = 5;

export function enrollmentHandler(
  kind: EnrollmentKind,
): Handler<EnrollmentInputs, EnrollmentOutputs> {
  const name = (id: string): string => `${kind.noun} "${id}"`;

  /** Writes what is declared over a live entry that `mayReplace` has accepted. */
  async function write(
    inputs: EnrollmentInputs,
    mayReplace: (live: LiveEnrollment) => void,
  ): Promise<EnrollmentOutputs> {
    for (let attempt = 1; ; attempt += 1) {
      const record = await kind.get(inputs.connection, inputs.enrollmentId);
      const live = record && liveEnrollment(record);
      if (live !== undefined) {
        if (sameAsDeclared(live, inputs)) {
          say(`${name(inputs.enrollmentId)} is already as declared; nothing was written.`);
          return { ...inputs, live };
        }
        mayReplace(live);
      }
      try {
        const written = await kind.put(
          inputs.connection,
          inputs.enrollmentId,
          wireRecord(record, inputs),
          live?.etag,
        );
        return { ...inputs, live: liveEnrollment(written) };
      } catch (error) {
        const overtaken =
          error instanceof ServiceError &&
          (error.code === "PreconditionFailed" || error.code === "Conflict");
        if (!overtaken || attempt === ATTEMPTS) {
          throw error;
        }
      }
    }
  }

  /** The whole record to send: what this stack does not manage stays as it is. */
  function wireRecord(live: WireEnrollment | undefined, inputs: EnrollmentInputs): WireEnrollment {
    return {
      ...live,
      attestation: kind.attestation(normalised(inputs)) as Attestation,
      provisioningStatus: inputs.provisioningStatus,
      reprovisionPolicy: policies[inputs.reprovisionPolicy],
      ...(inputs.deviceId !== undefined && { deviceId: inputs.deviceId }),
    };
  }

  function refuse(id: string, live: LiveEnrollment, expected: string, advice: string): never {
    throw new Error(
      `${name(id)} was changed by somebody else and is left as it is. ` +
        `Found: ${describe(live)} (last changed ${live.lastUpdated}). Expected: ${expected}. ${advice}`,
    );
  }

  return {
    async check(olds, news) {
      const before = olds.enrollmentId === undefined ? undefined : (olds as EnrollmentInputs);
      if (hasUnknown(news.compromised)) {
        return { inputs: { ...news, roll: "known when the update runs" } };
      }
      const own = new Set([...slotKeys(before ?? {}), ...slotKeys(news)]);
      const compromised = news.compromised.filter((one) =>
        reachedKeys(one).some((key) => own.has(key)),
      );
      const roll = rollOf(kind, before, { ...news, compromised });
      return { inputs: { ...news, compromised, roll: roll?.words ?? before?.roll ?? "none" } };
    },

    async diff(_id, olds, news) {
      const replaces = [
        ...(olds.enrollmentId === news.enrollmentId ? [] : ["enrollmentId"]),
        ...(olds.connection.serviceHostName === news.connection.serviceHostName ||
        hasUnknown(news.connection)
          ? []
          : ["connection"]),
      ];
      if (hasUnknown(news)) {
        return { changes: true, replaces };
      }
      const contained = disabledByContainment(olds.live, news);
      const changed = !sameAsDeclared(olds.live, news) && !onlyLessTrust(olds.live, news);
      if (onlyLessTrust(olds.live, news) && !contained) {
        say(lessTrust(name(news.enrollmentId), olds.live));
      }
      return { changes: changed || replaces.length > 0 || olds.denied !== news.denied, replaces };
    },

    async create(inputs) {
      const outs = await write(inputs, (live) => {
        throw new Error(
          `${name(inputs.enrollmentId)} is in DPS already, not made by this stack, and is left as it is. ` +
            `Found: ${describe(live)} (last changed ${live.lastUpdated}). Declared: ${describe(inputs)}. ` +
            "Delete it in DPS, or declare exactly what is there.",
        );
      });
      return { id: inputs.enrollmentId, outs };
    },

    async read(id, props) {
      const record = await kind.get(props.connection, id);
      return record === undefined ? {} : { id, props: { ...props, live: liveEnrollment(record) } };
    },

    async update(id, olds, news) {
      const breach = slotKeys(olds).some((key) =>
        olds.compromised.concat(news.compromised).some((one) => reachedKeys(one).includes(key)),
      );
      const outs = await write(news, (live) => {
        const untouched = managed(live) === managed(olds.live);
        const contained =
          managed({ ...live, provisioningStatus: "enabled" }) ===
          managed({ ...olds.live, provisioningStatus: "enabled" });
        if (!untouched && !(breach && contained)) {
          refuse(
            id,
            live,
            describe(olds.live),
            "Run `pulumi refresh` to see the difference, then `pulumi up` again.",
          );
        }
        const declaredOff = olds.provisioningStatus === "disabled";
        if (
          live.provisioningStatus === "disabled" &&
          news.provisioningStatus === "enabled" &&
          !breach &&
          !declaredOff
        ) {
          refuse(
            id,
            live,
            describe(olds.live),
            "An entry that somebody disabled is not enabled by the way: enable it in DPS, or declare `status: disabled`.",
          );
        }
      });
      return { outs };
    },

    async delete(id, props) {
      const record = await kind.get(props.connection, id);
      if (record === undefined) {
        return;
      }
      const live = liveEnrollment(record);
      if (
        managed({ ...live, provisioningStatus: "enabled" }) !==
        managed({ ...props.live, provisioningStatus: "enabled" })
      ) {
        refuse(
          id,
          live,
          describe(props.live),
          "Only what still carries what this stack last wrote is deleted.",
        );
      }
      await kind.delete(props.connection, id, live.etag);
    },
  };
}

/** The roll between two declarations; undefined when nothing about certificates or trust changes. */
function rollOf(
  { kind }: EnrollmentKind,
  before: EnrollmentInputs | undefined,
  after: EnrollmentInputs,
): EntryRoll | undefined {
  const side = ({
    primary,
    secondary,
    provisioningStatus,
    denied,
  }: EnrollmentInputs): RollSide => ({
    ...(primary && { primary: rollSlot(primary) }),
    ...(secondary && { secondary: rollSlot(secondary) }),
    enabled: provisioningStatus === "enabled",
    ...(denied !== undefined && { denied }),
  });
  return inferRoll({
    kind,
    id: after.enrollmentId,
    ...(before && { before: side(before) }),
    after: side(after),
    compromisedKeys: after.compromised.flatMap(reachedKeys),
  });
}

/** A certificate that the stack is about to make is not known yet; the CA's name is. */
function rollSlot(slot: Slot): RollSlot {
  const { ca, certificate } = slot;
  const unknown = hasUnknown(certificate);
  return {
    identity: unknown && ca === undefined ? "not known yet" : identity(slot),
    ...(ca !== undefined && { ca }),
    ...(!unknown && { certificate }),
  };
}
