/**
 * Individual enrollments and enrollment groups differ in their names and in where a certificate
 * stands; everything else (etags, what may be overwritten, what is a breach) is here, once.
 */
import type { Attestation } from "../../clients/enrollments";
import type { Connection } from "../../clients/target";
import { ServiceError } from "../../clients/service-error";
import { reachedKeys, reachedThumbprints } from "../../certificates/compromised-keys";
import { foldCase } from "../../certificates/text";
import { fault, type Fault, formatFault } from "../../certificates/faults";
import { entryPath } from "../../certificates/slots";
import {
  type EntryRoll,
  entryWords,
  inferRoll,
  type RollSide,
  type RollSlot,
} from "../../certificates/entry-roll";
import { type Handler, hasUnknown, say } from "../handler";
import { sayFound } from "../warning";
import { joiningFault } from "./adoption";
import { admitsLess, findingsOf, mayGoOn, takesCompromisedOut, wanted } from "./drift";
import {
  deniesWhole,
  describe,
  type EnrollmentInputs,
  type EnrollmentOutputs,
  type EntryWrites,
  type LiveEnrollment,
  liveEnrollment,
  policies,
  same,
  type WireEnrollment,
} from "./live";
import { identity, normalised, reachesSlots, type Slot, type Slots } from "./slots";

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

  /**
   * Writes what `decide` answers for the live entry, which may be deleted; it throws when the entry must
   * be left as it is. Undefined: nothing is written.
   */
  async function write(
    inputs: EnrollmentInputs,
    decide: (live: LiveEnrollment) => EnrollmentInputs | undefined,
    before: EntryWrites = {},
  ): Promise<EnrollmentOutputs> {
    for (let attempt = 1; ; attempt += 1) {
      const record = await kind.get(inputs.connection, inputs.enrollmentId);
      const live = liveEnrollment(record);
      const target = decide(live);
      const isOthers = record !== undefined && live.lastUpdated !== before.own;
      const writes = { ...before, ...(isOthers && { others: live.lastUpdated }) };
      if (target === undefined) {
        return { ...inputs, live, writes };
      }
      if (same(live, target)) {
        if (same(live, inputs)) {
          say(`${name(inputs.enrollmentId)} is already as declared; nothing was written.`);
        }
        return { ...inputs, live, writes };
      }
      try {
        const body = wireRecord(record, target);
        const etag = record === undefined ? undefined : live.etag;
        const written = await kind.put(inputs.connection, inputs.enrollmentId, body, etag);
        const after = liveEnrollment(written);
        return { ...inputs, live: after, writes: { ...writes, own: after.lastUpdated } };
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
  function wireRecord(live: WireEnrollment | undefined, target: EnrollmentInputs): WireEnrollment {
    // A denial without a certificate needs no other attestation than the one that is there.
    const kept = deniesWhole(target) ? live?.attestation : undefined;
    return {
      ...live,
      attestation: kept ?? (kind.attestation(normalised(target)) as Attestation),
      provisioningStatus: target.provisioningStatus,
      reprovisionPolicy: policies[target.reprovisionPolicy],
      ...(target.deviceId !== undefined && { deviceId: target.deviceId }),
    };
  }

  function changedByOthers(id: string, live: LiveEnrollment, expected: string, fix: string): Error {
    return refusal(
      fault(
        "DPS-CERT-128",
        entryPath(kind.kind, id),
        `an entry that somebody else changed: in DPS ${describe(live)}, last changed ${live.lastUpdated}; expected ${expected}`,
        fix,
      ),
    );
  }

  /** What stands against taking the entry over, read before anything is written. */
  async function adoptionFailures(
    news: EnrollmentInputs,
  ): Promise<{ property: string; reason: string }[]> {
    const { adopt, connection, enrollmentId } = news;
    if (adopt !== true || hasUnknown([connection, news.primary, news.secondary])) {
      return [];
    }
    const live = liveEnrollment(await kind.get(connection, enrollmentId));
    const found = joiningFault(kind.kind, live, news);
    return found === undefined ? [] : [{ property: "", reason: formatFault(found) }];
  }

  return {
    async check(olds, news) {
      const before = olds.enrollmentId === undefined ? undefined : (olds as EnrollmentInputs);
      if (hasUnknown(news.compromised)) {
        return { inputs: { ...news, roll: "known when the update runs" } };
      }
      if (before === undefined && news.adopt === true) {
        const roll = `adoption of ${entryWords({ kind: kind.kind, id: news.enrollmentId })}`;
        return { inputs: { ...news, roll }, failures: await adoptionFailures(news) };
      }
      const compromised = news.compromised.filter(
        (one) =>
          reachesSlots(one, before ?? {}) ||
          reachesSlots(one, news) ||
          one.registrationIds.some((id) => foldCase(id) === foldCase(news.enrollmentId)),
      );
      const roll = rollOf(kind, before, { ...news, compromised });
      return { inputs: { ...news, compromised, roll: roll?.words ?? before?.roll ?? "none" } };
    },

    async diff(_id, olds, news) {
      const replaces = [
        ...(foldCase(olds.enrollmentId) === foldCase(news.enrollmentId) ? [] : ["enrollmentId"]),
        ...(olds.connection.serviceHostName === news.connection.serviceHostName ||
        hasUnknown(news.connection)
          ? []
          : ["connection"]),
      ];
      if (hasUnknown(news) || replaces.length > 0) {
        return { changes: true, replaces };
      }
      findingsOf(kind.kind, olds, olds.live, news).forEach(sayFound);
      const target = wanted(kind.kind, olds, olds.live, news);
      const changes =
        (target !== undefined && !same(olds.live, target)) ||
        // The name of a CA that was given to another one: containment has disabled the group.
        takesCompromisedOut(olds, news) ||
        // What was brought about is kept in the state, also when nothing has to be written for it.
        !same(olds, news) ||
        olds.denied !== news.denied ||
        olds.reenable !== news.reenable;
      return { changes, replaces };
    },

    async create(inputs) {
      const outs = await write(inputs, (live) => {
        const found = joiningFault(kind.kind, live, inputs);
        if (found !== undefined) throw refusal(found);
        return inputs;
      });
      return { id: inputs.enrollmentId, outs };
    },

    async read(id, props) {
      const record = await kind.get(props.connection, id);
      return { id, props: { ...props, live: liveEnrollment(record) } };
    },

    async update(id, olds, news) {
      // The spelling with which it was made: DPS compares IDs without case.
      const outs = await write(
        { ...news, enrollmentId: id },
        (live) => {
          if (!same(live, news) && !mayGoOn(olds, live)) {
            throw changedByOthers(
              id,
              live,
              describe(olds.live),
              "run `pulumi refresh` to see the difference, then `pulumi up` again",
            );
          }
          if (!same(live, olds.live)) {
            findingsOf(kind.kind, olds, live, news).forEach(sayFound);
          }
          return wanted(kind.kind, olds, live, news);
        },
        olds.writes,
      );
      return { outs };
    },

    async delete(id, props) {
      const record = await kind.get(props.connection, id);
      if (record === undefined) {
        return;
      }
      const live = liveEnrollment(record);
      if (
        !same(live, props.live) &&
        !admitsLess(live, { ...props.live, provisioningStatus: "enabled" })
      ) {
        throw changedByOthers(
          id,
          live,
          describe(props.live),
          "run `pulumi refresh` to see the difference, then `pulumi up` again; " +
            "only what carries what this stack last wrote or saw is deleted",
        );
      }
      await kind.delete(props.connection, id, live.etag);
    },
  };
}

function refusal(found: Fault): Error {
  return new Error(formatFault(found));
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
    compromised: after.compromised.flatMap((key) => [
      ...reachedKeys(key),
      ...reachedThumbprints(key),
    ]),
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
