/** A service with its devices, and changes of it, for the golden plans. The day is always the same. */
import type { Declared, DeclaredCertificate } from "../../certificates/declared";
import { entriesOf, entryKey } from "../../certificates/slots";
import { summarize } from "../../certificates/summary";
import type { Inventory, InventoryDevice, LiveEntry, LiveSlot } from "../../plan/inventory";
import { entryFacts, placeOf } from "../../dynamic-providers/fleet-judgement/evidence";
import type { DeviceOfHub } from "../../clients/hub-devices";
import { below, declared, known, leaf, NOW, root } from "../certificates/fixtures";
import { type Issued, rsa, type TestCa } from "../support/test-ca";

export const HUBS = ["hub-1.azure-devices.net", "hub-2.azure-devices.net"] as const;

/** A device on record. */
export interface SceneDevice {
  id: string;
  /** `group:sensors` */
  entry: string;
  /** Name of its leaf's certificate in `Scene.leaves`. */
  leaf: string;
  hub: string;
  /** It says in its twin who issued its leaf. */
  reports?: boolean;
  isEdge?: boolean;
  isChild?: boolean;
}

export interface Scene {
  base: Declared;
  certificates: Record<string, Issued>;
  devices: SceneDevice[];
  /** The root that `gateways` chain to. */
  rootI: TestCa;
}

/**
 * Two groups and an individual enrollment: `sensors` below a root, `gateways` below an intermediate,
 * `truck-7` by its own leaf. Next certificates of all of them are there.
 */
export async function scene(): Promise<Scene> {
  const rootA = await root("Root A");
  const rootB = await root("Root B");
  const rootI = await root("Root I");
  const low = await below(rootI, "Plant CA 1");
  const next = await below(rootI, "Plant CA 2");
  const truckA = await leaf(rootB, "truck-7");
  const certificates: Record<string, Issued> = {
    "root-a": rootA.certificate,
    "root-b": rootB.certificate,
    "root-i": rootI.certificate,
    "plant-1": low.certificate,
    "plant-2": next.certificate,
    "truck-a": truckA,
    "truck-b": await leaf(rootB, "truck-7"),
    "truck-expired": await leaf(rootB, "truck-7", { notAfter: new Date("2026-05-01T00:00:00Z") }),
    "truck-future": await leaf(rootB, "truck-7", { notBefore: new Date("2026-09-01T00:00:00Z") }),
    "truck-renewed": await leaf(rootB, "truck-7", { keys: truckA.keys }),
    "truck-weak": await leaf(rootB, "truck-7", { algorithm: rsa(1024) }),
    "truck-sha1": await leaf(rootB, "truck-7", { hash: "SHA-1" }),
    "truck-8": await leaf(rootB, "truck-8"),
    "truck-8-other": await leaf(rootB, "truck-8"),
    "sensor-1": await leaf(rootA, "sensor-1"),
    "sensor-1-new": await leaf(rootA, "sensor-1"),
    "sensor-2": await leaf(rootA, "sensor-2"),
    "sensor-3": await leaf(rootB, "sensor-3"),
    "sensor-4": await leaf(rootA, "sensor-4"),
    "gateway-1": await leaf(low, "gateway-1"),
    "gateway-2": await leaf(low, "gateway-2"),
    "gateway-3": await leaf(next, "gateway-3"),
  };
  const [one, two] = HUBS;
  const named = ["root-a", "root-b", "root-i", "plant-1", "plant-2", "truck-a", "truck-b"];
  return {
    certificates,
    rootI,
    base: declared(Object.fromEntries(named.map((name) => [name, certificates[name]!])), {
      caCertificates: { "root-a": { certificate: "root-a" }, "root-i": { certificate: "root-i" } },
      enrollmentGroups: {
        sensors: { primary: { ca: "root-a" }, status: "enabled" },
        gateways: { primary: { certificate: "plant-1" }, status: "enabled" },
      },
      individualEnrollments: {
        "truck-7": { primary: { certificate: "truck-a" }, status: "enabled" },
      },
    }),
    devices: [
      { id: "sensor-1", entry: "group:sensors", leaf: "sensor-1", hub: one, reports: true },
      { id: "sensor-2", entry: "group:sensors", leaf: "sensor-2", hub: two, reports: true },
      { id: "sensor-4", entry: "group:sensors", leaf: "sensor-4", hub: two },
      {
        id: "gateway-1",
        entry: "group:gateways",
        leaf: "gateway-1",
        hub: one,
        reports: true,
        isEdge: true,
      },
      { id: "gateway-2", entry: "group:gateways", leaf: "gateway-2", hub: one, isChild: true },
      { id: "truck-7", entry: "individual:truck-7", leaf: "truck-a", hub: two },
    ],
  };
}

/** An intermediate below Root I with this common name, whatever it holds. */
export async function intermediateNamed(
  name: string,
  { rootI }: Scene,
): Promise<DeclaredCertificate> {
  const text = Buffer.from(name);
  // DER of a UTF8String (RFC 4514 section 2.4): no character of it is syntax.
  const der = Buffer.concat([Buffer.from([0x0c, text.length]), text]);
  const ca = await below(rootI, "", { subject: `CN=#${der.toString("hex")}` });
  return known(ca);
}

