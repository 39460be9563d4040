/**
 * The stack's configuration: its type, and the one way to read it. `schema.json` says what may be
 * written; here is what is left when all defaults are filled in.
 */
import type { Limit } from "../certificates/declared";
import { refuseAny } from "../certificates/faults";
import { configurationFaults } from "./checks";
import { schemaFaults } from "./schema-faults";

export interface StackConfiguration {
  /** `sandbox`: the local emulator. `azure`: a real subscription. */
  target: "sandbox" | "azure";
  /** `entra`: Microsoft Entra ID. `keys`: access policies, listed at run time. */
  auth: "entra" | "keys";
  service: ServiceConfiguration;
  hubs: HubConfiguration[];
  certificates: Record<string, CertificateConfiguration>;
  caCertificates: Record<string, CaCertificateConfiguration>;
  /** By group ID. */
  enrollmentGroups: Record<string, EnrollmentGroupConfiguration>;
  /** By registration ID. */
  individualEnrollments: Record<string, IndividualEnrollmentConfiguration>;
  compromised: CompromisedConfiguration[];
  denied: DeniedConfiguration[];
  /** What is known of the fleet and cannot be read. */
  fleet: { longestOfflineHours: number };
  /** How many devices of an entry may be at risk when a slot of it is emptied. */
  retirement: { onOld: Limit; notKnown: Limit };
  remove: RemoveConfiguration;
  reprovisioning: ReprovisioningConfiguration;
  /** The stack that carries out expiration rolls before this one; absent: none. */
  promotion: { after?: string };
  /** What was closed by hand and is opened again. */
  reenable: ReenableConfiguration[];
  waivers: WaiverConfiguration[];
}

export interface ServiceConfiguration {
  /** Absent: made with a random suffix. */
  name?: string;
  resourceGroup: string;
  location: string;
  allocationPolicy: "Hashed" | "GeoLatency" | "Static";
  /** It exists already: looked up, not managed. */
  adopt: boolean;
}

export interface HubConfiguration {
  /** Absent: made with a random suffix. */
  name?: string;
  sku: "F1" | "B1" | "B2" | "B3" | "S1" | "S2" | "S3";
  units: number;
  adopt: boolean;
}

export type CertificateConfiguration = { file: string } | { dev: DevCertificateConfiguration };

/** A certificate made in the stack; refused for the target azure. */
export interface DevCertificateConfiguration {
  /** Name in `certificates`; absent: self-signed. */
  issuer?: string;
  commonName: string;
  /** Days of validity, from when it is made. */
  days: number;
  key: "ecdsa-p256" | "rsa-2048";
  ca: boolean;
}

export interface CaCertificateConfiguration {
  /** Name in `certificates`. */
  certificate: string;
  /** Absent only for a dev CA, whose key is in the stack, and for one that is adopted. */
  proof?: ProofConfiguration;
  /** It is in DPS already and is taken over. */
  adopt: boolean;
  /** Stays in DPS when it leaves the configuration. Absent: what `adopt` says. */
  retain?: boolean;
}

export type ProofConfiguration =
  | { keyFile: string }
  | { command: string[] }
  | { signatureCommand: string[] }
  | { offline: { signedFile?: string } }
  | { selfAttested: true };

export type GroupSlotConfiguration = { ca: string } | { certificate: string };

interface EntryConfiguration {
  status: "enabled" | "disabled";
  reprovisionPolicy: "migrate" | "reset" | "never";
  reprovision?: "directMethod" | "job";
  adopt: boolean;
  /** Stays in DPS when it leaves the configuration. Absent: what `adopt` says. */
  retain?: boolean;
}

export interface EnrollmentGroupConfiguration extends EntryConfiguration {
  primary?: GroupSlotConfiguration;
  secondary?: GroupSlotConfiguration;
}

export interface IndividualEnrollmentConfiguration extends EntryConfiguration {
  primary?: { certificate: string };
  secondary?: { certificate: string };
  /** Absent: the registration ID. */
  deviceId?: string;
}

/** How the devices of entries with `reprovision` are told to register again. */
export interface ReprovisioningConfiguration {
  /** Seconds for one entry; the rest is done by the next `up`. */
  waitSeconds: number;
  /** Seconds for a device to answer. */
  responseSeconds: number;
  /** Seconds for which a hub waits for a device that is offline, with direct methods. */
  connectSeconds: number;
  methodName: string;
}

export interface RemoveConfiguration {
  how: "now" | "waves" | "evidenced";
  keep: "delete" | "rekey";
  /** Absent: the defaults of its properties. */
  waves?: WavesConfiguration;
  /** File with the manifest of issued leaves. */
  issuedLeaves?: string;
}

export interface WavesConfiguration {
  /** Devices in the first wave, the second, …; the last number goes on. */
  sizes?: number[];
  /** In place of `sizes`: percent of all devices in each wave. */
  share?: number;
  /** Percent of the devices of the waves before that have to be back. */
  returned: number;
  /** How long they are waited for, seconds. */
  waitSeconds: number;
  /** At least this long between two waves, minutes. */
  pauseMinutes: number;
}

export type CompromisedConfiguration = ({ certificate: string } | { thumbprint: string }) & {
  reason: string;
};

export type DeniedConfiguration = ({ registrationId: string } | { certificate: string }) & {
  reason: string;
};

export interface ReenableConfiguration {
  /** `enrollmentGroups.<id>`, `individualEnrollments.<id>` or `caCertificates.<name>`. */
  path: string;
  /** Acts once: opening the same thing again later needs another reason. */
  reason: string;
}

export interface WaiverConfiguration {
  code: string;
  path: string;
  reason: string;
  /** Last day on which it holds: YYYY-MM-DD, UTC. */
  until: string;
  /** Of DPS-CERT-058: the devices that may be cut off. */
  devices?: string[];
}

/**
 * Reads a configuration as it is written (parsed YAML or JSON) and fills in the defaults. Throws
 * `RefusedError` with all faults: spelling and shape first, and when those are right, what the
 * configuration asks for and cannot have. `raw` is not changed.
 */
export function readConfiguration(raw: unknown): StackConfiguration {
  const value: unknown = structuredClone(raw);
  daysAsText(value);
  refuseAny(schemaFaults(value));
  const configuration = withDevDefaults(value as StackConfiguration);
  refuseAny(configurationFaults(configuration));
  return configuration;
}

/* YAML takes an unquoted day for a time, and the engine hands it over as Go prints midnight UTC of that day. */
function daysAsText(value: unknown): void {
  const { waivers } = (value ?? {}) as { waivers?: unknown };
  if (!Array.isArray(waivers)) return;
  for (const waiver of waivers as ({ until?: unknown } | null)[]) {
    const { until } = waiver ?? {};
    if (typeof until !== "string") continue;
    const [, day] = /^(\d{4}-\d{2}-\d{2}) 00:00:00 \+0000 UTC$/.exec(until) ?? [];
    if (waiver && day !== undefined) waiver.until = day;
  }
}

/* The one default that a schema cannot say: it depends on another property. */
function withDevDefaults(configuration: StackConfiguration): StackConfiguration {
  for (const certificate of Object.values(configuration.certificates)) {
    if ("dev" in certificate) {
      const dev: Partial<DevCertificateConfiguration> = certificate.dev;
      dev.ca ??= dev.issuer === undefined;
    }
  }
  return configuration;
}
