/**
 * What is judged: a configuration with its certificates resolved to summaries. Plain JSON, so that
 * the configuration before a change can be kept in a state and read by later versions.
 */
import type { Fault } from "./faults";
import type { PromotionFacts } from "./promotion";
import type { FleetFacts, HubCounts } from "./fleet-facts";
import type { CertificateSummary } from "./summary";

/** A certificate whose bytes are known. */
export interface KnownCertificate {
  known: true;
  /** As `parsePem` normalises it. Certificates are public: nothing secret is in here. */
  pem: string;
  summary: CertificateSummary;
}

/** A certificate that the stack makes and that does not exist yet; what was asked for is known. */
export interface UnknownCertificate {
  known: false;
  commonName?: string;
  /** Name, in `certificates`, of the certificate that will issue it; absent: self-signed. */
  issuer?: string;
  isCa?: boolean;
}

export type DeclaredCertificate = KnownCertificate | UnknownCertificate;

/** A slot holds a name of `caCertificates`, or a name of `certificates`. */
export type Slot = { ca: string } | { certificate: string };

export type SlotName = "primary" | "secondary";

export interface DeclaredCa {
  /** Name in `certificates`. */
  certificate: string;
  selfAttested?: boolean;
  /** The proof of possession is not there yet: DPS holds it as not verified. */
  waits?: boolean;
  /** How possession of its key is proved is declared. Default: false. */
  hasProof?: boolean;
  /** Taken over from whoever uploaded it. Default: false. */
  adopt?: boolean;
  /** It stays in DPS when it is declared no more. */
  retained?: boolean;
}

export interface DeclaredGroup {
  primary?: Slot;
  secondary?: Slot;
  status: "enabled" | "disabled";
  /** Default: migrate. */
  reprovisionPolicy?: "migrate" | "reset" | "never";
  /** Taken over from whoever made it. Default: false. */
  adopt?: boolean;
  /** Stays in DPS when it leaves the configuration. Default: false. */
  retain?: boolean;
}

export interface DeclaredIndividual {
  primary?: { certificate: string };
  secondary?: { certificate: string };
  status: "enabled" | "disabled";
  /** Default: migrate. */
  reprovisionPolicy?: "migrate" | "reset" | "never";
  /** Default: the registration ID. */
  deviceId?: string;
  /** Taken over from whoever made it. Default: false. */
  adopt?: boolean;
  /** Stays in DPS when it leaves the configuration. Default: false. */
  retain?: boolean;
}

/** `certificate` is a name in `certificates`; `thumbprint` is SHA-1 or SHA-256 in hex. */
export type Compromised = ({ certificate: string } | { thumbprint: string }) & { reason: string };

export type Denied = ({ registrationId: string } | { certificate: string }) & { reason: string };

export interface Waiver {
  code: string;
  path: string;
  reason: string;
  /** Last day on which it holds, ISO 8601 date, UTC. */
  until: string;
  /** Of a retirement (DPS-CERT-058): IDs of the devices that may be cut off by it. */
  devices?: string[];
}

/** A number of devices, or a share of those on record: `5%`. */
export type Limit = number | `${number}%`;

/** The DPS instance. */
export interface DeclaredService {
  /** Absent: made up. */
  name?: string;
  resourceGroup: string;
  location: string;
  /** It is looked up, not managed. */
  adopt: boolean;
}

export interface Declared {
  /** Absent: not judged. */
  service?: DeclaredService;
  /** Linked hubs. Absent: not judged. */
  hubs?: { name?: string; adopt: boolean }[];
  /** How long the fleet's devices are offline at most, in hours. Default: 0. */
  longestOfflineHours?: number;
  /** How many devices of an entry may be at risk when a slot of it is emptied. Default: none. */
  retirement?: { onOld?: Limit; notKnown?: Limit };
  certificates: Record<string, DeclaredCertificate>;
  caCertificates: Record<string, DeclaredCa>;
  enrollmentGroups: Record<string, DeclaredGroup>;
  /** Keys are registration IDs. */
  individualEnrollments: Record<string, DeclaredIndividual>;
  compromised: Compromised[];
  denied: Denied[];
  waivers: Waiver[];
}

/** What is known beyond the two configurations. */
export interface KnownFacts {
  /** Keys that were ever declared compromised in this stack: SHA-256 of the SubjectPublicKeyInfo. */
  compromisedKeys?: { publicKeySha256: string; reason: string }[];
  /** What a read of the live service and its hubs shows; absent: nothing was read. */
  fleet?: FleetFacts;
  /** What the stack before this one has applied; absent: rolls wait for no other stack. */
  promotion?: PromotionFacts;
  /** Devices of the linked hubs; absent: nothing was read. */
  hubCounts?: HubCounts;
}

export type Procedure =
  "P2" | "P3" | "P4" | "P5" | "P6" | "P7" | "P8" | "P9" | "P10" | "P11" | "P12" | "enroll" | "none";

/**
 * Expiration: `prepare` (the next certificate is put beside the accepted one), `activate` (the slots
 * change places), `retire` (the old one is removed). Breach: `contain` (nothing replaces what is
 * closed), `replace` (contained, replaced, then removed). `replace` of an expiration roll has no
 * overlap. `readmit` lifts a denial.
 */
export type Phase =
  | "prepare"
  | "activate"
  | "retire"
  | "contain"
  | "replace"
  | "remove"
  | "enroll"
  | "enable"
  | "disable"
  | "deny"
  | "readmit"
  | "none";

/**
 * When `up` takes a step: everything of a stage is done before anything of the next. `prove` uploads
 * and verifies CA certificates, `remove` ends registrations and hub identities, `delete` takes
 * entries and CA certificates away.
 */
export type Stage = "contain" | "prove" | "write" | "remove" | "delete";

/**
 * What a step does in DPS. `write` makes the entry what is declared; `hold` makes a disabled entry
 * that shuts out a registration ID, or what chains to `certificate` (SHA-256 thumbprint).
 */
export type Action =
  | { do: "disable" | "write" | "delete" | "remove devices"; entry: string }
  | { do: "hold"; entry: string; certificate?: string }
  | { do: "upload" | "delete CA"; ca: string }
  | { do: "nothing" };

export interface Step {
  stage: Stage;
  action: Action;
  /** For people. */
  words: string;
}

/** What a change does to one entry. */
export interface Roll {
  /** Path of the entry: `enrollmentGroups.sensors`. */
  entry: string;
  kind: "individual" | "group" | "ca";
  procedure: Procedure;
  phase: Phase;
  /** One line: "expiration roll of enrollment group `sensors`: prepare". */
  words: string;
  /** One line for each slot that is or was filled: "secondary: empty → Root B (SHA-256 …)". */
  slots: string[];
  /** What `up` does, in order; empty when nothing changes. */
  steps: Step[];
  /** How to go back from this phase, in a sentence; empty when nothing changes. */
  back: string;
}

export interface Judgement {
  /** In the order of the configuration; `refusals(faults)` are those that stop the change. */
  faults: Fault[];
  /** One for each entry before or after the change, and one for each denial without an entry. */
  rolls: Roll[];
}
