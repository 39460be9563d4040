/**
 * The order of a roll, judged from what a sandbox saw. Pure. The rules are those of the design:
 * contain, replace, remove at a breach; at an expiration always one certificate that is accepted.
 */
import type { LoggedRequest } from "../sandbox/common/request-log";
import { admits, certificatesIn, type Holder } from "./admission";
import type { Moment, Window } from "./moments";

/** Whether one rule held, and what shows it. */
export interface Ruling {
  rule: string;
  held: boolean;
  evidence: string;
}

export interface BreachView {
  /** The entries that admitted the compromised key; or that, for one device, shut it out. */
  entries: { kind: "individual" | "group"; id: string }[];
  /** IDs of disabled groups that shut a CA out which a group above it would admit. Default: none. */
  denials?: string[];
  /**
   * disabling: each entry is disabled before it is replaced. shadowing: an entry for one registration
   * ID stands before the group that goes on admitting everybody else.
   */
  closedBy: "disabling" | "shadowing";
  /** Everyone with a certificate of the compromised key. */
  compromised: Holder[];
  /** One with the replacement; undefined: there is none yet. */
  replacement: Holder | undefined;
}

/** Index of the first moment at which nothing admits the compromised key any more; -1: there is none. */
export function cutOffOf({ moments }: Window, { compromised }: BreachView): number {
  return moments.findIndex((moment) => !compromised.some((holder) => admits(moment, holder)));
}

/** The first moment from the cut-off on with each entry closed: one can shut out what others still admit. */
function containedAt(moments: Moment[], { entries, closedBy }: BreachView, cutOff: number): number {
  return moments.findIndex(
    (moment, at) =>
      cutOff !== -1 &&
      at >= cutOff &&
      (closedBy === "shadowing" || entries.every((entry) => isDisabled(moment, entry))),
  );
}

function isDisabled(moment: Moment, { kind, id }: BreachView["entries"][number]): boolean {
  return moment.entries.some((one) => one.kind === kind && sameName(one.id, id) && !one.enabled);
}

/** Contain, replace, remove; and nothing admits the key any more from the cut-off on. */
export function judgeBreach(window: Window, breach: BreachView): Ruling[] {
  const { moments } = window;
  const cutOff = cutOffOf(window, breach);
  const contained = containedAt(moments, breach, cutOff);
  const removals = moments.flatMap(({ request }, at) => (isRemoval(request) ? [at] : []));
  const after = cutOff === -1 ? [] : moments.slice(cutOff);
  const reopened = after.filter((moment) =>
    breach.compromised.some((holder) => admits(moment, holder)),
  );
  const registered = admitted(window, breach, moments[cutOff]);
  return [
    judgeContainment(moments, breach, contained),
    ...judgeReplacement(window, breach, contained, removals),
    {
      rule: "nothing admits the compromised key from the cut-off on",
      held: cutOff !== -1 && reopened.length === 0 && registered === 0,
      evidence: `${after.length} writes after it, ${reopened.length} of them open; ${registered} registrations admitted`,
    },
    ...judgeCaDeletions(window),
  ];
}

function judgeContainment(moments: Moment[], breach: BreachView, contained: number): Ruling {
  const closing = moments.slice(0, contained + 1);
  const denials = (breach.denials ?? []).map((id) => ({ kind: "group" as const, id }));
  const stray = closing.filter(
    ({ request }) => ![...breach.entries, ...denials].some(isWriteOf(request)),
  );
  return {
    rule: "contain first: the first writes close what admits the compromised key",
    held: contained !== -1 && stray.length === 0,
    evidence: `first write: ${words(moments[0])}; contained: ${words(moments[contained])}`,
  };
}

function judgeReplacement(
  { before, moments }: Window,
  { replacement, closedBy }: BreachView,
  contained: number,
  removals: number[],
): Ruling[] {
  const removed = removals[0] ?? -1;
  const removal = `first of ${removals.length} removals: ${words(moments[removed])}`;
  if (replacement === undefined) {
    return [
      {
        rule: "remove devices after the containment",
        held: contained !== -1 && removed > contained,
        evidence: removal,
      },
    ];
  }
  const replaced = moments.findIndex((moment) => admits(moment, replacement));
  // Below a CA that stays the new leaf is admitted all along: what matters is that it stays so.
  const stays = moments.every((moment) => admits(moment, replacement));
  const wasBefore = before !== undefined && admits(before, replacement);
  const allAlong = closedBy === "shadowing" || (wasBefore && stays);
  return [
    {
      rule: allAlong ? "the replacement is admitted all along" : "replace after that",
      held: contained !== -1 && (allAlong ? stays : replaced > contained),
      evidence: `replacement admitted: ${words(moments[replaced])}`,
    },
    {
      rule: "remove devices last",
      held: replaced !== -1 && removed > Math.max(replaced, contained),
      evidence: removal,
    },
  ];
}

