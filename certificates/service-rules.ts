/** What a change may not do to the DPS instance, its hubs, and who comes in when an entry goes. */
import type { Declared } from "./declared";
import { entryWords } from "./entry-roll";
import { fault, type Fault } from "./faults";
import { groupsThatAdmit } from "./roll-steps";
import type { Entry } from "./slots";
import { displayName, foldCase, listed } from "./text";

/** Another DPS instance in place of the one that devices know by its ID scope. */
export function serviceFaults(
  before: Declared | undefined,
  oldEntries: Entry[],
  after: Declared,
): Fault[] {
  const old = before?.service;
  const { service } = after;
  const enabled = oldEntries.filter((entry) => entry.enabled);
  if (old === undefined || service === undefined || enabled.length === 0) return [];
  const changed = (["name", "resourceGroup", "location"] as const).filter(
    (property) => old[property] !== service[property],
  );
  // Nothing in Azure depends on where this configuration says that an adopted instance is.
  const matters = changed.filter((property) => property !== "location" || !old.adopt);
  const [first] = matters;
  if (first !== undefined) {
    return [
      fault(
        "DPS-CERT-061",
        `service.${first}`,
        `${name(service[first])} in place of ${name(old[first])}: another DPS instance, with an ` +
          `ID scope that no device knows, in place of the one with ${count(enabled)}`,
        "keep it; declare another instance in another stack, and take the entries away here last",
      ),
    ];
  }
  if (old.adopt || !service.adopt) return [];
  return [
    fault(
      "DPS-CERT-061",
      "service.adopt",
      `an instance that this stack manages, with ${count(enabled)}, and that would be deleted when it is only looked up`,
      "keep adopt: false; to let go of the instance, take it out of the state (`pulumi state delete`) in the same go",
    ),
  ];
}

function name(value: string | undefined): string {
  return value === undefined ? "a made-up name" : displayName(value);
}

function count(entries: Entry[]): string {
  return entries.length === 1 ? "1 enabled entry" : `${entries.length} enabled entries`;
}

/** Individual enrollments that go, while a group admits what they held. */
export function comesThroughGroupFaults(
  after: Declared,
  entries: Entry[],
  oldEntries: Entry[],
): Fault[] {
  return oldEntries.flatMap((old) => {
    const isGone = entries.every(({ key }) => key !== old.key);
    if (old.kind !== "individual" || !isGone || old.retained || isDenied(after, old)) return [];
    const groups = groupsThatAdmit(after, old);
    if (groups.length === 0) return [];
    const was = old.enabled ? "" : ", disabled until now,";
    return [
      fault(
        "DPS-CERT-067",
        old.path,
        `an individual enrollment${was} that is taken away, whose device ` +
          `${listed(groups.map(entryWords))} ${groups.length === 1 ? "admits" : "admit"} from then on`,
        "to keep the device out, deny its registration ID; else nothing is to be done",
      ),
    ];
  });
}

function isDenied(after: Declared, old: Entry): boolean {
  const held = old.slots.map((slot) => slot.id);
  return [...after.denied, ...after.compromised].some((each) => {
    if ("registrationId" in each) return foldCase(each.registrationId) === foldCase(old.id);
    if (!("certificate" in each)) return false;
    const certificate = after.certificates[each.certificate];
    return certificate?.known === true && held.includes(certificate.summary.sha256Thumbprint);
  });
}
