/** A service with two groups in a roll, as an inventory, for the tests of its status. */
import { summarize } from "../../certificates/summary";
import type { DeviceOfHub } from "../../clients/hub-devices";
import type { Inventory, LiveSlot } from "../../plan/inventory";
import { type StatusOptions, statusOf } from "../../status/roll-status";
import type { Status } from "../../status/status";
import { TestCa } from "../support/test-ca";

export const READ_AT = "2026-11-24T20:00:00.000Z";
export const DAY_MS = 86_400_000;

export interface Scene {
  old: TestCa;
  next: TestCa;
  inventory: Inventory;
}

/** Two roots, the old one ends in 20 days; group `sensors` refers to both. */
export async function scene(): Promise<Scene> {
  const from = { notBefore: new Date("2026-01-01T00:00:00Z") };
  const old = await TestCa.root("Old root", {
    ...from,
    notAfter: new Date("2026-12-14T00:00:00Z"),
  });
  const next = await TestCa.root("Next root", {
    ...from,
    notAfter: new Date("2030-01-01T00:00:00Z"),
  });
  const inventory: Inventory = {
    readAt: READ_AT,
    entries: [
      {
        kind: "group",
        id: "sensors",
        key: "group:sensors",
        enabled: true,
        slots: [
          { name: "primary", ca: "old" },
          { name: "secondary", ca: "next" },
        ],
      },
    ],
    caCertificates: [
      { name: "old", ...live(old) },
      { name: "next", ...live(next) },
    ],
    hubs: ["hub-a.test", "hub-b.test"],
    tiers: {},
    devices: [],
    facts: {
      entries: { "group:sensors": { devices: [], withSasKey: [], edge: [], children: [] } },
      leftOut: [],
    },
    leftOut: [],
  };
  return { old, next, inventory };
}

function live({ pem }: TestCa) {
  const { sha1Thumbprint, subjectCommonName, notAfter } = summarize(pem);
  const body = { thumbprint: sha1Thumbprint, subject: subjectCommonName, expiry: notAfter };
  return { etag: "1", isVerified: true, ...body };
}

/** A device of `sensors`, whose hub has a leaf that it says `issuer` issued. */
export function join(
  { inventory }: Scene,
  deviceId: string,
  hub: string,
  issuer?: TestCa,
  leafNotAfter?: string,
): void {
  const leafSha256 = "AB".repeat(32);
  const issuerSha256 = issuer && summarize(issuer.pem).sha256Thumbprint;
  const identity: DeviceOfHub = {
    deviceId,
    authenticationType: "selfSigned",
    thumbprints: [leafSha256],
    isEdge: false,
    isChild: false,
    ...(issuerSha256 && {
      reported: { leafSha256, issuerSha256, ...(leafNotAfter && { leafNotAfter }) },
    }),
  };
  inventory.devices.push({
    registrationId: deviceId,
    deviceId,
    entry: "group:sensors",
    status: "assigned",
    assignedHub: hub,
    identities: [{ ...identity, hub }],
  });
  inventory.facts.entries["group:sensors"]!.devices.push({
    deviceId,
    hub,
    leaf: leafSha256,
    ...(issuerSha256 && { issuer: { thumbprint: issuerSha256, by: "report" } }),
  });
}

export function heldCertificate(name: LiveSlot["name"], { pem }: { pem: string }): LiveSlot {
  const { subject, issuer, notBefore, notAfter, ...rest } = summarize(pem);
  return {
    name,
    certificate: {
      subjectName: subject,
      issuerName: issuer,
      notBeforeUtc: notBefore,
      notAfterUtc: notAfter,
      sha1Thumbprint: rest.sha1Thumbprint,
      sha256Thumbprint: rest.sha256Thumbprint,
      serialNumber: rest.serialNumber,
      version: 3,
    },
  };
}

export function status({ inventory, old, next }: Scene, more: Partial<StatusOptions> = {}): Status {
  return statusOf(inventory, {
    target: "sandbox",
    service: "dps.test",
    known: [old.pem, next.pem],
    isCompromised: () => false,
    windowMs: 30 * DAY_MS,
    leavesWindowMs: 30 * DAY_MS,
    ...more,
  });
}
