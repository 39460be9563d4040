/**
 * Jobs as the hub shows them.
 * Source: learn.microsoft.com/rest/api/iothub/service/jobs, `JobResponse`; for the part of one device
 * learn.microsoft.com/azure/iot-hub/query-jobs and the answers in azure-iot-sdk-java,
 * JobsResponseParserTest.
 */
import type { DeviceJobRecord, JobRecord } from "./jobs-records";
import type { Json } from "./records";

export function showJob(job: JobRecord, parts: DeviceJobRecord[]): Json {
  const count = (...statuses: DeviceJobRecord["status"][]): number =>
    parts.filter(({ status }) => statuses.includes(status)).length;
  return {
    ...job,
    deviceJobStatistics: {
      deviceCount: parts.length,
      failedCount: count("failed", "canceled"),
      succeededCount: count("completed"),
      runningCount: count("running"),
      pendingCount: count("pending"),
    },
  };
}

export function showDeviceJob({ deviceMethodResponse, error, ...part }: DeviceJobRecord): Json {
  return {
    ...part,
    outcome: deviceMethodResponse === undefined ? {} : { deviceMethodResponse },
    ...(error === undefined ? {} : { error }),
  };
}
