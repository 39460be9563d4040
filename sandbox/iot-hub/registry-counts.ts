/** How many devices a hub has; its own API and the resource manager tell the same. */
import type { Sandbox } from "../common/model";
import { Devices } from "./records";

export interface DeviceCounts {
  totalDeviceCount: number;
  enabledDeviceCount: number;
  disabledDeviceCount: number;
}

export function deviceCounts(sandbox: Pick<Sandbox, "collection">, hubName: string): DeviceCounts {
  const all = new Devices(sandbox, hubName).list();
  const enabledDeviceCount = all.filter(({ status }) => status === "enabled").length;
  return {
    totalDeviceCount: all.length,
    enabledDeviceCount,
    disabledDeviceCount: all.length - enabledDeviceCount,
  };
}
