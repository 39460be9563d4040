/** The life of a DPS instance or an IoT hub as a resource, which is the same for both. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { AccessPolicy } from "../common/model";
import type { Collection } from "../common/store";
import { mergePolicies } from "./access-policies";
import { caCertificatesOf } from "./ca-certificates";
import {
  asObject,
  bodyObject,
  locationOf,
  pendingKey,
  requireGroup,
  requireStandingGroup,
  resourceEtag,
  tagsOf,
  type ArmContext,
  type ServiceKind,
} from "./context";
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
  TYPE_NAMES,
  type ServiceResource,
  type ServiceRoute,
  type Tier,
} from "./services";

/** What a kind of service has of its own. */
export interface ServiceLife<T extends ServiceResource> {
  kind: ServiceKind;
  collection: Collection<T>;
  nameRule: RegExp;
  /** The operation that says whether a name is free. */
  nameCheck: string;
  /** The path of the access policies below the service. */
  keys: string;
  tiers: Record<string, Tier>;
  /** Rights that its access policies may hold. */
  rights: string[];
  /** Those of a new service. */
  policies: () => AccessPolicy[];
  /** Properties that ARM computes; a body may hold them, because it is often an answer sent back. */
  computed: string[];
  /** As `/skus` lists them. */
  skus: object[];
  operationPath: (record: ServiceResource, operation: string) => string;
  /** The record that a PUT makes. Throws 400. */
  record(common: ServiceResource, sent: Record<string, unknown>, existing: T | undefined): T;
  /** As answers show it, without what both kinds have. */
  shown(record: T, creating: boolean): { identity?: object; properties: object };
}

export type ResourceBody = Record<
  "id" | "name" | "type" | "location" | "tags" | "sku" | "properties",
  unknown
>;

export function registerLife<T extends ServiceResource>(
  app: FastifyInstance,
  context: ArmContext,
  life: ServiceLife<T>,
): void {
  const { kind, collection } = life;
  const [namespace, type] = TYPE_NAMES[kind].split("/");
  const SUBSCRIPTION = `/subscriptions/:subscription/providers/${namespace}`;
  const GROUP = `/subscriptions/:subscription/resourceGroups/:group/providers/${namespace}/${type}`;
  const ONE = `${GROUP}/:name`;
  const required = ({ params: { group, name } }: FastifyRequest<ServiceRoute>): T =>
    requireService(kind, collection.get(name), group, name);
  const show = (record: T): ResourceBody => bodyOf(context, life, record);

  app.put<ServiceRoute>(ONE, async (request, reply) => {
    const existing = collection.get(request.params.name);
    const record = collection.put(request.params.name, fromBody(context, life, request, existing));
    const state = existing === undefined ? "Activating" : "Transitioning";
    const operation = beginPending(context, kind, record.name, state, () =>
      open(context, life, record.name, existing === undefined),
    );
    const path = life.operationPath(record, operation);
    return sendAccepted(context, request, reply, path, show(record));
  });

  app.get<ServiceRoute>(ONE, async (request) => show(required(request)));

  app.patch<ServiceRoute>(ONE, async (request) => {
    requireStandingGroup(context, request.params.group);
    const record = required(request);
    const sent = bodyObject(request);
    const tags = "tags" in sent ? tagsOf(sent["tags"]) : record.tags;
    return show(collection.put(record.name, { ...record, tags, etag: resourceEtag() }));
  });

  app.delete<ServiceRoute>(ONE, async (request, reply) => {
    requireGroup(context, request.params.group);
    const record = collection.get(request.params.name);
    if (record?.resourceGroup.toLowerCase() !== request.params.group.toLowerCase()) {
      return reply.code(204).send();
    }
    const operation = beginRemoval(context, life, record.name);
    return sendDeleting(context, request, reply, life.operationPath(record, operation));
  });

  app.get<ServiceRoute>(GROUP, async (request) => {
    const group = requireGroup(context, request.params.group).name.toLowerCase();
    const all = collection.list().filter((one) => one.resourceGroup.toLowerCase() === group);
    return { value: all.map(show) };
  });
  app.get(`${SUBSCRIPTION}/${type}`, async () => ({ value: collection.list().map(show) }));

  app.get<ServiceRoute>(`${ONE}/skus`, async (request) => {
    required(request);
    return { value: life.skus };
  });
  app.post<ServiceRoute>(`${ONE}/listkeys`, async (request) => ({
    value: required(request).authorizationPolicies,
  }));
  app.post<ServiceRoute>(`${ONE}/${life.keys}/:keyName/listkeys`, async (request) =>
    requirePolicy(
      required(request).authorizationPolicies,
      request.params.keyName,
      context.sandbox.clock.now(),
    ),
  );

  app.post(`${SUBSCRIPTION}/${life.nameCheck}`, async (request) => {
    const name = nameToCheck(bodyObject(request));
    return nameAvailability(life.nameRule.test(name), collection.has(name), name);
  });
}