function isWriteOf({ service, method, path }: LoggedRequest) {
  return ({ kind, id }: BreachView["entries"][number]): boolean => {
    const folder = kind === "group" ? "enrollmentgroups" : "enrollments";
    return (
      service === "dps-service" &&
      method === "PUT" &&
      sameName(decodeURIComponent(path), `/${folder}/${id}`)
    );
  };
}

/** Never a moment in which a device that worked has no certificate that DPS accepts. */
export function judgeExpiration(window: Window, holdings: Holding[]): Ruling[] {
  const { began, before } = window;
  const moments = [
    ...(before === undefined ? [] : [{ moment: before, time: began }]),
    ...window.moments.map((moment) => ({ moment, time: moment.request.time })),
  ];
  const lost = moments.flatMap(({ moment, time }) =>
    holdings
      .filter(({ has }) => !has(time).some((holder) => admits(moment, holder)))
      .map(({ device }) => `${device} after ${words(moment)}`),
  );
  return [
    {
      rule: "no device that worked is ever without a certificate that DPS accepts",
      held: window.moments.length > 0 && holdings.length > 0 && lost.length === 0,
      evidence:
        lost.length === 0
          ? `${holdings.length} devices at ${moments.length} moments`
          : lost.slice(0, 3).join("; "),
    },
    ...judgeCaDeletions(window),
  ];
}

/** What a device had to show at a time. */
export interface Holding {
  device: string;
  /** ISO 8601 to certificates. */
  has: (time: string) => Holder[];
}

/** A CA certificate is deleted only when no group names it any more. None, when none was deleted. */
function judgeCaDeletions({ before, moments }: Window): Ruling[] {
  return moments.flatMap(({ request }, at) => {
    const name = /\/certificates\/([^/]+)$/.exec(request.path)?.[1];
    if (request.service !== "arm" || request.method !== "DELETE" || name === undefined) {
      return [];
    }
    const naming = ((at === 0 ? before : moments[at - 1])?.entries ?? []).filter(({ slots }) =>
      slots.some((slot) => typeof slot === "string" && slot.toLowerCase() === name.toLowerCase()),
    );
    return [
      {
        rule: `CA certificate ${name} is deleted only when no group names it`,
        held: naming.length === 0,
        evidence: `${words(moments[at])}; named then by ${naming.map(({ id }) => id).join(", ") || "none"}`,
      },
    ];
  });
}

/** Names of the CA certificates that were deleted. */
export function deletedCas({ moments }: Window): string[] {
  return moments.flatMap(({ request: { service, method, path } }) => {
    const name = /\/certificates\/([^/]+)$/.exec(path)?.[1];
    return service === "arm" && method === "DELETE" && name !== undefined ? [name] : [];
  });
}

/** Registrations that DPS admitted with a compromised leaf after the cut-off. */
function admitted(window: Window, { compromised }: BreachView, cutOff: Moment | undefined): number {
  const leaves = compromised.flatMap(({ chain }) =>
    certificatesIn(chain)
      .slice(0, 1)
      .map((leaf) => leaf.fingerprint256.replaceAll(":", "")),
  );
  return window.requests.filter(
    ({ service, seq, status, path, note = "" }) =>
      service === "dps-device" &&
      seq > (cutOff?.request.seq ?? 0) &&
      status === 202 &&
      /register/.test(path) &&
      leaves.some((leaf) => note.includes(leaf)),
  ).length;
}

export function isRemoval({ service, method, path }: LoggedRequest): boolean {
  return service === "iot-hub" || (method === "DELETE" && /^\/registrations\//i.test(path));
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** `#41 PUT /enrollments/device-2`. */
function words(moment: Moment | undefined): string {
  if (moment === undefined) {
    return "none";
  }
  const { seq, method, path } = moment.request;
  return `#${seq} ${method} ${path.replace(/^\/subscriptions\/.*\/certificates\//i, "…/certificates/")}`;
}
