/** What a removal will do, for whoever reviews it: reading only. */
import { EnrollmentsClient } from "../../clients/enrollments";
import { HubRegistry, type HubDeviceTwin, linkedHubs } from "../../clients/hub-registry";
import { devicesWords } from "../../certificates/fleet-usage";
import { fault } from "../../certificates/faults";
import { issuedUnder } from "../../certificates/issued-leaves";
import { allNames, listCas } from "../breach-containment/ca-names";
import { allEntries, withSettling } from "../breach-containment/closing";
import { reachedEntries, reachOf } from "../breach-containment/reach";
import { retiredEntries } from "../breach-containment/retired";
import { sizeOf } from "../device-twin-journal/waves";
import { hasUnknown, say } from "../handler";
import { record } from "../judgement-record";
import { warn } from "../warning";
import { type Candidate, candidatesOf, type Reach, reachedSince } from "./candidates";
import { notKnownAbove } from "./above";
import { issuedLeavesOf } from "./issued-leaves-file";
import { Evidence, type Verdict } from "./judging";
import type { RemovalScope } from "./scope";

/** Candidates that the hubs are asked about; for more only DPS's records are counted. */
const MOST = 1000;

/** Says, when a breach is new, how many devices it will cost, per hub, and how many are not known. */
export async function announce(olds: Partial<RemovalScope>, declared: RemovalScope): Promise<void> {
  const { remove, goodIssuers } = declared;
  if (hasUnknown([declared.connection, declared.compromised, goodIssuers])) {
    return;
  }
  // Unknown while a certificate is made during `up`. Devices can only have come in by those before.
  const news: RemovalScope = {
    ...declared,
    caKeys: hasUnknown(declared.caKeys) ? (olds.caKeys ?? {}) : declared.caKeys,
    slotKeys: (hasUnknown(declared.slotKeys) ? olds.slotKeys : declared.slotKeys) ?? {},
  };
  record({ by: "removal", remove, goodIssuers });
  const before =
    olds.compromised === undefined ||
    olds.contained === undefined ||
    olds.remove === undefined ||
    hasUnknown(olds.contained)
      ? undefined
      : { compromised: olds.compromised, contained: olds.contained, remove: olds.remove };
  // During a preview of a breach it is not known yet what containment will close.
  const isPreview = hasUnknown(news.contained);
  const { reaches, above } = isPreview
    ? await expected(before, news)
    : { reaches: reachedSince(before, news), above: [] };
  const all = await candidatesOf(news, reaches);
  const candidates = all.filter(({ backIn }) => backIn === undefined);
  if (candidates.length === 0) {
    if (above.length > 0) say(["removal:", ...above].join("\n"));
    return;
  }
  const { how, issuedLeaves } = news.remove;
  const ofGroups = candidates.filter(({ admitted }) => admitted);
  if (how === "evidenced" && issuedLeaves === undefined && ofGroups.length > 0) {
    warn(
      fault(
        "DPS-CERT-102",
        "remove.how",
        `evidenced, and ${counted(ofGroups.length, "device")} that came in through a group, with no manifest of issued leaves`,
        "give remove.issuedLeaves, or use how: now or how: waves",
      ),
    );
  }
  say([await words(news, candidates), ...above].join("\n"));
}

/**
 * The entries that hold a new key now, which containment will close; and those that held it once. With
 * sentences about the devices of groups above it.
 */
async function expected(
  before: Parameters<typeof reachedSince>[0],
  now: RemovalScope,
): Promise<{ reaches: Reach[]; above: string[] }> {
  const client = new EnrollmentsClient(now.connection);
  const reaches: Reach[] = [];
  const above: string[] = [];
  const listing = now.compromised.length === 0 ? undefined : await listCas(now.connection);
  const leaves = issuedLeavesOf(now.remove.issuedLeaves);
  const evidence = new Evidence(now);
  for (const key of now.compromised) {
    const isKnown = before?.compromised.some((one) => one.key === key.key) === true;
    const { names } = await allNames(now, key, listing);
    const entries = await allEntries(client);
    const reached = [...reachedEntries(key, reachOf(key, names), entries).keys()];
    const holding = reached.filter(({ enabled }) => !isKnown || enabled);
    const once = isKnown ? { entries: [], gone: [] } : await retiredEntries(now, key, holding);
    once.gone.forEach(say);
    reaches.push({
      key: key.key,
      registrationIds: isKnown ? [] : key.registrationIds,
      entries: [...(await withSettling(client, holding)), ...once.entries],
      issued: isKnown ? [] : issuedUnder(key, leaves),
    });
    if (!isKnown) {
      above.push(...(await notKnownAbove(now, client, key, { all: entries, reached }, evidence)));
    }
  }
  return { reaches, above };
}

