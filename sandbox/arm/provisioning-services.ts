/** DPS instances as ARM resources. Recorded answers: Azure CLI's test_dps_lifecycle, 2021-10-15. */
import { randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { devicesError } from "../common/errors";
import type { ProvisioningServiceRecord } from "../common/model";
import { mergePolicies, newPolicy } from "./access-policies";
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
import { maskedHub, mergeLinkedHubs } from "./linked-hubs";
import { CODE_BAD_REQUEST } from "./not-known";
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

const KIND = "provisioning-service";
const PROVIDER = "providers/Microsoft.Devices";
const GROUP = `/subscriptions/:subscription/resourceGroups/:group/${PROVIDER}/provisioningServices`;
const ONE = `${GROUP}/:name`;
const NAME_RULE = /^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$/i;
const RIGHTS = [
  "ServiceConfig",
  "EnrollmentRead",
  "EnrollmentWrite",
  "DeviceConnect",
  "RegistrationStatusRead",
  "RegistrationStatusWrite",
];
const ALLOCATION_POLICIES = ["Hashed", "GeoLatency", "Static"] as const;
/** Properties that ARM computes; a body may hold them, because it is often an answer sent back. */
const COMPUTED = [
  "iotHubs",
  "allocationPolicy",
  "authorizationPolicies",
  "state",
  "provisioningState",
  "idScope",
  "serviceOperationsHostName",
  "deviceProvisioningHostName",
];

export function registerProvisioningServices(app: FastifyInstance, context: ArmContext): void {
  const { services } = context.sandbox;
  const required = (request: FastifyRequest<ServiceRoute>): ProvisioningServiceRecord => {
    const { group, name } = request.params;
    return requireService(KIND, services.get(name), group, name);
  };

  app.put<ServiceRoute>(ONE, async (request, reply) => {
    const existing = services.get(request.params.name);
    const record = services.put(request.params.name, fromBody(context, request, existing));
    const state = existing === undefined ? "Activating" : "Transitioning";
    const operation = beginPending(context, KIND, record.name, state, () =>
      open(context, record, existing),
    );
    const path = `${resourceId(context, KIND, record)}/operationResults/${operation}`;
    return sendAccepted(context, request, reply, path, serviceBody(context, record));
  });

  app.get<ServiceRoute>(ONE, async (request) => serviceBody(context, required(request)));

  app.patch<ServiceRoute>(ONE, async (request) => {
    const record = required(request);
    const sent = bodyObject(request);
    const tags = "tags" in sent ? tagsOf(sent["tags"]) : record.tags;
    const patched = services.put(record.name, { ...record, tags, etag: resourceEtag() });
    return serviceBody(context, patched);
  });

  app.delete<ServiceRoute>(ONE, async (request, reply) => {
    requireGroup(context, request.params.group);
    const record = services.get(request.params.name);
    if (record?.resourceGroup.toLowerCase() !== request.params.group.toLowerCase()) {
      return reply.code(204).send();
    }
    const operation = beginPending(context, KIND, record.name, "Deleting", () =>
      removeService(context, record.name),
    );
    const path = `${resourceId(context, KIND, record)}/operationResults/${operation}`;
    return sendDeleting(context, request, reply, path);
  });

  app.get<ServiceRoute>(GROUP, async (request) => {
    const group = requireGroup(context, request.params.group).name.toLowerCase();
    const inGroup = services.list().filter((one) => one.resourceGroup.toLowerCase() === group);
    return { value: inGroup.map((record) => serviceBody(context, record)) };
  });
  app.get(`/subscriptions/:subscription/${PROVIDER}/provisioningServices`, async () => ({
    value: services.list().map((record) => serviceBody(context, record)),
  }));

  app.post<ServiceRoute>(`${ONE}/listkeys`, async (request) => ({
    value: required(request).authorizationPolicies,
  }));
  app.post<ServiceRoute>(`${ONE}/keys/:keyName/listkeys`, async (request) =>
    requirePolicy(
      required(request).authorizationPolicies,
      request.params.keyName,
      context.sandbox.clock.now(),
    ),
  );

  const check = `/subscriptions/:subscription/${PROVIDER}/checkProvisioningServiceNameAvailability`;
  app.post(check, async (request) => {
    const name = nameToCheck(bodyObject(request));
    return nameAvailability(NAME_RULE.test(name), services.has(name), name);
  });
}

/** Ends the service, its listeners, its certificates and what it has stored. */
export async function removeService(context: ArmContext, name: string): Promise<void> {
  await context.fronts.remove(KIND, name);
  for (const certificate of context.sandbox.caCertificates.list(`${name}/`)) {
    context.sandbox.caCertificates.delete(`${name}/${certificate.name}`);
  }
  context.sandbox.services.delete(name);
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
      context.sandbox.services.delete(name);
    }
    throw error;
  }
}

