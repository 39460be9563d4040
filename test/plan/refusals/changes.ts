/** Changes that are refused in view of what was declared before, and of the service and its devices. */
import { joiningFault } from "../../../dynamic-providers/enrollment/adoption";
import { liveEnrollment } from "../../../dynamic-providers/enrollment/live";
import { summarize } from "../../../certificates/summary";
import type { Declared } from "../../../certificates/declared";
import { known } from "../../certificates/fixtures";
import type { ChangeRefusal } from "./refusal";
import { infoOf, type Scene } from "../scene";
import { CONNECTION } from "../scene-preview";

const service = { name: "dps", resourceGroup: "rg", location: "westeurope", adopt: false };
const hubs = [
  { name: "hub-1", adopt: false },
  { name: "hub-2", adopt: false },
];

/** Both roots are admitted. */
const overlapping = (base: Declared): void => {
  base.caCertificates["root-b"] = { certificate: "root-b" };
  base.enrollmentGroups["sensors"]!.secondary = { ca: "root-b" };
};
const retireRootA = (copy: Declared): void => {
  copy.enrollmentGroups["sensors"] = { secondary: { ca: "root-b" }, status: "enabled" };
  delete copy.caCertificates["root-a"];
};
/** Another certificate in the second slot of truck-7. */
const nextLeaf =
  (name: string) =>
  (copy: Declared, all: Scene): void => {
    copy.certificates["truck-b"] = known(all.certificates[name]!);
    copy.individualEnrollments["truck-7"]!.secondary = { certificate: "truck-b" };
  };

/** What stands against an individual enrollment for truck-8, of which DPS has this. */
function joining(all: Scene, adopt: boolean, isThere: boolean) {
  const { pem } = all.certificates["truck-8"]!;
  const live = isThere
    ? {
        attestation: {
          type: "x509" as const,
          x509: {
            clientCertificates: {
              primary: { info: infoOf(all.certificates["truck-8-other"]!.pem) },
            },
          },
        },
        etag: "1",
        lastUpdatedDateTimeUtc: "2026-05-01T00:00:00Z",
      }
    : undefined;
  const refused = joiningFault("individual", liveEnrollment(live), {
    connection: CONNECTION,
    enrollmentId: "truck-8",
    provisioningStatus: "enabled",
    reprovisionPolicy: "migrate",
    compromised: [],
    adopt,
    primary: { pem, certificate: summarize(pem) },
  });
  if (refused === undefined) throw new Error("it is refused");
  return { joining: [refused] };
}

const truck8 =
  (adopt: boolean) =>
  (copy: Declared, all: Scene): void => {
    copy.certificates["truck-8"] = known(all.certificates["truck-8"]!);
    copy.individualEnrollments["truck-8"] = {
      primary: { certificate: "truck-8" },
      status: "enabled",
      adopt,
    };
  };

