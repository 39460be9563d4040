/** Several registration IDs with one device ID: they share one hub identity, which holds the last one's leaf. */
import type { EnrollmentsClient, RegistrationRecord } from "../../clients/enrollments";
import { time } from "../breach-containment/registrations";
import type { JournalEntry } from "../device-twin-journal/journal";
import { type Candidate, cameBack } from "./candidates";

export class Sharing {
  private readonly individuals = new Map<string, string[]>();

  private constructor(
    private readonly client: EnrollmentsClient,
    private readonly candidates: ReadonlyMap<string, Candidate>,
  ) {}

  /** @param entries all candidates of the removal */
  static async of(client: EnrollmentsClient, entries: JournalEntry[]): Promise<Sharing> {
    const found = new Sharing(
      client,
      new Map(entries.map((one) => [one.registrationId.toLowerCase(), one])),
    );
    if (entries.length === 0) return found;
    for (const { registrationId, deviceId } of await client.queryIndividuals()) {
      if (deviceId === undefined || deviceId === registrationId) continue;
      found.individuals.set(deviceId, [...(found.individuals.get(deviceId) ?? []), registrationId]);
    }
    return found;
  }

  /**
   * The hub whose identity another registration has written since this one: its leaf is that one's, which is
   * good or is judged by itself. Undefined: there is none.
   */
  async takenOverIn(
    { registrationId, deviceId }: Candidate,
    own: RegistrationRecord | undefined,
  ): Promise<string | undefined> {
    const ids = new Set([deviceId, ...(this.individuals.get(deviceId) ?? [])]);
    for (const id of ids) {
      if (id.toLowerCase() === registrationId.toLowerCase()) continue;
      const other = await this.client.getRegistration(id);
      const isOfIt = other !== undefined && (other.deviceId ?? id) === deviceId;
      const isLater = time(other?.lastUpdatedDateTimeUtc) > time(own?.lastUpdatedDateTimeUtc);
      if (!isOfIt || !isLater || other.status !== "assigned") continue;
      const candidate = this.candidates.get(id.toLowerCase());
      if (candidate === undefined || cameBack(candidate, other)) return other.assignedHub;
    }
    return undefined;
  }

  /** The hub into which one of the registrations of the device is assigned; undefined: none is. */
  async assignedHub({ registrationId, deviceId }: Candidate): Promise<string | undefined> {
    const others = [deviceId, ...(this.individuals.get(deviceId) ?? [])];
    for (const id of new Set([registrationId, ...others])) {
      const found = await this.client.getRegistration(id);
      const isOfIt = found !== undefined && (found.deviceId ?? id) === deviceId;
      if (isOfIt && found.status === "assigned" && found.assignedHub !== undefined) {
        return found.assignedHub;
      }
    }
    return undefined;
  }
}
