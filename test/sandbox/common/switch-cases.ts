/** Which test tries which setting of which switch: the compiler misses what is not here. */
import type { Switches } from "../../../sandbox/common/switches";
import type { Place } from "./places";

export type SwitchCases = {
  readonly [N in keyof Switches]: Readonly<Record<`${Switches[N]}`, Place>>;
};

const INDIVIDUALS = "dps-device/attestation/individual-cases.ts";
const GROUPS = "dps-device/attestation/group-cases.ts";
const CHAINS = "dps-device/attestation/chain-cases.ts";
const PATHS = "dps-device/attestation/path-cases.ts";
const ODD = "dps-device/attestation/odd-cases.ts";
const DEVICES = "dps-device/https.test.ts";
const ASSIGNMENT = "dps-device/assignment.test.ts";
const ACCESS = "dps-service/access.test.ts";
const LIMITS = "dps-service/limits.test.ts";
const RATES = "iot-hub/limits.test.ts";
const HUB = "iot-hub/switches.test.ts";
const LINKED = "iot-hub/linked-hub-operations.test.ts";
const JOBS = "iot-hub/jobs.test.ts";
const ARM = "arm/switches.test.ts";

const takesTurns: Place = [
  DEVICES,
  "lets a newer registration take the place of one under way, or answers 409 where it is set to",
];
const sameCertificate: Place = [
  ACCESS,
  "sameCertificateTwice=${setting}: one certificate in two enrollments",
];
const ofDeletedGroup: Place = [
  ACCESS,
  "registrationsOfDeletedGroup=${setting}: the records of a group that was deleted",
];
const refusalCode: Place = [HUB, "hubRefusalCode=${hubRefusalCode} is what a refused device gets"];
const resets: Place = [HUB, "resetClearsReported=false keeps what the device has reported"];
const early: Place = [HUB, "hubChecksNotBefore=false lets in a certificate that is not valid yet"];
const jobs: Place = [JOBS, "follow the switches for what is not known"];
const replaces: Place = [
  HUB,
  "twinReplaceEmptiesMissingParts=${twinReplaceEmptiesMissingParts}: a PUT that names no desired properties",
];
const referenced: Place = [
  "arm/ca-certificates.test.ts",
  "is deleted while a group refers to it, unless the switch says otherwise",
];

