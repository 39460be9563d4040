/**
 * Identities and twins as the hub shows them.
 * Source: learn.microsoft.com/rest/api/iothub/service, "Device" and "Twin".
 */
import {
  twinEtag,
  type DeviceRecord,
  type Json,
  type ModuleRecord,
  type TwinCollection,
} from "./records";

export function showIdentity(record: DeviceRecord, connected: boolean): Json {
  return {
    deviceId: record.deviceId,
    generationId: record.generationId,
    etag: record.etag,
    connectionState: connectionState(connected),
    status: record.status,
    statusReason: record.statusReason,
    connectionStateUpdatedTime: record.connectionStateUpdatedTime,
    statusUpdatedTime: record.statusUpdatedTime,
    lastActivityTime: record.lastActivityTime,
    cloudToDeviceMessageCount: 0,
    authentication: {
      symmetricKey: record.authentication.symmetricKey,
      x509Thumbprint: record.authentication.x509Thumbprint,
      type: record.authentication.type,
    },
    capabilities: record.capabilities,
    ...(record.deviceScope === undefined ? {} : { deviceScope: record.deviceScope }),
    ...(record.parentScopes.length === 0 ? {} : { parentScopes: record.parentScopes }),
  };
}

/** Keys are never in a twin, thumbprints are (azure-iot-sdk-node#366). */
export function showTwin(record: DeviceRecord, connected: boolean): Json {
  return {
    deviceId: record.deviceId,
    etag: twinEtag(record.twinEtag),
    deviceEtag: record.etag,
    status: record.status,
    ...(record.statusReason === null ? {} : { statusReason: record.statusReason }),
    statusUpdateTime: record.statusUpdatedTime,
    connectionState: connectionState(connected),
    lastActivityTime: record.lastActivityTime,
    cloudToDeviceMessageCount: 0,
    authenticationType: record.authentication.type,
    x509Thumbprint: record.authentication.x509Thumbprint,
    modelId: "",
    version: record.version,
    ...(Object.keys(record.tags).length === 0 ? {} : { tags: record.tags }),
    properties: {
      desired: showCollection(record.desired),
      reported: showCollection(record.reported),
    },
    capabilities: record.capabilities,
    ...(record.deviceScope === undefined ? {} : { deviceScope: record.deviceScope }),
    ...(record.parentScopes.length === 0 ? {} : { parentScopes: record.parentScopes }),
  };
}

/** No module connects to the sandbox, so none is connected. */
export function showModule(record: ModuleRecord): Json {
  return {
    moduleId: record.moduleId,
    managedBy: record.managedBy,
    deviceId: record.deviceId,
    generationId: record.generationId,
    etag: record.etag,
    connectionState: connectionState(false),
    connectionStateUpdatedTime: record.connectionStateUpdatedTime,
    lastActivityTime: record.lastActivityTime,
    cloudToDeviceMessageCount: 0,
    authentication: {
      symmetricKey: record.authentication.symmetricKey,
      x509Thumbprint: record.authentication.x509Thumbprint,
      type: record.authentication.type,
    },
  };
}

/** As shown for `$edgeAgent` in learn.microsoft.com/azure/iot-edge/how-to-monitor-module-twins. */
export function showModuleTwin(record: ModuleRecord, device: DeviceRecord): Json {
  return {
    deviceId: record.deviceId,
    moduleId: record.moduleId,
    etag: twinEtag(record.twinEtag),
    deviceEtag: record.etag,
    status: device.status,
    statusUpdateTime: device.statusUpdatedTime,
    connectionState: connectionState(false),
    lastActivityTime: record.lastActivityTime,
    cloudToDeviceMessageCount: 0,
    authenticationType: record.authentication.type,
    x509Thumbprint: record.authentication.x509Thumbprint,
    version: record.version,
    ...(Object.keys(record.tags).length === 0 ? {} : { tags: record.tags }),
    properties: {
      desired: showCollection(record.desired),
      reported: showCollection(record.reported),
    },
  };
}

/** What a device gets: without metadata. */
export function showToDevice({ desired, reported }: DeviceRecord): Json {
  return {
    desired: { ...desired.values, $version: desired.version },
    reported: { ...reported.values, $version: reported.version },
  };
}

function showCollection({ values, metadata, version }: TwinCollection): Json {
  return { ...values, $metadata: metadata, $version: version };
}

function connectionState(connected: boolean): "Connected" | "Disconnected" {
  return connected ? "Connected" : "Disconnected";
}