export const CHANGE_REFUSALS: ChangeRefusal[] = [
  {
    code: "DPS-CERT-042",
    change: nextLeaf("truck-expired"),
  },
  {
    code: "DPS-CERT-048",
    change: (copy) => {
      copy.individualEnrollments["truck-7"]!.primary = { certificate: "truck-b" };
    },
  },
  {
    code: "DPS-CERT-049",
    change: nextLeaf("truck-future"),
  },
  {
    code: "DPS-CERT-051",
    isPastProgram: true,
    change: (copy) => {
      delete copy.caCertificates["root-a"];
    },
  },
  {
    code: "DPS-CERT-052",
    change: (copy) => {
      copy.caCertificates["root-a"] = { certificate: "root-b" };
    },
  },
  {
    code: "DPS-CERT-057",
    before: (base) => {
      base.longestOfflineHours = 24 * 30;
      base.individualEnrollments["truck-7"]!.secondary = { certificate: "truck-b" };
    },
    devices: (all) => all.map((one) => (one.id === "truck-7" ? { ...one, leaf: "truck-b" } : one)),
    change: (copy) => {
      copy.individualEnrollments["truck-7"] = {
        secondary: { certificate: "truck-b" },
        status: "enabled",
      };
    },
    live: () => ({ lastWritten: "2026-05-25T00:00:00.0000000Z" }),
  },
  { code: "DPS-CERT-058", before: overlapping, change: retireRootA },
  { code: "DPS-CERT-059", change: nextLeaf("truck-weak") },
  { code: "DPS-CERT-060", change: nextLeaf("truck-sha1") },
  {
    code: "DPS-CERT-061",
    before: (base) => void (base.service = service),
    change: (copy) => void (copy.service = { ...service, name: "dps-2" }),
  },
  {
    code: "DPS-CERT-062",
    before: (base) => void Object.assign(base, { service, hubs }),
    change: (copy) => void (copy.hubs = hubs.slice(0, 1)),
    known: () => ({
      hubCounts: {
        hubs: [{ name: "hub-1", devices: 3 }],
        leftOut: ["the devices of hub hub-2, because: no answer within 30 s"],
      },
    }),
  },
  {
    code: "DPS-CERT-063",
    change: (copy) => {
      delete copy.enrollmentGroups["sensors"];
    },
  },
  {
    code: "DPS-CERT-072",
    isPastProgram: true,
    change: (copy, all) => {
      copy.certificates["truck-b"] = known(all.certificates["truck-renewed"]!);
      copy.individualEnrollments["truck-7"]!.primary = { certificate: "truck-b" };
      copy.compromised = [{ certificate: "truck-a", reason: "found on a stolen laptop" }];
    },
  },
  {
    code: "DPS-CERT-073",
    before: (base) => {
      base.individualEnrollments["truck-7"]!.primary = { certificate: "truck-b" };
      base.compromised = [{ certificate: "truck-a", reason: "found on a stolen laptop" }];
    },
    devices: (all) => all.map((one) => (one.id === "truck-7" ? { ...one, leaf: "truck-b" } : one)),
    change: (copy) => {
      copy.individualEnrollments["truck-7"]!.secondary = { certificate: "truck-a" };
      copy.compromised = [];
    },
  },
  {
    code: "DPS-CERT-080",
    change: (copy) => {
      copy.caCertificates["root-b"] = { certificate: "root-b" };
      copy.enrollmentGroups["sensors"]!.secondary = { ca: "root-b" };
    },
    live: () => ({
      caCertificates: Array.from({ length: 23 }, (_, index) => ({
        name: `old-${index + 1}`,
        sha1Thumbprint: "00",
        subject: `Old root ${index + 1}`,
      })),
    }),
  },
  {
    code: "DPS-CERT-082",
    before: (base) => {
      base.enrollmentGroups["above"] = { primary: { ca: "root-i" }, status: "enabled" };
    },
    change: (copy) => {
      delete copy.enrollmentGroups["above"];
      copy.enrollmentGroups["gateways"]!.primary = { certificate: "plant-2" };
      copy.compromised = [{ certificate: "plant-1", reason: "key leaked by the plant" }];
    },
  },
  {
    code: "DPS-CERT-118",
    change: (copy) => {
      copy.caCertificates["root-b"] = { certificate: "root-b", adopt: true };
    },
  },
  {
    code: "DPS-CERT-125",
    change: truck8(true),
    live: (all) => joining(all, true, false),
  },
  { code: "DPS-CERT-126", change: truck8(true), live: (all) => joining(all, true, true) },
  { code: "DPS-CERT-129", change: truck8(false), live: (all) => joining(all, false, true) },
  {
    code: "DPS-CERT-140",
    before: overlapping,
    devices: (all) => all.filter(({ entry }) => entry !== "group:sensors"),
    change: retireRootA,
    live: () => ({
      uncounted: {
        "group:sensors": "more than 50000 devices on record; the others are not counted",
      },
    }),
  },
  {
    code: "DPS-CERT-150",
    change: overlapping,
    known: () => ({
      promotion: {
        after: "staging",
        applied: [
          {
            entry: "enrollmentGroups.sensors",
            slots: { primary: "CA root-a" },
            identities: ["root-a"],
            since: "2026-01-10T09:00:00.000Z",
          },
        ],
        own: [],
      },
    }),
  },
  {
    code: "DPS-CERT-160",
    change: (copy) => {
      copy.caCertificates["root-b"] = { certificate: "root-b" };
    },
    live: () => ({
      caCertificates: [{ name: "root-b", sha1Thumbprint: "0A".repeat(20), subject: "Plant root" }],
    }),
  },
  {
    code: "DPS-CERT-162",
    before: (base) => void Object.assign(base, { service, hubs }),
    change: (copy) => void (copy.hubs = hubs.slice(0, 1)),
    known: () => ({
      hubCounts: {
        hubs: [
          { name: "hub-1", devices: 3 },
          { name: "hub-2", devices: 3 },
        ],
        leftOut: [],
      },
    }),
  },
];
