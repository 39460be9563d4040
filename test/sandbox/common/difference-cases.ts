/** Which test shows what the sandbox does where it differs; the compiler misses the one that is not here. */
import type { DIFFERENCES } from "../../../sandbox/differences";
import type { Place } from "./places";

const HERE = "common/differences.test.ts";
const RULES = "arm/rules.test.ts";
const ASSIGNMENT = "dps-device/assignment.test.ts";

export const DIFFERENCE_CASES: Record<keyof typeof DIFFERENCES, Place> = {
  notWritten: [RULES, "answers 501 with the operation's name to what is not written"],
  clock: [
    "cli/commands.test.ts",
    "tells everybody its time, so that a preview judges certificates by it",
  ],
  roles: ["dps-service/access.test.ts", "asks for the right of each operation"],
  apiVersions: [
    "arm/ca-certificates.test.ts",
    "takes the flat body up to 2021-10-15 and the nested one since 2022-02-05",
  ],
  hostNames: [
    "cli/preload.test.ts",
    "reaches port 443 of a name by every way in, with TLS checked against the name",
  ],
  serverCertificates: [
    "common/http.test.ts",
    "resume no session, because a resumed one has lost the intermediates",
  ],
  oneSubscription: [RULES, "knows one subscription, and says which"],
  names: ["arm/resources.test.ts", "says whether a name is free"],
  operationsAreDone: ["arm/resources.test.ts", "keeps polling while an operation takes its time"],
  keptNotActedOn: [HERE, "keeps the properties of a service that nothing acts on"],
  deviceEndpoint: [HERE, "gives each service a device endpoint of its own"],
  assignsAtOnce: [
    "dps-device/https.test.ts",
    "assigns at the first poll, and answers the same at later ones",
  ],
  geoLatency: [ASSIGNMENT, "geoLatency: the lowest name"],
  customAllocation: [ASSIGNMENT, "custom allocation fails by name"],
  tpm: [
    "dps-service/enrollments.test.ts",
    "answers 501 by name to attestation that is not written",
  ],
  nameConstraints: [
    "dps-device/attestation/odd-cases.ts",
    "critical name constraints on the intermediate",
  ],
  instanceCounts: [HERE, "has no bound on the number of services"],
  telemetry: [
    "iot-hub/devices.test.ts",
    "counts telemetry with its properties and keeps the last messages",
  ],
  queryLanguage: [
    "iot-hub/query.test.ts",
    "answer 400 to a query, a page size or a continuation that cannot be read",
  ],
};
