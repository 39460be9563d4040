/** What has to become of one hub identity of a candidate. */
import { LeafEvidence, type LeafVerdict } from "../../certificates/issued-leaves";
import type { RegistrationRecord } from "../../clients/enrollments";
import type { HubIdentity } from "../../clients/hub-registry";
import { time } from "../breach-containment/registrations";
import type { JournalEntry } from "../device-twin-journal/journal";
import { type Candidate, cameBack } from "./candidates";
import { issuedLeavesOf } from "./issued-leaves-file";
import type { RemovalScope } from "./scope";

/** `left`: nothing proves that it holds a compromised leaf, and only evidenced devices are removed. */
export type Verdict = "goes" | "spared" | "left";

/** An identity, and where it is. */
export interface Found {
  hub: string;
  identity: HubIdentity;
}

/** Judges leaves by all keys under which a device came in. */
export class Evidence {
  private readonly byKey: ReadonlyMap<string, LeafEvidence>;

  constructor({
    compromised,
    goodIssuers,
    remove,
  }: Pick<RemovalScope, "compromised" | "goodIssuers" | "remove">) {
    const leaves = issuedLeavesOf(remove.issuedLeaves);
    this.byKey = new Map(
      compromised.map((key) => [key.key, new LeafEvidence(key, goodIssuers, leaves)]),
    );
  }

  of(
    { keys, registrationId }: Pick<Candidate, "keys" | "registrationId">,
    thumbprints: readonly string[],
  ): LeafVerdict {
    const verdicts = keys.map(
      (key) => this.byKey.get(key)?.of(registrationId, thumbprints) ?? "unknown",
    );
    const worst = (["stolen", "compromised", "unknown"] as const).find((one) =>
      verdicts.includes(one),
    );
    return worst ?? "good";
  }
}

/**
 * An identity with the compromised leaf itself goes whenever it was written. Otherwise one of a device
 * that a closed group had admitted goes, unless it is proven good: by the manifest, or because DPS
 * itself wrote it, with a leaf that is still admitted, after the group was closed. DPS writes into one
 * hub only, so what the device has in another one is older.
 */
export function judge(
  candidate: Candidate,
  registration: RegistrationRecord | undefined,
  { hub, identity }: Found,
  all: Found[],
  evidence: Evidence,
  how: RemovalScope["remove"]["how"],
): Verdict {
  const { thumbprints } = identity;
  const leaf = evidence.of(candidate, thumbprints);
  if (leaf === "stolen") return "goes";
  if (!candidate.admitted || leaf === "good") return "spared";
  if (leaf !== "compromised" && cameBack(candidate, registration)) {
    const returned = all.find((one) => isSameHub(one.hub, registration.assignedHub));
    if (returned?.hub === hub) return "spared";
    const proven = returned?.identity.thumbprints ?? [];
    if (thumbprints.length > 0 && thumbprints.every((one) => proven.includes(one))) return "spared";
  }
  const isProven = leaf === "compromised";
  return (how === "evidenced" || candidate.doubtful === true) && !isProven ? "left" : "goes";
}

export function isSameHub(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Is what the journal has of a device not the identity that it has now? */
export function isMadeAnew(
  { identities, cutOff }: JournalEntry,
  registration: RegistrationRecord | undefined,
  found: Found[],
): boolean {
  const another = found.some(({ hub, identity }) => {
    const saved = identities.find((one) => one.hub === hub);
    return saved !== undefined && saved.generationId !== identity.generationId;
  });
  // In another hub DPS may have moved it; but DPS does not make the record anew.
  const anew =
    identities.length > 0 &&
    cutOff !== undefined &&
    time(registration?.createdDateTimeUtc) > time(cutOff);
  return another || anew;
}
