/** What has to be read to judge a change in view of the fleet; nothing for most changes. */
import { Breaches } from "./compromise";
import type { Declared, KnownFacts, Phase, Roll } from "./declared";
import { takesHubsAway } from "./hub-rules";
import { CLOSING, inferRolls } from "./rolls";
import { entriesOf, type Entry, entryKey, type EntryKind, own } from "./slots";

export interface FleetQuestions {
  /** Entries whose devices are to be counted. */
  entries: { key: string; kind: EntryKind; id: string; roll: Roll }[];
  caCertificates: boolean;
  otherServices: boolean;
  hubCaCertificates: boolean;
  /** Whether the devices of the linked hubs are to be counted. */
  hubCounts: boolean;
  /** Entries that become part of the stack: what is in DPS under their IDs is compared. */
  joining: Entry[];
}

const WITH_DEVICES: ReadonlySet<Phase> = new Set<Phase>([
  "prepare",
  "retire",
  "replace",
  "contain",
  "disable",
  "remove",
]);

export function fleetQuestions(
  before: Declared | undefined,
  after: Declared,
  known: KnownFacts = {},
): FleetQuestions {
  const rolls = inferRolls(before, after, new Breaches(before, after, known)).filter(
    ({ phase }) => phase !== "none",
  );
  const old = before === undefined ? [] : entriesOf(before);
  const isOld = new Set([...old.map(({ key }) => key), ...deniedKeys(before)]);
  const isBreach =
    rolls.some(({ procedure }) => CLOSING.has(procedure)) || isNewlyCompromised(before, after);
  return {
    entries: rolls.flatMap((roll) => {
      const entry = old.find(({ path }) => path === roll.entry);
      if (entry === undefined || !WITH_DEVICES.has(roll.phase)) return [];
      return [{ key: entry.key, kind: entry.kind, id: entry.id, roll }];
    }),
    caCertificates: Object.keys(after.caCertificates).some(
      (name) => before === undefined || own(before.caCertificates, name) === undefined,
    ),
    otherServices: isBreach,
    hubCaCertificates: isBreach,
    hubCounts: takesHubsAway(before, after),
    joining: entriesOf(after).filter(({ key }) => !isOld.has(key)),
  };
}

/* A denial is an entry of its own in the state. */
function deniedKeys(before: Declared | undefined): string[] {
  if (before === undefined) return [];
  return [...before.denied, ...before.compromised].flatMap((each) => {
    if ("registrationId" in each) return [entryKey("individual", each.registrationId)];
    if (!("certificate" in each)) return [];
    const certificate = own(before.certificates, each.certificate);
    const id = certificate?.known ? certificate.summary.subjectCommonName : certificate?.commonName;
    return id === undefined ? [] : [entryKey("individual", id)];
  });
}

/** Is something named in `compromised` that was not before? */
function isNewlyCompromised(before: Declared | undefined, after: Declared): boolean {
  const name = (each: Declared["compromised"][number]): string =>
    "certificate" in each ? each.certificate : each.thumbprint;
  const old = new Set(before?.compromised.map(name));
  return after.compromised.some((each) => !old.has(name(each)));
}

/** Whether there is nothing to ask. */
export function asksNothing(questions: FleetQuestions): boolean {
  const { entries, joining, caCertificates, otherServices, hubCaCertificates } = questions;
  const ofService = caCertificates || otherServices || hubCaCertificates;
  return entries.length === 0 && joining.length === 0 && !ofService;
}
