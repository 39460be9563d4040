/** Resource groups: PUT, GET, HEAD, PATCH, DELETE (with everything in them), lists. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { armError } from "../common/errors";
import {
  apiVersion,
  bodyObject,
  isGroupGoing,
  locationOf,
  pendingKey,
  requireGroup,
  requireStandingGroup,
  sameLocation,
  tagsOf,
  type ArmContext,
  type ResourceGroupRecord,
} from "./context";
import { iotHubs } from "./iot-hubs";
import { announce } from "./operations";
import { provisioningServices } from "./provisioning-services";
import { beginRemoval, bodyOf, remove, type ServiceLife } from "./service-life";
import type { ServiceResource } from "./services";

interface Group {
  Params: { group: string };
}

const ONE = "/subscriptions/:subscription/resourcegroups/:group";
const ALL = "/subscriptions/:subscription/resourcegroups";

export function registerResourceGroups(app: FastifyInstance, context: ArmContext): void {
  const body = (group: ResourceGroupRecord): object => ({
    id: `/subscriptions/${context.subscriptionId}/resourceGroups/${group.name}`,
    name: group.name,
    type: "Microsoft.Resources/resourceGroups",
    location: group.location,
    tags: group.tags,
    properties: {
      provisioningState: isGroupGoing(context, group.name) ? "Deleting" : "Succeeded",
    },
  });

  app.put<Group>(ONE, async (request, reply) => {
    const { group: name } = request.params;
    checkName(name);
    const sent = bodyObject(request);
    const location = locationOf(sent["location"]);
    const existing = context.groups.get(name);
    if (existing !== undefined && !sameLocation(existing.location, location)) {
      throw armError(
        409,
        "InvalidResourceGroupLocation",
        `Invalid resource group location '${location}'. The Resource group already exists in location '${existing.location}'.`,
      );
    }
    if (existing !== undefined) requireStandingGroup(context, name);
    const record = context.groups.put(name, {
      name: existing?.name ?? name,
      location: existing?.location ?? location,
      tags: tagsOf(sent["tags"]),
    });
    return reply.code(existing === undefined ? 201 : 200).send(body(record));
  });

  app.get<Group>(ONE, { exposeHeadRoute: false }, async (request) =>
    body(requireGroup(context, request.params.group)),
  );

  app.head<Group>(ONE, async (request, reply) =>
    reply.code(context.groups.has(request.params.group) ? 204 : 404).send(),
  );

  app.patch<Group>(ONE, async (request) => {
    const group = requireStandingGroup(context, request.params.group);
    const sent = bodyObject(request);
    const tags = "tags" in sent ? tagsOf(sent["tags"]) : group.tags;
    return body(context.groups.put(group.name, { ...group, tags }));
  });

  app.delete<Group>(ONE, async (request, reply) => {
    const group = requireGroup(context, request.params.group);
    const operation = beginGroupRemoval(context, group.name);
    const path = `/subscriptions/${context.subscriptionId}/operationresults/${operation}`;
    announce(reply, `${context.endpoint}${path}?api-version=${apiVersion(request)}`, "location");
    return reply.code(202).send();
  });

  app.get(ALL, async () => ({ value: context.groups.list().map(body) }));

  app.get<Group>(`${ONE}/resources`, async (request) => ({
    value: resources(context, requireGroup(context, request.params.group).name),
  }));

  app.get("/subscriptions/:subscription/resources", async (request: FastifyRequest) => {
    const { $filter } = request.query as Record<string, string | undefined>;
    if ($filter !== undefined) {
      throw armError(501, "NotImplemented", "The sandbox does not have $filter on resources.");
    }
    return { value: resources(context, undefined) };
  });
}

/** Source: learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules. */
function checkName(name: string): void {
  if (!/^[\p{L}\p{N}_().-]{1,90}$/u.test(name) || name.endsWith(".")) {
    throw armError(
      400,
      "InvalidResourceGroup",
      "The provided resource group name is invalid: 1 to 90 letters, digits, underscores, parentheses, hyphens and full stops, without a full stop at the end.",
    );
  }
}

function inGroup<T extends { resourceGroup: string }>(all: T[], group: string | undefined): T[] {
  const wanted = group?.toLowerCase();
  return wanted === undefined
    ? all
    : all.filter((record) => record.resourceGroup.toLowerCase() === wanted);
}

/** Services before the hubs that they link. */
function lives(context: ArmContext): ServiceLife<ServiceResource>[] {
  return [provisioningServices(context), iotHubs(context)];
}

/** Accepts the deletion of the group and all that is in it; returns the operation's name. */
function beginGroupRemoval(context: ArmContext, name: string): string {
  const key = pendingKey("resource-group", name);
  context.deletions.put(key, { kind: "resource-group", name });
  return context.operations.begin(async () => {
    try {
      await removeContents(context, name);
      context.groups.delete(name);
    } finally {
      context.deletions.delete(key);
    }
  });
}

/** Goes on with the deletions that a sandbox which was killed had accepted. */
export function resumeDeletions(context: ArmContext): void {
  for (const { kind, name } of context.deletions.list()) {
    const life = lives(context).find((one) => one.kind === kind);
    if (life === undefined) beginGroupRemoval(context, name);
    else beginRemoval(context, life, name);
  }
}

async function removeContents(context: ArmContext, group: string): Promise<void> {
  for (const life of lives(context)) {
    for (const { name } of inGroup(life.collection.list(), group)) {
      await remove(context, life, name);
    }
  }
}

/** The generic form of a resource: no `properties`. */
function resources(context: ArmContext, group: string | undefined): object[] {
  const full = lives(context).flatMap((life) =>
    inGroup(life.collection.list(), group).map((one) => bodyOf(context, life, one)),
  );
  return full.map(({ id, name, type, location, tags, sku }) => ({
    id,
    name,
    type,
    location,
    tags,
    sku,
  }));
}
