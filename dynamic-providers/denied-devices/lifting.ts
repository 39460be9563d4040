/** Gives devices back what their denial has closed, unless something else speaks against it. */
import { EnrollmentsClient } from "../../clients/enrollments";
import {
  type HubIdentity,
  HubRegistry,
  isClosedByUs,
  nobodysThumbprint,
} from "../../clients/hub-registry";
import { faultError } from "../../certificates/faults";
import { displayName, listed } from "../../certificates/text";
import { reachedThumbprints } from "../../certificates/compromised-keys";
import { type Candidate, candidatesOf, reachesOf } from "../device-registration-removal/candidates";
import { Evidence, type Found, judge } from "../device-registration-removal/judging";
import type { RemovalScope } from "../device-registration-removal/scope";
import { say } from "../handler";
import { deniersOf, denialReason } from "./marks";
import { isSameId } from "./devices";

/** A hub identity that a denial has closed. */
export interface ClosedIdentity {
  registrationId: string;
  deviceId: string;
  hub: string;
  /** Another one later says that the identity was deleted and made anew. */
  generationId: string;
  /** This stack, in the reason of the identity. */
  mark: string;
}

/**
 * What has to become of an identity whose denial is lifted. `nothing`: it is not there, it is enabled, or a
 * breach has closed it. `other`: another stack denies it as well. `removal`: a breach reaches it, so it stays
 * closed and the removal ends it. `not known`: a breach may reach it, and nothing proves that it does.
 */
export type Lifting =
  | { what: "nothing" | "somebody" | "open" | "not known" }
  | { what: "removal"; why: string }
  | { what: "other"; others: string[] };

export type BreachScope = Pick<
  RemovalScope,
  "connection" | "compromised" | "contained" | "remove" | "goodIssuers"
>;

/** Judges by the breaches that are declared now; what they reach is read once, when it is needed. */
export class Liftings {
  private candidates: Promise<Candidate[]> | undefined;
  private evidence: Evidence | undefined;

  /** @param hubs that are linked */
  constructor(
    private readonly scope: BreachScope,
    private readonly hubs: string[],
  ) {}

  async of(closed: ClosedIdentity): Promise<{ lifting: Lifting; identity?: HubIdentity }> {
    const { deviceId, hub, generationId, mark } = closed;
    const identity = await new HubRegistry(this.scope.connection, hub).getIdentity(deviceId);
    if (identity === undefined || identity.status === "enabled" || isClosedByUs(identity)) {
      return { lifting: { what: "nothing" } };
    }
    const deniers = deniersOf(identity);
    if (identity.generationId !== generationId || !deniers.includes(mark)) {
      return { lifting: { what: "somebody" } };
    }
    const others = deniers.filter((one) => one !== mark);
    const lifting: Lifting =
      others.length > 0 ? { what: "other", others } : await this.breach(closed, identity);
    return { lifting, identity };
  }

  private async breach(
    { registrationId, deviceId, hub }: ClosedIdentity,
    identity: HubIdentity,
  ): Promise<Lifting> {
    const { compromised, connection, remove } = this.scope;
    const { thumbprints } = identity;
    // An earlier removal has rekeyed it: nobody has that key.
    const isRekeyed =
      thumbprints.length > 0 && thumbprints.every((one) => one === nobodysThumbprint(deviceId));
    if (compromised.length === 0 || isRekeyed) return { what: "open" };
    const reached = compromised.flatMap(reachedThumbprints);
    if (thumbprints.some((one) => reached.includes(one))) {
      return { what: "removal", why: "its leaf is compromised" };
    }
    this.candidates ??= candidatesOf({ connection }, reachesOf(this.scope));
    const candidate = (await this.candidates).find((one) =>
      isSameId(one.registrationId, registrationId),
    );
    if (candidate === undefined) return { what: "open" };
    this.evidence ??= new Evidence(this.scope);
    const registration = await new EnrollmentsClient(connection).getRegistration(registrationId);
    const found = await this.identitiesOf(deviceId, { hub, identity });
    const verdict = judge(
      candidate,
      registration,
      { hub, identity },
      found,
      this.evidence,
      remove.how,
    );
    return verdict === "goes"
      ? { what: "removal", why: "it came in through what admitted a compromised CA" }
      : { what: verdict === "spared" ? "open" : "not known" };
  }

  private async identitiesOf(deviceId: string, own: Found): Promise<Found[]> {
    const found = [own];
    for (const hub of this.hubs.filter((one) => one !== own.hub)) {
      const identity = await new HubRegistry(this.scope.connection, hub).getIdentity(deviceId);
      if (identity !== undefined) found.push({ hub, identity });
    }
    return found;
  }
}

export function notWritten(hub: string, deviceId: string, is: string): Error {
  return faultError(
    "DPS-CERT-173",
    `device ${displayName(deviceId)} in ${hub}`,
    `an identity that somebody else writes all the time; the device is ${is}`,
    "find out who it is, and run `pulumi up` again",
  );
}

/** True: nothing is owed to it any more. Says what it does. */
export async function lift(
  { connection }: BreachScope,
  { deviceId, hub }: ClosedIdentity,
  { lifting, identity }: Awaited<ReturnType<Liftings["of"]>>,
): Promise<boolean> {
  const words = `Device ${displayName(deviceId)} is not denied any more`;
  const stays = `${words}, and stays disabled in ${hub}`;
  if (lifting.what === "somebody") {
    say(`${stays}: somebody else disabled it.`);
  }
  if (lifting.what === "not known") {
    say(
      `${stays}: it came in through what admitted a compromised CA, and nothing proves who issued its leaf. A manifest of issued leaves (remove.issuedLeaves) decides; or enable it in the hub.`,
    );
    return false;
  }
  if (identity === undefined || lifting.what === "nothing" || lifting.what === "somebody") {
    return true;
  }
  const registry = new HubRegistry(connection, hub);
  const others = lifting.what === "other" ? lifting.others : [];
  const outcomes = await (lifting.what === "open"
    ? registry.enableAll([identity])
    : lifting.what === "removal"
      ? registry.disableAll([identity])
      : registry.disableAll([identity], denialReason(others)));
  const outcome = outcomes.get(deviceId);
  if (outcome !== "written" && outcome !== "gone") {
    throw notWritten(hub, deviceId, "not denied any more");
  }
  say(
    lifting.what === "open"
      ? `${words}, and is enabled again in ${hub}.`
      : lifting.what === "removal"
        ? `${stays}: ${lifting.why}.`
        : `${stays}: ${listed(others)} ${others.length === 1 ? "denies" : "deny"} it as well.`,
  );
  return true;
}
