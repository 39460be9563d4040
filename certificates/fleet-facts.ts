/**
 * What a read of the live service and of its linked hubs shows, as plain JSON. Nothing in it is
 * guessed: a device of which no evidence was found counts as not known, and what could not be read,
 * or was left out to keep the read short, is said in `leftOut`.
 */

export interface FleetFacts {
  /** By the key of the entry (`entryKey`); an entry that was not asked about is absent. */
  entries: Record<string, EntryFacts>;
  /** CA certificates of the service; absent: not read. */
  caCertificates?: LiveCaFact[];
  /**
   * Other DPS instances of the subscription that are linked to one of these hubs, by name. Absent:
   * not read. Instances of other subscriptions cannot be seen.
   */
  otherServices?: { name: string; hubs: string[] }[];
  /** For people: what is not among the facts, and why. */
  leftOut: string[];
}

/** The devices that are on record with DPS under one entry. */
export interface EntryFacts {
  /** Devices with a registration record that is assigned to a hub. At least; see `FleetFacts.leftOut`. */
  onRecord: number;
  /**
   * SHA-256 thumbprints (upper-case hex) of the leaves that these devices last registered with, as
   * their hub has it, each with the number of devices.
   */
  leaves: Record<string, number>;
  /**
   * SHA-256 thumbprints (upper-case hex) of the issuers that devices have reported for their leaf,
   * each with the number of devices. Only of devices whose report is about the leaf that the hub has.
   */
  issuers: Record<string, number>;
  /** Devices with neither. */
  notKnown: number;
  /** When DPS last wrote the entry: ISO 8601. Its slots hold what they hold at least since then. */
  lastWritten?: string;
  /** Device IDs whose hub identity has a symmetric key: a roll does not reach it. */
  withSasKey: string[];
  /** Device IDs of IoT Edge devices. */
  edge: string[];
  /** Device IDs that connect through an IoT Edge device. */
  children: string[];
}

export interface LiveCaFact {
  name: string;
  /** SHA-1, upper-case hex. */
  sha1Thumbprint: string;
  isVerified: boolean;
}

/** How many CA certificates a DPS instance holds at most (service limits, 2024-03). */
export const MOST_CA_CERTIFICATES = 25;

/** How many registrations a DPS instance takes in a minute (service limits, 2024-03). */
export const REGISTRATIONS_PER_MINUTE = 1000;