/** Accepts the deletion of the service; returns the operation's name. Also to go on with it after a kill. */
export function beginRemoval<T extends ServiceResource>(
  context: ArmContext,
  life: ServiceLife<T>,
  name: string,
): string {
  const key = pendingKey(life.kind, name);
  context.deletions.put(key, { kind: life.kind, name });
  return beginPending(context, life.kind, name, "Deleting", async () => {
    try {
      await remove(context, life, name);
    } finally {
      context.deletions.delete(key);
    }
  });
}

/** Ends the service, its listeners, its certificates and what it has stored. */
export async function remove<T extends ServiceResource>(
  context: ArmContext,
  { kind, collection }: ServiceLife<T>,
  name: string,
): Promise<void> {
  await context.fronts.remove(kind, name);
  const certificates = caCertificatesOf(context.sandbox, kind);
  context.sandbox.atomically(() => {
    for (const certificate of certificates.list(`${name}/`)) {
      certificates.delete(`${name}/${certificate.name}`);
    }
    collection.delete(name);
  });
}

/** Makes a service reachable; a new one whose listeners cannot be opened never existed. */
async function open<T extends ServiceResource>(
  context: ArmContext,
  { kind, collection }: ServiceLife<T>,
  name: string,
  isNew: boolean,
): Promise<void> {
  try {
    await context.fronts.open(kind, name);
  } catch (error) {
    if (isNew) collection.delete(name);
    throw error;
  }
}

function fromBody<T extends ServiceResource>(
  context: ArmContext,
  life: ServiceLife<T>,
  request: FastifyRequest<ServiceRoute>,
  existing: T | undefined,
): T {
  const now = context.sandbox.clock.now();
  const { name } = request.params;
  const group = requireStandingGroup(context, request.params.group).name;
  checkServiceName(name, life.nameRule, now);
  const sent = bodyObject(request);
  const location = locationOf(sent["location"]);
  if (existing !== undefined) {
    checkExisting(context, life.kind, existing, { group, location, request, etag: sent["etag"] });
  }
  const properties = asObject(sent["properties"] ?? {}, "The property 'properties'");
  const common: ServiceResource = {
    name: existing?.name ?? name,
    resourceGroup: existing?.resourceGroup ?? group,
    subscriptionId: context.subscriptionId,
    location: existing?.location ?? location,
    tags: tagsOf(sent["tags"]),
    sku: skuOf(sent["sku"], life.tiers, now),
    etag: resourceEtag(),
    authorizationPolicies: mergePolicies(
      properties["authorizationPolicies"],
      existing?.authorizationPolicies ?? life.policies(),
      life.rights,
      now,
    ),
    otherProperties: Object.fromEntries(
      Object.entries(properties).filter(([key]) => !life.computed.includes(key)),
    ),
  };
  return life.record(common, properties, existing);
}

/** As GET shows it: never the access policies. */
export function bodyOf<T extends ServiceResource>(
  context: ArmContext,
  life: ServiceLife<T>,
  record: T,
): ResourceBody {
  const pending = context.pending.get(pendingKey(life.kind, record.name));
  const creating = pending === "Activating";
  const { properties, ...more } = life.shown(record, creating);
  const body = {
    id: resourceId(context, life.kind, record),
    name: record.name,
    type: TYPE_NAMES[life.kind],
    location: record.location,
    tags: record.tags,
    sku: record.sku,
    ...(creating ? {} : { etag: record.etag }),
    ...more,
    properties: {
      ...properties,
      state: pending ?? "Active",
      provisioningState: pending === undefined ? "Succeeded" : "Accepted",
    },
    resourcegroup: record.resourceGroup,
    subscriptionid: record.subscriptionId,
  };
  return body;
}
