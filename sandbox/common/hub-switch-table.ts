/** The switches of `switch-table.ts` that are about IoT Hub. */
import type { SwitchDefinition } from "./switch-table";

const YES_OR_NO = [true, false] as const;

export const HUB_SWITCHES = {
  hubQueueSeconds: {
    service: "IoT Hub",
    meaning:
      "How long the queue is in which requests above a hub's rate wait for their turn: as many as the rate lets through in so many seconds. 0: there is none, and they are answered with 429 at once.",
    values: "whole number",
    default: 10,
    because:
      'The quotas speak of a queue of limited size ("Traffic shaping") and do not say of what size; a recorded 429 asks to wait for 10 seconds.',
  },
  bothThumbprintsWritten: {
    service: "IoT Hub",
    meaning: "Whether DPS writes a leaf's thumbprint into both slots of the hub's record.",
    values: YES_OR_NO,
    default: true,
    because:
      "Only issues say so (azure-iot-sdk-java#1220, iotedge#2951); the CLI's tests show the primary one rewritten at every registration.",
  },
  assignmentEnables: {
    service: "IoT Hub",
    meaning: "Whether a registration enables an identity that is disabled at the hub.",
    values: YES_OR_NO,
    default: false,
    because: "No source; that it stays disabled is assumed.",
  },
  resetClearsReported: {
    service: "IoT Hub",
    meaning: "Whether a reset by DPS clears the twin's reported properties as well.",
    values: YES_OR_NO,
    default: true,
    because: "The documentation calls it the policy for a factory reset; no more is said.",
  },
  hubChecksNotBefore: {
    service: "IoT Hub",
    meaning: "Whether the hub refuses a device's certificate that is not valid yet.",
    values: YES_OR_NO,
    default: true,
    because: "Sources speak of expiry only (iotedge#621).",
  },
  hubRefusalCode: {
    service: "IoT Hub",
    meaning: "CONNACK return code of a device that the hub refuses.",
    values: [5, 4, 3, 2],
    default: 5,
    because:
      "5 was seen for certificates (azure-iot-sdk-python#324); not known for a disabled device (Microsoft's C SDK reads 3 that way), an unknown one, or another client ID.",
  },
  jobsWaitForDevices: {
    service: "IoT Hub",
    meaning:
      "Whether a job waits, to the end of its time, for a device that is offline; if not, the device's part fails at once.",
    values: YES_OR_NO,
    default: true,
    because:
      "Both were seen: a failure at the end with `either device did not come online …` (azure-iot-sdk-java, JobsResponseParserTest), and DeviceNotOnline (iotedge#2958).",
  },
  scheduledJobsAreActive: {
    service: "IoT Hub",
    meaning: "Whether a job that is scheduled for later counts as one of the tier's active jobs.",
    values: YES_OR_NO,
    default: false,
    because: "The quotas speak of concurrent jobs.",
  },
  runningJobsCanBeCancelled: {
    service: "IoT Hub",
    meaning:
      "Whether a cancellation ends a job that is running: devices that were not begun are left out.",
    values: YES_OR_NO,
    default: true,
    because: "No source for IoT Hub itself.",
  },
  jobTwinUpdatesNeedEtag: {
    service: "IoT Hub",
    meaning: "Whether a job that updates twins is refused without an etag in `updateTwin`.",
    values: YES_OR_NO,
    default: true,
    because: "Reported in azure-docs#29484; the answer is not.",
  },
  hubBulkFailureStatus: {
    service: "IoT Hub",
    meaning: "HTTP status of a bulk operation in which something failed.",
    values: [400, 200],
    default: 400,
    because: "The REST reference allows both with a result.",
  },
  twinReplaceEmptiesMissingParts: {
    service: "IoT Hub",
    meaning: "Whether the PUT of a twin without tags or desired properties empties them.",
    values: YES_OR_NO,
    default: true,
    because: "The reference says replace, and no more.",
  },
} as const satisfies Record<string, SwitchDefinition>;