const ISSUERS: Record<string, string> = {
  "sensor-1": "root-a",
  "sensor-2": "root-a",
  "sensor-3": "root-b",
  "sensor-4": "root-a",
  "gateway-1": "plant-1",
  "gateway-2": "plant-1",
  "gateway-3": "plant-2",
};

/** What DPS and the hubs hold while `before` is what was carried out last. */
export function inventoryOf(
  { certificates }: Scene,
  before: Declared,
  devices: SceneDevice[],
): Inventory {
  const entries = [
    ...deniedEntries(before),
    ...entriesOf(before).map(({ kind, id, key, enabled, slots }): LiveEntry => ({
      kind,
      id,
      key,
      enabled,
      lastWritten: "2026-05-01T00:00:00.0000000Z",
      slots: slots.map(({ name, slot, certificate }): LiveSlot => {
        if ("ca" in slot) return { name, ca: slot.ca };
        if (certificate?.known !== true) throw new Error("all certificates of the scene are known");
        return { name, certificate: infoOf(certificate.pem) };
      }),
    })),
  ];
  const places = new Map<string, DeviceOfHub & { hub: string }>();
  const thumbprint = (name: string): string => certificates[name]!.thumbprint;
  for (const { id, leaf: held, hub, reports, isEdge = false, isChild = false } of devices) {
    const leafSha256 = thumbprint(held);
    places.set(placeOf(hub, id), {
      hub,
      deviceId: id,
      authenticationType: "selfSigned",
      thumbprints: [leafSha256],
      isEdge,
      isChild,
      ...(reports && { reported: { leafSha256, issuerSha256: thumbprint(ISSUERS[held]!) } }),
    });
  }
  const records = devices.map(({ id, entry, hub }) => ({
    entry,
    record: {
      registrationId: id,
      etag: "1",
      status: "assigned" as const,
      assignedHub: hub,
      deviceId: id,
      lastUpdatedDateTimeUtc: "2026-05-15T00:00:00.0000000Z",
    },
  }));
  const caCertificates = Object.entries(before.caCertificates).map(([name, { certificate }]) => {
    const known = before.certificates[certificate]!;
    if (!known.known) throw new Error("all certificates of the scene are known");
    const { sha1Thumbprint, subjectCommonName } = known.summary;
    return {
      name,
      etag: "1",
      isVerified: true,
      thumbprint: sha1Thumbprint,
      subject: subjectCommonName,
    };
  });
  return {
    readAt: NOW.toISOString(),
    entries,
    caCertificates,
    hubs: [...HUBS],
    tiers: { [HUBS[0]]: { sku: "S1", units: 2 } },
    devices: records.map(
      ({ entry, record: { registrationId, assignedHub, deviceId, status } }): InventoryDevice => ({
        registrationId,
        deviceId,
        entry,
        status,
        assignedHub,
        identities: [...places.values()].filter((one) => one.deviceId === deviceId),
      }),
    ),
    facts: {
      entries: Object.fromEntries(
        entries.map(({ key, kind, lastWritten = "" }) => {
          const assigned = records.filter(({ entry }) => entry === key).map(({ record }) => record);
          return [key, entryFacts(kind, { lastWritten, assigned }, places, new Map())];
        }),
      ),
      caCertificates: caCertificates.map(({ name, thumbprint, subject, isVerified }) => ({
        name,
        sha1Thumbprint: thumbprint,
        subject,
        isVerified,
      })),
      leftOut: [],
    },
    leftOut: [],
  };
}

/* A registration ID without a certificate is denied by an entry with a symmetric key. */
function deniedEntries({ denied }: Declared): LiveEntry[] {
  return denied.flatMap((each): LiveEntry[] =>
    "registrationId" in each
      ? [
          {
            kind: "individual",
            id: each.registrationId,
            key: entryKey("individual", each.registrationId),
            enabled: false,
            slots: [],
          },
        ]
      : [],
  );
}

/** The certificate as DPS shows it. */
export function infoOf(pem: string) {
  const { issuer, notAfter, notBefore, serialNumber, sha1Thumbprint, sha256Thumbprint, subject } =
    summarize(pem);
  return {
    subjectName: subject,
    sha1Thumbprint,
    sha256Thumbprint,
    issuerName: issuer,
    notBeforeUtc: notBefore,
    notAfterUtc: notAfter,
    serialNumber,
    version: 3,
  };
}

/** A configuration as changed by `edit`. */
export function edited(base: Declared, edit: (copy: Declared) => void): Declared {
  const copy = structuredClone(base);
  edit(copy);
  return copy;
}

/** Breach of Root A: Root B takes its place. */
export function breach(copy: Declared): void {
  delete copy.caCertificates["root-a"];
  copy.caCertificates["root-b"] = { certificate: "root-b" };
  copy.enrollmentGroups["sensors"]!.primary = { ca: "root-b" };
  copy.compromised = [{ certificate: "root-a", reason: "HSM backup was copied" }];
}
