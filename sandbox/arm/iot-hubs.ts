/** IoT hubs as ARM resources. Recorded answers: Azure CLI's test_certificate_lifecycle, 2021-03-31. */
import type { FastifyInstance } from "fastify";
import type { IotHubRecord } from "../common/model";
import { deviceCounts } from "../iot-hub/registry-counts";
import { newPolicy } from "./access-policies";
import type { ArmContext } from "./context";
import type { ServiceLife } from "./service-life";
import { requireService, TYPE_NAMES, type ServiceRoute, type Tier } from "./services";

const KIND = "iot-hub";
/** Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-quotas-throttling, "Other limits". */
const TIERS: Record<string, Tier> = {
  F1: { tier: "Free", most: 1 },
  B1: { tier: "Basic", most: 200 },
  B2: { tier: "Basic", most: 200 },
  B3: { tier: "Basic", most: 10 },
  S1: { tier: "Standard", most: 200 },
  S2: { tier: "Standard", most: 200 },
  S3: { tier: "Standard", most: 10 },
};

export function iotHubs(context: ArmContext): ServiceLife<IotHubRecord> {
  return {
    kind: KIND,
    collection: context.sandbox.hubs,
    nameRule: /^[a-z0-9][a-z0-9-]{1,48}[a-z0-9]$/i,
    nameCheck: "checkNameAvailability",
    keys: "IotHubKeys",
    tiers: TIERS,
    rights: ["RegistryRead", "RegistryWrite", "ServiceConnect", "DeviceConnect"],
    policies: defaultPolicies,
    computed: ["authorizationPolicies", "state", "provisioningState", "hostName", "locations"],
    // Source: azure-rest-api-specs, example iothub_getskus.
    skus: ["S1", "S2", "S3"].map(shownSku),
    operationPath: (_record, operation) =>
      `/subscriptions/${context.subscriptionId}/providers/Microsoft.Devices/operationResults/${operation}`,
    record: (common, _sent, existing) => ({
      ...common,
      hostName: existing?.hostName ?? context.fronts.hostName(KIND, common.name),
    }),
    shown: (record, creating) => ({
      identity: { type: "None" },
      properties: {
        ...usualProperties(record),
        ...record.otherProperties,
        hostName: creating ? null : record.hostName,
      },
    }),
  };
}

/** What ARM answers about the devices of a hub. */
export function registerHubStatistics(app: FastifyInstance, { sandbox }: ArmContext): void {
  const path = `/subscriptions/:subscription/resourceGroups/:group/providers/${TYPE_NAMES[KIND]}/:name/IotHubStats`;
  app.get<ServiceRoute>(path, async ({ params: { group, name } }) => {
    requireService(KIND, sandbox.hubs.get(name), group, name);
    return deviceCounts(sandbox, name);
  });
}

function shownSku(name: string): object {
  const { tier, most: maximum } = TIERS[name]!;
  return {
    resourceType: TYPE_NAMES[KIND],
    sku: { name, tier },
    capacity: { minimum: 1, maximum, default: 1, scaleType: "Manual" },
  };
}

/** Source: learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas, "Built-in policies". */
function defaultPolicies() {
  return [
    newPolicy("iothubowner", "RegistryWrite, ServiceConnect, DeviceConnect"),
    newPolicy("service", "ServiceConnect"),
    newPolicy("device", "DeviceConnect"),
    newPolicy("registryRead", "RegistryRead"),
    newPolicy("registryReadWrite", "RegistryWrite"),
  ];
}

/** What a body need not say. The endpoint for events is named, but nothing listens. */
function usualProperties(record: IotHubRecord): object {
  return {
    locations: [{ location: record.location, role: "primary" }],
    ipFilterRules: [],
    eventHubEndpoints: {
      events: {
        retentionTimeInDays: 1,
        partitionCount: 4,
        partitionIds: ["0", "1", "2", "3"],
        path: record.name,
        endpoint: `sb://${record.hostName}/`,
      },
    },
    routing: {
      endpoints: {
        serviceBusQueues: [],
        serviceBusTopics: [],
        eventHubs: [],
        storageContainers: [],
      },
      routes: [],
      fallbackRoute: {
        name: "$fallback",
        source: "DeviceMessages",
        condition: "true",
        endpointNames: ["events"],
        isEnabled: true,
      },
    },
    storageEndpoints: {
      $default: { sasTtlAsIso8601: "PT1H", connectionString: "", containerName: "" },
    },
    messagingEndpoints: {
      fileNotifications: {
        lockDurationAsIso8601: "PT1M",
        ttlAsIso8601: "PT1H",
        maxDeliveryCount: 10,
      },
    },
    enableFileUploadNotifications: false,
    cloudToDevice: {
      maxDeliveryCount: 10,
      defaultTtlAsIso8601: "PT1H",
      feedback: { lockDurationAsIso8601: "PT1M", ttlAsIso8601: "PT1H", maxDeliveryCount: 10 },
    },
    features: "None",
  };
}
