/** Closes every entry that admits a key or a device, and shows by reading back that each is closed. */
import type { CompromisedKey } from "../certificates/compromised-keys";
import { denialGroupId } from "../certificates/denial-group";
import { faultError } from "../certificates/faults";
import { type CertificateSummary, summarize } from "../certificates/summary";
import { EnrollmentsClient } from "../clients/enrollments";
import { isServiceError, ServiceError } from "../clients/service-error";
import { withResourceGroup } from "../clients/service-lookup";
import type { Connection } from "../clients/target";
import { liveNames } from "../dynamic-providers/breach-containment/ca-names";
import {
  allEntries,
  close,
  type EntryName,
  isSame,
  type LiveEntry,
  nameOf,
} from "../dynamic-providers/breach-containment/closing";
import {
  type Reason,
  reachedEntries,
  type ReachOptions,
  shownSlots,
  thumbprintsShown,
} from "../dynamic-providers/breach-containment/reach";
import type { Sought } from "./sought";

export interface ContainOptions {
  /** Names of CA certificates that are known to have the key. */
  caNames: string[];
  /** PEM of certificates that are known beside it. */
  known: string[];
  /** Leaves alone what only was issued below it. */
  onlyTheKey: boolean;
  /** Writes nothing. */
  dryRun: boolean;
  /** Hears what is done, as it is done. */
  say: (text: string) => void;
}

export interface Closed extends EntryName {
  /** `made`: there was no entry that could have shut it out, so a disabled one was made. */
  how: "closed now" | "was closed" | "made" | "to be closed" | "to be made";
  why: string;
  /** DPS's time of its last change, ISO 8601; absent for what is not there. */
  since?: string;
}

export interface Outcome {
  entries: Closed[];
  /** What could not be looked at: something may still admit it. */
  unseen: string[];
  notes: string[];
}

export async function contain(
  connection: Connection,
  sought: Sought,
  options: ContainOptions,
): Promise<Outcome> {
  const client = new EnrollmentsClient(connection);
  const before = await allEntries(client);
  const outcome: Outcome = { entries: [], unseen: [], notes: [] };
  const run = new Run(client, before, sought, options, outcome);
  if (sought.kind === "registration ID") {
    await run.denyDevice(sought.registrationId, { type: "symmetricKey", symmetricKey: {} });
    outcome.notes.push(
      "Whether DPS matches a disabled individual enrollment by its registration ID or only by a certificate in it is not known. With the device's certificate at hand, contain that as well.",
    );
    return outcome;
  }
  await run.closeReached(new Set(options.caNames.map((name) => name.toLowerCase())));
  const shown = thumbprintsShown(sought.key, before);
  const key = { ...sought.key, thumbprints: [...sought.key.thumbprints, ...shown] };
  const names = await namesOf(connection, key, options, outcome);
  await run.closeReached(names);
  if (sought.kind === "thumbprint") {
    outcome.unseen.push(
      "A thumbprint does not tell the key: renewals and cross-signed twins, certificates issued below it, and a group that admits it through its chain are not found. Give the certificate as a PEM file, or add it with --known.",
    );
    return outcome;
  }
  const { summary, pem } = sought;
  if (summary.isCa) {
    await run.denyCas([pem, ...options.known], summary.publicKeySha256);
  } else if (summary.subjectCommonName !== "") {
    const clientCertificates = { primary: { certificate: pem } };
    await run.denyDevice(summary.subjectCommonName, { type: "x509", x509: { clientCertificates } });
  }
  return outcome;
}

/** All names of the CA, those the resource manager shows included. */
async function namesOf(
  connection: Connection,
  key: CompromisedKey,
  { caNames }: ContainOptions,
  { unseen }: Outcome,
): Promise<Set<string>> {
  const given = caNames.map((name) => name.toLowerCase());
  try {
    const whole = await withResourceGroup(connection);
    if (whole.resourceGroup === "") {
      throw new ServiceError(
        "The DPS's resource group is not known: give --resource-group, or --subscription to look for it.",
        { code: "NotFound", operation: "list", status: undefined, serviceCode: undefined },
      );
    }
    const { holding, unsure } = await liveNames(whole, key);
    unseen.push(
      ...unsure.map(
        (name) =>
          `CA certificate "${name}" has the same subject and another thumbprint. If it has this key, run the same again with --known FILE, or --ca-name ${name}.`,
      ),
    );
    return new Set([...given, ...holding]);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    unseen.push(
      `The CA certificates of the DPS could not be listed, so groups that refer to it by a name are only found by --ca-name. ${error.message}`,
    );
    return new Set(given);
  }
}

class Run {
  constructor(
    private readonly client: EnrollmentsClient,
    private readonly before: LiveEntry[],
    private readonly sought: Sought,
    private readonly options: ContainOptions,
    private readonly outcome: Outcome,
  ) {}

