/**
 * The records of the sandbox, and the one object (`Sandbox`) through which its services see each
 * other. A service owns its collections; others only read them, or call the functions named here.
 */
import type { Clock } from "./clock";
import type { InjectedFaults } from "./injected-faults";
import type { RequestLog } from "./request-log";
import type { Collection } from "./store";
import type { Switches } from "./switches";
import type { Throttles } from "./throttles";

export interface AccessPolicy {
  keyName: string;
  /** base64 */
  primaryKey: string;
  /** base64 */
  secondaryKey: string;
  /** As ARM spells them: "ServiceConfig, DeviceConnect, EnrollmentWrite". */
  rights: string;
}

export interface LinkedHub {
  /** Host name of the hub, read-only in ARM. */
  name: string;
  connectionString: string;
  location: string;
  allocationWeight?: number;
  applyAllocationPolicy?: boolean;
}

/** Key in its collection: the name. Names are unique over the whole sandbox, as in Azure. */
export interface ProvisioningServiceRecord {
  name: string;
  resourceGroup: string;
  subscriptionId: string;
  location: string;
  tags: Record<string, string>;
  sku: { name: string; capacity: number; tier: string };
  /** 8-byte base64, as ARM shows it. */
  etag: string;
  idScope: string;
  serviceHostName: string;
  allocationPolicy: "Hashed" | "GeoLatency" | "Static";
  linkedHubs: LinkedHub[];
  authorizationPolicies: AccessPolicy[];
  /** Properties that were sent and are kept but not acted on, by ARM name. */
  otherProperties: Record<string, unknown>;
}

/** Key: `<service name>/<certificate name>`. */
export interface CaCertificateRecord {
  service: string;
  name: string;
  /** DER, base64. */
  certificate: string;
  isVerified: boolean;
  /** base64 of a quoted etag. */
  etag: string;
  /** Those with which possession can be proved now. */
  verificationCodes?: string[];
  /** ISO 8601. */
  created: string;
  updated: string;
}

/** Key: the name. */
export interface IotHubRecord {
  name: string;
  resourceGroup: string;
  subscriptionId: string;
  location: string;
  tags: Record<string, string>;
  sku: { name: string; capacity: number; tier: string };
  etag: string;
  hostName: string;
  authorizationPolicies: AccessPolicy[];
  otherProperties: Record<string, unknown>;
}

/** A certificate in a slot of an enrollment. The service never returns it, only its `info`. */
export interface StoredCertificate {
  /** DER, base64. */
  der: string;
  info: CertificateInfo;
}

/** As DPS shows a stored certificate. */
export interface CertificateInfo {
  subjectName: string;
  sha1Thumbprint: string;
  sha256Thumbprint: string;
  issuerName: string;
  notBeforeUtc: string;
  notAfterUtc: string;
  serialNumber: string;
  version: number;
}

export type AssignedAuthentication =
  /** SHA-256, upper-case hex, of the leaf that the device presented. */
  | { type: "selfSigned"; thumbprint: string }
  /** The device's keys, base64. */
  | { type: "sas"; primaryKey: string; secondaryKey: string };

/** What DPS asks of a linked hub when a device has been attested. */
export interface HubAssignment {
  hubHostName: string;
  deviceId: string;
  /** How the device proved itself to DPS, and will prove itself to the hub. */
  authentication: AssignedAuthentication;
  initialTwin?: {
    tags?: Record<string, unknown>;
    properties?: { desired?: Record<string, unknown> };
  };
  capabilities?: { iotEdge?: boolean };
}

/** What the IoT hub service offers to DPS; in Azure this is the linked hub's connection string. */
export interface LinkedHubOperations {
  /** Does the hub exist and does the linked connection string still open it? */
  accepts(connectionString: string): boolean;
  /**
   * Creates the device identity, or rewrites the authentication of the one that is there. `reset` sets the twin back to the initial twin.
   */
  assign(assignment: HubAssignment, reset: boolean): void;
  has(hubHostName: string, deviceId: string): boolean;
  /** The twin's tags and desired properties, to be migrated to another hub. */
  twin(hubHostName: string, deviceId: string): HubAssignment["initialTwin"] | undefined;
  /** Deletes the identity and ends its connections; DPS does this when it moves a device. */
  remove(hubHostName: string, deviceId: string): void;
}

/** A TLS server certificate and key, PEM. */
export interface ServerIdentity {
  cert: string;
  key: string;
}

/** What a running sandbox gives to its services. */
export interface Sandbox {
  readonly clock: Clock;
  /** What is not known about Azure, as this sandbox is set. */
  readonly switches: Switches;
  readonly throttles: Throttles;
  readonly log: RequestLog;
  /** Faults that somebody ordered. */
  readonly faults: InjectedFaults;
  readonly services: Collection<ProvisioningServiceRecord>;
  readonly caCertificates: Collection<CaCertificateRecord>;
  readonly hubs: Collection<IotHubRecord>;
  /** Any other collection, by name; the caller owns its shape. */
  collection<T extends object>(name: string): Collection<T>;
  /** All that `run` writes is stored, or none of it; see `Store.atomically`. */
  atomically<T>(run: () => T): T;
  /** A server certificate for these DNS names and IP addresses, from the sandbox's own TLS root. */
  serverIdentity(names: string[]): Promise<ServerIdentity>;
  /** Judges an Entra access token that this sandbox issued. Throws when it is not valid. */
  verifyToken(bearer: string): void;
  readonly linkedHubs: LinkedHubOperations;
}

/** A listening front of one DPS instance or one IoT hub. */
export interface ServiceEndpoint {
  /** Port of HTTPS on loopback: service API, and for DPS the device API as well. */
  httpsPort: number;
  /** Port of MQTT over TLS on loopback. */
  mqttPort: number;
  close(): Promise<void>;
}

/** How a service's front starts: on which loopback address, and which ports (0: any free one). */
export interface ListenOptions {
  address: string;
  httpsPort: number;
  mqttPort: number;
}
