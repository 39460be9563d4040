/** IoT hubs as ARM resources. Recorded answers: Azure CLI's test_certificate_lifecycle, 2021-03-31. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { CaCertificateRecord, IotHubRecord } from "../common/model";
import { mergePolicies, newPolicy } from "./access-policies";
import { HUB_CA_CERTIFICATES } from "./ca-certificates";
import {
  asObject,
  bodyObject,
  locationOf,
  pendingKey,
  requireGroup,
  resourceEtag,
  tagsOf,
  type ArmContext,
} from "./context";
import type { ResourceBody } from "./provisioning-services";
import {
  beginPending,
  checkExisting,
  checkServiceName,
  nameAvailability,
  nameToCheck,
  requirePolicy,
  requireService,
  resourceId,
  sendAccepted,
  sendDeleting,
  skuOf,
  type ServiceRoute,
} from "./services";

const KIND = "iot-hub";
const PROVIDER = "providers/Microsoft.Devices";
const GROUP = `/subscriptions/:subscription/resourceGroups/:group/${PROVIDER}/IotHubs`;
const ONE = `${GROUP}/:name`;
const NAME_RULE = /^[a-z0-9][a-z0-9-]{1,48}[a-z0-9]$/i;
const RIGHTS = ["RegistryRead", "RegistryWrite", "ServiceConnect", "DeviceConnect"];
const TIERS = {
  F1: "Free",
  B1: "Basic",
  B2: "Basic",
  B3: "Basic",
  S1: "Standard",
  S2: "Standard",
  S3: "Standard",
};
/** Properties that ARM computes; a body may hold them, because it is often an answer sent back. */
const COMPUTED = ["authorizationPolicies", "state", "provisioningState", "hostName", "locations"];

export function registerIotHubs(app: FastifyInstance, context: ArmContext): void {
  const { hubs } = context.sandbox;
  const required = (request: FastifyRequest<ServiceRoute>): IotHubRecord => {
    const { group, name } = request.params;
    return requireService(KIND, hubs.get(name), group, name);
  };
  const operationPath = (operation: string): string =>
    `/subscriptions/${context.subscriptionId}/${PROVIDER}/operationResults/${operation}`;

  app.put<ServiceRoute>(ONE, async (request, reply) => {
    const existing = hubs.get(request.params.name);
    const record = hubs.put(request.params.name, fromBody(context, request, existing));
    const state = existing === undefined ? "Activating" : "Transitioning";
    const operation = beginPending(context, KIND, record.name, state, () =>
      open(context, record, existing),
    );
    const body = hubBody(context, record);
    return sendAccepted(context, request, reply, operationPath(operation), body);
  });

  app.get<ServiceRoute>(ONE, async (request) => hubBody(context, required(request)));

  app.patch<ServiceRoute>(ONE, async (request) => {
    const record = required(request);
    const sent = bodyObject(request);
    const tags = "tags" in sent ? tagsOf(sent["tags"]) : record.tags;
    return hubBody(context, hubs.put(record.name, { ...record, tags, etag: resourceEtag() }));
  });

  app.delete<ServiceRoute>(ONE, async (request, reply) => {
    requireGroup(context, request.params.group);
    const record = hubs.get(request.params.name);
    if (record?.resourceGroup.toLowerCase() !== request.params.group.toLowerCase()) {
      return reply.code(204).send();
    }
    const operation = beginPending(context, KIND, record.name, "Deleting", () =>
      removeHub(context, record.name),
    );
    return sendDeleting(context, request, reply, operationPath(operation));
  });

  app.get<ServiceRoute>(GROUP, async (request) => {
    const group = requireGroup(context, request.params.group).name.toLowerCase();
    const inGroup = hubs.list().filter((one) => one.resourceGroup.toLowerCase() === group);
    return { value: inGroup.map((record) => hubBody(context, record)) };
  });
  app.get(`/subscriptions/:subscription/${PROVIDER}/IotHubs`, async () => ({
    value: hubs.list().map((record) => hubBody(context, record)),
  }));

  app.post<ServiceRoute>(`${ONE}/listkeys`, async (request) => ({
    value: required(request).authorizationPolicies,
  }));
  app.post<ServiceRoute>(`${ONE}/IotHubKeys/:keyName/listkeys`, async (request) =>
    requirePolicy(
      required(request).authorizationPolicies,
      request.params.keyName,
      context.sandbox.clock.now(),
    ),
  );

  app.post(`/subscriptions/:subscription/${PROVIDER}/checkNameAvailability`, async (request) => {
    const name = nameToCheck(bodyObject(request));
    return nameAvailability(NAME_RULE.test(name), hubs.has(name), name);
  });
}