  /** Closes what the key reaches. */
  async closeReached(names: Set<string>): Promise<void> {
    if (this.sought.kind === "registration ID") return;
    const { sought, options } = this;
    const spared = options.known
      .map((pem) => summarize(pem))
      .flatMap((one) => [one.sha1Thumbprint, one.sha256Thumbprint]);
    const isCa = sought.kind === "certificate" && sought.summary.isCa && !options.onlyTheKey;
    const reach: ReachOptions = {
      names,
      issuers: isCa ? [sought.summary.subject] : [],
      spared: new Set(spared),
    };
    const key = options.onlyTheKey ? { ...sought.key, below: [] } : sought.key;
    await this.close((entries) => {
      const shown = thumbprintsShown(key, entries);
      return reachedEntries(
        { ...key, thumbprints: [...key.thumbprints, ...shown] },
        reach,
        entries,
      );
    });
  }

  /** Sees to a disabled individual enrollment, unless an enabled one shuts the certificate out. */
  async denyDevice(
    registrationId: string,
    attestation: { type: string } & Record<string, unknown>,
  ): Promise<void> {
    const own: EntryName = { kind: "individual", id: registrationId };
    const there = this.before.find((entry) => isSame(entry, own));
    if (there === undefined) {
      const record = { registrationId, attestation, provisioningStatus: "disabled" as const };
      await this.make(own, "denies the registration ID", () => this.client.putIndividual(record));
      return;
    }
    if (this.sought.kind === "registration ID") {
      await this.close((all) => {
        const found = all.filter((entry) => isSame(entry, own));
        return new Map(
          found.map((entry) => [entry, { words: "is the device's own", byName: false }]),
        );
      });
    } else if (!this.outcome.entries.some((entry) => isSame(entry, own))) {
      const name = `individual enrollment "${there.id}"`;
      if (there.enabled) {
        this.outcome.notes.push(
          `The ${name} is enabled with another certificate, so it shuts this one out.`,
        );
      } else {
        this.outcome.unseen.push(
          `Whether the ${name} denies it: it is disabled with another certificate, and whether DPS then ` +
            "denies the registration ID or that certificate alone is not known. Put this one into its slot.",
        );
      }
    }
  }

  /**
   * Sees to a disabled group for each certificate of the key, for chains that a group higher up would
   * admit: a group shuts out chains through the very certificate that it holds, not through its twins.
   */
  async denyCas(pems: string[], publicKeySha256: string): Promise<void> {
    for (const pem of pems) {
      const summary = summarize(pem);
      // A root has nothing above it.
      if (summary.selfSigned || !summary.isCa || summary.publicKeySha256 !== publicKeySha256)
        continue;
      const id = denialGroupId(summary);
      const isSeenTo = this.outcome.entries.some(
        (entry) => this.holdsItself(entry, summary) || isSame(entry, { kind: "group", id }),
      );
      if (isSeenTo) continue;
      const signingCertificates = { primary: { certificate: pem } };
      await this.make(
        { kind: "group", id },
        "shuts out chains that a group higher up would admit",
        () =>
          this.client.putGroup({
            enrollmentGroupId: id,
            attestation: { type: "x509", x509: { signingCertificates } },
            provisioningStatus: "disabled",
          }),
      );
    }
  }

  /** Of a group that refers to a CA by its name, nobody shows which certificate that is. */
  private holdsItself(closed: Closed, { sha256Thumbprint }: CertificateSummary): boolean {
    const there = this.before.find((entry) => isSame(entry, closed));
    return (
      closed.kind === "group" &&
      there !== undefined &&
      shownSlots(there.attestation).some((slot) => slot.sha256Thumbprint === sha256Thumbprint)
    );
  }

  /** Closes what there is a reason for; only lists it in a dry run. */
  private async close(reasons: (all: LiveEntry[]) => Map<LiveEntry, Reason>): Promise<void> {
    const { client, options, sought, before } = this;
    const now: EntryName[] = [];
    const meant = options.dryRun
      ? reasons(before)
      : await close(client, reasons, sought.words, (entry) => {
          now.push(entry);
          options.say(`Closed ${nameOf(entry)}.`);
        });
    for (const [entry, why] of meant) {
      if (this.outcome.entries.some((each) => isSame(each, entry))) continue;
      const { kind, id, lastUpdated } = entry;
      const closed = entry.enabled
        ? "to be closed"
        : now.some((each) => isSame(each, entry))
          ? "closed now"
          : "was closed";
      this.outcome.entries.push({
        kind,
        id,
        how: closed,
        why: why.words,
        since: lastUpdated,
      });
    }
  }

  private async make(entry: EntryName, why: string, write: () => Promise<unknown>): Promise<void> {
    if (this.options.dryRun) {
      this.outcome.entries.push({ ...entry, how: "to be made", why });
      return;
    }
    try {
      await write();
    } catch (error) {
      // Somebody was faster; what is there now is closed below.
      if (!isServiceError(error, "Conflict")) throw error;
    }
    const made = await close(
      this.client,
      (all) => new Map(all.flatMap((one) => (isSame(one, entry) ? [[one, why]] : []))),
      this.sought.words,
      () => undefined,
    );
    const [there] = made.keys();
    if (there === undefined) {
      throw faultError(
        "DPS-CERT-176",
        `${nameOf(entry)} in DPS`,
        "a disabled entry that was made, and is not there when it is read back",
        "find out who deletes it, and run the same again",
      );
    }
    this.options.say(`Made ${nameOf(entry)}, disabled.`);
    this.outcome.entries.push({ ...entry, how: "made", why, since: there.lastUpdated });
  }
}