function fromBody(
  context: ArmContext,
  request: FastifyRequest<ServiceRoute>,
  existing: ProvisioningServiceRecord | undefined,
): ProvisioningServiceRecord {
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
  const policies = existing?.authorizationPolicies ?? [
    newPolicy("provisioningserviceowner", "ServiceConfig, DeviceConnect, EnrollmentWrite"),
  ];
  return {
    name: existing?.name ?? name,
    resourceGroup: existing?.resourceGroup ?? group,
    subscriptionId: context.subscriptionId,
    location: existing?.location ?? location,
    tags: tagsOf(sent["tags"]),
    sku: skuOf(sent["sku"], { S1: "Standard" }, now),
    etag: resourceEtag(),
    idScope: existing?.idScope ?? `0ne${randomBytes(4).toString("hex").toUpperCase()}`,
    serviceHostName: existing?.serviceHostName ?? context.fronts.hostName(KIND, name),
    allocationPolicy: allocationPolicy(properties["allocationPolicy"], now),
    linkedHubs: mergeLinkedHubs(properties["iotHubs"], existing?.linkedHubs ?? [], context.sandbox),
    authorizationPolicies: mergePolicies(
      properties["authorizationPolicies"],
      policies,
      RIGHTS,
      now,
    ),
    otherProperties: Object.fromEntries(
      Object.entries(properties).filter(([key]) => !COMPUTED.includes(key)),
    ),
  };
}

function allocationPolicy(sent: unknown, now: Date): ProvisioningServiceRecord["allocationPolicy"] {
  if (sent === undefined || sent === null) {
    return "Hashed";
  }
  const policy = ALLOCATION_POLICIES.find(
    (known) => typeof sent === "string" && known.toLowerCase() === sent.toLowerCase(),
  );
  if (policy === undefined) {
    const text = `allocationPolicy must be one of ${ALLOCATION_POLICIES.join(", ")}.`;
    throw devicesError(400, CODE_BAD_REQUEST, text, now);
  }
  return policy;
}

export type ResourceBody = Record<
  "id" | "name" | "type" | "location" | "tags" | "sku" | "properties",
  unknown
>;

/**
 * As GET shows it: never the access policies. `deviceProvisioningHostName` is the instance's own
 * host, which Azure's instances answer on as well; the sandbox has no global device endpoint.
 */
export function serviceBody(context: ArmContext, record: ProvisioningServiceRecord): ResourceBody {
  const pending = context.pending.get(pendingKey(KIND, record.name));
  const creating = pending === "Activating";
  return {
    id: resourceId(context, KIND, record),
    name: record.name,
    type: "Microsoft.Devices/provisioningServices",
    location: record.location,
    tags: record.tags,
    sku: record.sku,
    ...(creating ? {} : { etag: record.etag }),
    properties: {
      ...record.otherProperties,
      state: pending ?? "Active",
      provisioningState: pending === undefined ? "Succeeded" : "Accepted",
      iotHubs: record.linkedHubs.map(maskedHub),
      allocationPolicy: record.allocationPolicy,
      serviceOperationsHostName: creating ? null : record.serviceHostName,
      deviceProvisioningHostName: creating ? null : record.serviceHostName,
      idScope: creating ? null : record.idScope,
    },
    resourcegroup: record.resourceGroup,
    subscriptionid: record.subscriptionId,
  } as ResourceBody;
}