export const SWITCH_CASES: SwitchCases = {
  disabledIndividualDenies: {
    "registration-id": [
      INDIVIDUALS,
      "a disabled individual enrollment denies another certificate of the same ID",
    ],
    certificate: [
      INDIVIDUALS,
      "by certificate, a disabled individual enrollment lets another certificate through",
    ],
  },
  disabledGroupDenies: {
    "first-hit": [GROUPS, "first entry enabled, root's group disabled"],
    anywhere: [
      GROUPS,
      "first entry enabled, root's group disabled, where any disabled group denies",
    ],
  },
  groupsWithOneCertificate: {
    disabled: [GROUPS, "two groups with one certificate, one of them disabled"],
    enabled: [
      GROUPS,
      "two groups with one certificate, one of them disabled, where an enabled one decides",
    ],
  },
  verifiedCaEndsChain: {
    true: [GROUPS, "leaf signed by the verified root itself, root not presented"],
    false: [GROUPS, "the same, where verified certificates must be presented"],
  },
  slotCompletesChain: {
    false: [CHAINS, "leaf alone, its issuer only in the slot"],
    true: [CHAINS, "leaf alone, its issuer only in the slot, where slots complete chains"],
  },
  individualWithChain: {
    admitted: [INDIVIDUALS, "individual enrollment, leaf presented with its chain"],
    refused: [
      INDIVIDUALS,
      "individual enrollment, leaf presented with its chain, refused by the switch",
    ],
  },
  unverifiedCa: {
    unauthorized: [DEVICES, "a CA that was uploaded and not verified"],
    "operation-failed": [
      DEVICES,
      "fails the operation for an unverified CA where it is set to, as seen in 2018",
    ],
  },
  verifiedCaDates: {
    judged: [CHAINS, "expired root"],
    ignored: [
      PATHS,
      "an expired root and a leaf below it that lives on, where the root's dates are ignored",
    ],
  },
  extendedKeyUsage: {
    judged: [CHAINS, "leaf for server authentication only"],
    ignored: [ODD, "a leaf for servers only, where extended key usages are ignored"],
  },
  criticalNameConstraints: {
    refused: [ODD, "critical name constraints on the intermediate"],
    ignored: [ODD, "critical name constraints on the intermediate, ignored by the switch"],
  },
  weakSignatures: {
    admitted: [ODD, "a leaf signed with SHA-1"],
    refused: [ODD, "a leaf signed with SHA-1, where weak signatures are refused"],
  },
  sameCertificateTwice: { accepted: sameCertificate, refused: sameCertificate },
  primaryRequired: {
    true: ["dps-service/enrollments.test.ts", "secondary alone"],
    false: [ACCESS, "takes a secondary certificate alone"],
  },
  keysOmittedInUpdate: {
    kept: [
      "dps-service/symmetric-keys.test.ts",
      "keeps its keys when it is read, disabled and written (not known, assumed)",
    ],
    generated: [ACCESS, "makes new keys when an update sends none"],
  },
  individualDeleteRemovesRegistration: {
    true: [ACCESS, "deletes the registration record together with its individual enrollment"],
    false: [ACCESS, "leaves the registration record when an individual enrollment is deleted"],
  },
  registrationsOfDeletedGroup: { listed: ofDeletedGroup, "not-found": ofDeletedGroup },
  pollsWhileAssigning: {
    0: [DEVICES, "assigns at the first poll, and answers the same at later ones"],
    2: [DEVICES, "says assigning for as many polls as it is set to"],
  },
  hubQueueSeconds: {
    0: [RATES, "are apart for identities, queries and twins; without a queue refused at once"],
    10: [RATES, "let a burst through, then a queue at the rate, and refuse when that is full"],
  },
  concurrentRegistration: { replaces: takesTurns, conflict: takesTurns },
  deviceSubstatus: {
    "of-record": [ASSIGNMENT, "writes the newly presented leaf into the same hub's record"],
    initialAssignment: [
      ASSIGNMENT,
      "tells the device initialAssignment every time where it is set to",
    ],
  },
  bulkCounts: {
    "per-entry": [
      LIMITS,
      "are 1,000 operations a minute, where a bulk operation counts as its entries",
    ],
    "per-call": [LIMITS, "count a bulk operation once where they are set to"],
  },
  bothThumbprintsWritten: {
    true: [LINKED, "creates the identity with the initial twin, the thumbprint in both slots"],
    false: [HUB, "bothThumbprintsWritten=false leaves the second slot empty"],
  },
  assignmentEnables: {
    false: [
      LINKED,
      "rewrites the thumbprint and nothing else, with a new etag, and stays disabled",
    ],
    true: [HUB, "assignmentEnables=true enables what was disabled"],
  },
  resetClearsReported: { true: resets, false: resets },
  hubChecksNotBefore: { true: early, false: early },
  hubRefusalCode: { 5: refusalCode, 4: refusalCode, 3: refusalCode, 2: refusalCode },
  jobsWaitForDevices: {
    true: [JOBS, "wait for devices that are offline, to the end of the job's time and no longer"],
    false: jobs,
  },
  scheduledJobsAreActive: { false: jobs, true: jobs },
  runningJobsCanBeCancelled: {
    true: [JOBS, "are cancelled before they begin, and while they wait for devices"],
    false: jobs,
  },
  jobTwinUpdatesNeedEtag: {
    true: [JOBS, "refuse what is no job, and name what is not written"],
    false: jobs,
  },
  hubBulkFailureStatus: {
    400: ["iot-hub/registry.test.ts", "does what it can and reports each failure with its device"],
    200: [HUB, "hubBulkFailureStatus=200 answers a partial failure with 200"],
  },
  twinReplaceEmptiesMissingParts: { true: replaces, false: replaces },
  newCodeEndsEarlierOnes: {
    true: [ARM, "newCodeEndsEarlierOnes=true: proof by a code that was followed by another fails"],
    false: [
      ARM,
      "newCodeEndsEarlierOnes=false: proof by a code that was followed by another holds",
    ],
  },
  verifiedSurvivesUpdate: {
    false: [ARM, "verifiedSurvivesUpdate=false: a verified CA is not verified after an update"],
    true: [ARM, "verifiedSurvivesUpdate=true: it is, unless the update says otherwise"],
  },
  caDeleteNeedsIfMatch: {
    true: [ARM, "caDeleteNeedsIfMatch=true: without the header 412, and the certificate stays"],
    false: [ARM, "caDeleteNeedsIfMatch=false: deleted without the header, with an old one 412"],
  },
  referencedCaDelete: { accepted: referenced, refused: referenced },
  caMustBeCa: {
    false: [ARM, "caMustBeCa=false: a device's certificate is taken as a CA certificate"],
    true: [ARM, "caMustBeCa=true: a device's certificate is refused, a CA's is taken"],
  },
  severalCertificatesRefused: {
    true: [ARM, "severalCertificatesRefused=true: PEM text with two certificates is refused"],
    false: [ARM, "severalCertificatesRefused=false: the first of two certificates is taken"],
  },
};
