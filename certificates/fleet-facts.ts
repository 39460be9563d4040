/**
 * What a read of the live service and of its linked hubs shows, as plain JSON. Nothing in it is
 * guessed: a device of which no evidence was found counts as not known, and what could not be read,
 * or was left out to keep the read short, is said in `leftOut`.
 */
import type { KnownCertificate } from "./declared";

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
  /** The linked hubs' own CA certificates: devices below them get in without DPS. Absent: not read. */
  hubCaCertificates?: HubCaFact[];
  /** For people: what is not among the facts, and why. */
  leftOut: string[];
}

/** How many device identities are in the linked hubs. */
export interface HubCounts {
  hubs: { name: string; devices: number }[];
  /** For people: what was not counted, and why. */
  leftOut: string[];
}

/** The devices that are on record with DPS under one entry. */
export interface EntryFacts {
  /** Those with a registration record that is assigned to a hub, as far as they were read. */
  devices: DeviceFact[];
  /** Why not all of them could be read, so that there may be more. Absent: all were. */
  uncounted?: string;
  /** When DPS last wrote the entry: ISO 8601. Its slots hold what they hold at least since then. */
  lastWritten?: string;
  /** Device IDs whose hub identity has a symmetric key: a roll does not reach it. */
  withSasKey: string[];
  /** Device IDs of IoT Edge devices. */
  edge: string[];
  /** Device IDs that connect through an IoT Edge device. */
  children: string[];
}

/** A device and the evidence of which certificate it has. That it is connected is none. */
export interface DeviceFact {
  deviceId: string;
  /** Host name of the hub that it is assigned to. */
  hub: string;
  /** SHA-256 (upper-case hex) of the leaf that it last registered with, as its hub has it. */
  leaf?: string;
  /**
   * Who issued that very leaf. `manifest`: the CA's own records (`IssuedLeaf`). `report`: the device's
   * word in its twin, which counts for nothing in a breach.
   */
  issuer?: {
    /** SHA-256, or in a manifest SHA-1; upper-case hex. */
    thumbprint: string;
    by: "manifest" | "report";
  };
}

export interface LiveCaFact {
  name: string;
  /** SHA-1, upper-case hex. */
  sha1Thumbprint: string;
  /** Common name. */
  subject: string;
  isVerified: boolean;
}

export interface HubCaFact {
  /** Host name of the hub. */
  hub: string;
  name: string;
  /** SHA-1, upper-case hex. */
  sha1Thumbprint: string;
  /** Absent: the resource manager does not show the certificate itself. */
  certificate?: KnownCertificate;
}

/** How many CA certificates a DPS instance holds at most (service limits, 2024-03). */
export const MOST_CA_CERTIFICATES = 25;

/** How many registrations a DPS instance takes in a minute (service limits, 2024-03). */
export const REGISTRATIONS_PER_MINUTE = 1000;