async function words(scope: RemovalScope, candidates: Candidate[]): Promise<string> {
  const { how, keep } = scope.remove;
  const keys = new Set(candidates.flatMap((one) => one.keys));
  const named = scope.compromised.filter(({ key }) => keys.has(key));
  const subjects = [...new Set(named.map(({ subject }) => subject))].join(", ");
  const lines = [
    `removal (how: ${how}, keep: ${keep}): ${counted(candidates.length, "device")} came in through what ${subjects} admits`,
  ];
  if (candidates.length > MOST) {
    lines.push(
      `  which of them are in which hub, and with which leaf, was not looked up: they are more than ${MOST}`,
    );
  } else {
    lines.push(...(await byHub(scope, candidates)));
  }
  if (how === "waves") {
    const admitted = candidates.filter((one) => one.admitted).length;
    const size = sizeOf(scope.remove.waves ?? {}, 0, admitted);
    lines.push(
      `  the first wave: ${Math.min(size, admitted)} of ${admitted}; the others keep their access until their wave`,
    );
  }
  return lines.join("\n");
}

async function byHub(scope: RemovalScope, candidates: Candidate[]): Promise<string[]> {
  const evidence = new Evidence(scope);
  const verb = scope.remove.keep === "rekey" ? "rekeyed" : "removed";
  const lines: string[] = [];
  const seen = new Set<string>();
  const notKnown = new Set<string>();
  for (const hub of await linkedHubs(scope.connection)) {
    const found = new Map(
      (
        await new HubRegistry(scope.connection, hub).findDevices(
          candidates.map(({ deviceId }) => deviceId),
        )
      ).map((twin) => [twin.deviceId, twin]),
    );
    const counts: Record<Verdict, number> = { goes: 0, spared: 0, left: 0 };
    for (const candidate of candidates) {
      const twin = found.get(candidate.deviceId);
      if (twin === undefined) continue;
      seen.add(candidate.deviceId);
      const { verdict, isKnown } = verdictOn(scope, candidate, twin, evidence);
      counts[verdict] += 1;
      if (!isKnown) notKnown.add(candidate.deviceId);
    }
    const parts = [`${counted(counts.goes, "identity")} will be ${verb}`];
    if (counts.spared > 0) parts.push(`${counts.spared} spared, with a leaf that is good`);
    if (counts.left > 0) parts.push(`${counts.left} left, because nothing proves them compromised`);
    lines.push(`  hub ${hub}: ${parts.join(", ")}`);
  }
  if (notKnown.size > 0) {
    lines.push(`  not known who issued the leaf of ${counted(notKnown.size, "device")}`);
  }
  const absent = candidates.filter(({ deviceId }) => !seen.has(deviceId)).length;
  if (absent > 0) lines.push(`  in no linked hub: ${counted(absent, "device")}`);
  return lines;
}

function verdictOn(
  { remove }: RemovalScope,
  candidate: Candidate,
  { thumbprints }: HubDeviceTwin,
  evidence: Evidence,
): { verdict: Verdict; isKnown: boolean } {
  const leaf = evidence.of(candidate, thumbprints);
  const isKnown = leaf !== "unknown" || !candidate.admitted;
  if (leaf === "stolen") return { verdict: "goes", isKnown };
  if (!candidate.admitted || leaf === "good") return { verdict: "spared", isKnown };
  const left = (remove.how === "evidenced" || candidate.doubtful === true) && leaf === "unknown";
  return { verdict: left ? "left" : "goes", isKnown };
}

function counted(count: number, thing: "device" | "identity"): string {
  if (thing === "identity") return `${count} ${count === 1 ? "identity" : "identities"}`;
  return devicesWords(count);
}