/** Ends the hub, its listeners and what it has stored. A DPS that links it keeps the link. */
export async function removeHub(context: ArmContext, name: string): Promise<void> {
  await context.fronts.remove(KIND, name);
  context.sandbox.hubs.delete(name);
  const certificates = context.sandbox.collection<CaCertificateRecord>(HUB_CA_CERTIFICATES);
  for (const certificate of certificates.list(`${name}/`)) {
    certificates.delete(`${name}/${certificate.name}`);
  }
}

/** Makes a new service reachable; one whose listeners cannot be opened never existed. */
async function open(
  context: ArmContext,
  { name }: { name: string },
  existing: object | undefined,
): Promise<void> {
  try {
    await context.fronts.open(KIND, name);
  } catch (error) {
    if (existing === undefined) {
      context.sandbox.hubs.delete(name);
    }
    throw error;
  }
}

function fromBody(
  context: ArmContext,
  request: FastifyRequest<ServiceRoute>,
  existing: IotHubRecord | undefined,
): IotHubRecord {
  const now = context.sandbox.clock.now();
  const { name } = request.params;
  const group = requireGroup(context, request.params.group).name;
  checkServiceName(name, NAME_RULE, now);
  const sent = bodyObject(request);
  const location = locationOf(sent["location"]);
  if (existing !== undefined) {
    checkExisting(context, KIND, existing, { group, location, request, etag: sent["etag"] });
  }
  const properties = asObject(sent["properties"] ?? {}, "The property 'properties'");
  return {
    name: existing?.name ?? name,
    resourceGroup: existing?.resourceGroup ?? group,
    subscriptionId: context.subscriptionId,
    location: existing?.location ?? location,
    tags: tagsOf(sent["tags"]),
    sku: skuOf(sent["sku"], TIERS, now),
    etag: resourceEtag(),
    hostName: existing?.hostName ?? context.fronts.hostName(KIND, name),
    authorizationPolicies: mergePolicies(
      properties["authorizationPolicies"],
      existing?.authorizationPolicies ?? defaultPolicies(),
      RIGHTS,
      now,
    ),
    otherProperties: Object.fromEntries(
      Object.entries(properties).filter(([key]) => !COMPUTED.includes(key)),
    ),
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

/** As GET shows it: never the access policies. The endpoint for events is named, but nothing listens. */
export function hubBody(context: ArmContext, record: IotHubRecord): ResourceBody {
  const pending = context.pending.get(pendingKey(KIND, record.name));
  return {
    id: resourceId(context, KIND, record),
    name: record.name,
    type: "Microsoft.Devices/IotHubs",
    location: record.location,
    tags: record.tags,
    sku: record.sku,
    ...(pending === "Activating" ? {} : { etag: record.etag }),
    identity: { type: "None" },
    properties: {
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
      ...record.otherProperties,
      state: pending ?? "Active",
      provisioningState: pending === undefined ? "Succeeded" : "Accepted",
      hostName: pending === "Activating" ? null : record.hostName,
    },
    resourcegroup: record.resourceGroup,
    subscriptionid: record.subscriptionId,
  } as ResourceBody;
}
