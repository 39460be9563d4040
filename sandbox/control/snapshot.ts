/** Everything that is in a sandbox at one moment, for people who want to look inside. No secrets. */
import { X509Certificate } from "node:crypto";
import type { ProvisioningServiceRecord, Sandbox, StoredCertificate } from "../common/model";
import { Directory, type EnrollmentRecord, type RegistrationRecord } from "../dps-service/records";
import { connectionsOf } from "../iot-hub/connections";
import type { DeviceRecord } from "../iot-hub/records";
import { DeviceRegistry } from "../iot-hub/registry";

/** A certificate in one line's worth of data. */
export interface ShownCertificate {
  subject: string;
  /** SHA-256, upper-case hex. */
  sha256Thumbprint: string;
  /** ISO 8601. */
  notAfter: string;
}

/** What a slot holds. */
export type ShownSlot = ShownCertificate | { ca: string } | "symmetric key" | "empty";

export interface ShownEntry {
  kind: "individual" | "group";
  id: string;
  status: "enabled" | "disabled";
  primary: ShownSlot;
  secondary: ShownSlot;
}

export interface ShownService {
  name: string;
  idScope: string;
  hostName: string;
  allocationPolicy: string;
  /** Host names. */
  linkedHubs: string[];
  caCertificates: (ShownCertificate & { name: string; isVerified: boolean })[];
  entries: ShownEntry[];
  registrations: Pick<
    RegistrationRecord,
    "registrationId" | "status" | "assignedHub" | "deviceId" | "lastUpdatedDateTimeUtc"
  >[];
}

export interface ShownHub {
  name: string;
  hostName: string;
  devices: {
    deviceId: string;
    status: "enabled" | "disabled";
    authentication: string;
    /** Upper-case hex, SHA-1 or SHA-256. */
    thumbprints: string[];
    connected: boolean;
  }[];
}

export interface Snapshot {
  /** Sandbox time, ISO 8601. */
  now: string;
  provisioningServices: ShownService[];
  iotHubs: ShownHub[];
}

export function snapshot(sandbox: Sandbox): Snapshot {
  return {
    now: sandbox.clock.now().toISOString(),
    provisioningServices: sandbox.services.list().map((service) => showService(sandbox, service)),
    iotHubs: sandbox.hubs.list().map(({ name, hostName }) => ({
      name,
      hostName,
      devices: new DeviceRegistry(sandbox, name).list().map((device) => ({
        ...showDevice(device),
        connected: connectionsOf(sandbox, name).isConnected(device.deviceId),
      })),
    })),
  };
}

function showService(sandbox: Sandbox, service: ProvisioningServiceRecord): ShownService {
  const directory = new Directory(sandbox, service);
  return {
    name: service.name,
    idScope: service.idScope,
    hostName: service.serviceHostName,
    allocationPolicy: service.allocationPolicy,
    linkedHubs: service.linkedHubs.map(({ name }) => name),
    caCertificates: directory
      .caCertificates()
      .map(({ name, der, isVerified }) => ({ name, isVerified, ...showCertificate(der) })),
    entries: [...directory.entries("group"), ...directory.entries("individual")].map(showEntry),
    registrations: directory
      .allRegistrations()
      .map(({ registrationId, status, assignedHub, deviceId, lastUpdatedDateTimeUtc }) => ({
        registrationId,
        status,
        ...(assignedHub !== undefined && { assignedHub }),
        ...(deviceId !== undefined && { deviceId }),
        lastUpdatedDateTimeUtc,
      })),
  };
}

function showEntry({ kind, id, settings, attestation }: EnrollmentRecord): ShownEntry {
  const slot = (name: "primary" | "secondary"): ShownSlot =>
    attestation.form === "symmetricKey" ? "symmetric key" : showSlot(attestation[name]);
  return {
    kind,
    id,
    status: settings.provisioningStatus ?? "enabled",
    primary: slot("primary"),
    secondary: slot("secondary"),
  };
}

function showSlot(slot: StoredCertificate | string | undefined): ShownSlot {
  if (slot === undefined) return "empty";
  return typeof slot === "string" ? { ca: slot } : showCertificate(Buffer.from(slot.der, "base64"));
}

function showCertificate(der: Buffer): ShownCertificate {
  const certificate = new X509Certificate(der);
  return {
    subject: certificate.subject.replaceAll("\n", ", "),
    sha256Thumbprint: certificate.fingerprint256.replaceAll(":", ""),
    notAfter: new Date(certificate.validTo).toISOString(),
  };
}

function showDevice({ deviceId, status, authentication }: DeviceRecord) {
  const { primaryThumbprint, secondaryThumbprint } = authentication.x509Thumbprint;
  return {
    deviceId,
    status,
    authentication: authentication.type,
    thumbprints: [primaryThumbprint, secondaryThumbprint].filter((one) => one !== null),
  };
}
