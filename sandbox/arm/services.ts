/** What DPS instances and IoT hubs have in common as resources of ARM. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { armError, devicesError } from "../common/errors";
import type { AccessPolicy } from "../common/model";
import { findPolicy } from "./access-policies";
import {
  apiVersion,
  asObject,
  ifMatch,
  locationConflict,
  pendingKey,
  resourceNotFound,
  sameLocation,
  type ArmContext,
  type ServiceKind,
} from "./context";
import { CODE_BAD_REQUEST, CODE_IN_TRANSITION, CODE_NAME_TAKEN } from "./not-known";
import { announce } from "./operations";

/** Route parameters of a service and of what lies under it. */
export interface ServiceRoute {
  Params: { subscription: string; group: string; name: string; keyName: string };
}

export interface ServiceResource {
  name: string;
  resourceGroup: string;
  location: string;
  tags: Record<string, string>;
  sku: { name: string; capacity: number; tier: string };
  /** 8-byte base64, as ARM shows it. */
  etag: string;
  subscriptionId: string;
  authorizationPolicies: AccessPolicy[];
  /** Properties that were sent and are kept but not acted on, by ARM name. */
  otherProperties: Record<string, unknown>;
}

export const TYPE_NAMES: Record<ServiceKind, string> = {
  "provisioning-service": "Microsoft.Devices/provisioningServices",
  "iot-hub": "Microsoft.Devices/IotHubs",
};

/** The resource's ARM id, in the spelling in which it was created. */
export function resourceId(context: ArmContext, kind: ServiceKind, of: ServiceResource): string {
  return `/subscriptions/${context.subscriptionId}/resourceGroups/${of.resourceGroup}/providers/${TYPE_NAMES[kind]}/${of.name}`;
}

/** The service when it is in this group. Throws 404. */
export function requireService<T extends ServiceResource>(
  kind: ServiceKind,
  found: T | undefined,
  group: string,
  name: string,
): T {
  if (found === undefined || found.resourceGroup.toLowerCase() !== group.toLowerCase()) {
    throw resourceNotFound(TYPE_NAMES[kind], group, name);
  }
  return found;
}

/** Is what is there another service of this name, or in another place, or going away? Throws. */
export function checkExisting(
  context: ArmContext,
  kind: ServiceKind,
  existing: ServiceResource,
  wanted: { group: string; location: string; request: FastifyRequest; etag: unknown },
): void {
  const now = context.sandbox.clock.now();
  const { name } = existing;
  if (existing.resourceGroup.toLowerCase() !== wanted.group.toLowerCase()) {
    throw devicesError(409, CODE_NAME_TAKEN, `The name '${name}' is not available.`, now);
  }
  if (!sameLocation(existing.location, wanted.location)) {
    throw locationConflict(name, existing.resourceGroup, existing.location, wanted.location);
  }
  if (context.pending.get(pendingKey(kind, name)) === "Deleting") {
    throw devicesError(409, CODE_IN_TRANSITION, `The service '${name}' is being deleted.`, now);
  }
  const etags = [ifMatch(wanted.request), wanted.etag].filter(
    (etag) => typeof etag === "string" && etag !== "" && etag !== "*",
  );
  if (etags.some((etag) => etag !== existing.etag)) {
    throw devicesError(412, 412001, "Invalid ETag supplied.", now);
  }
}

/** Of a sku: its tier, and how many units of it a service may have. */
export interface Tier {
  tier: string;
  most: number;
}

/** `sku` of a body. Throws 400. */
export function skuOf(
  value: unknown,
  tiers: Record<string, Tier>,
  now: Date,
): ServiceResource["sku"] {
  const { name, capacity = 1 } = asObject(value, "The property 'sku'");
  const known = typeof name === "string" && Object.hasOwn(tiers, name.toUpperCase());
  const tier = known ? tiers[name.toUpperCase()] : undefined;
  if (typeof name !== "string" || tier === undefined) {
    const text = `The sku must be one of ${Object.keys(tiers).join(", ")}.`;
    throw devicesError(400, CODE_BAD_REQUEST, text, now);
  }
  const fits = typeof capacity === "number" && Number.isInteger(capacity) && capacity >= 1;
  if (!fits || capacity > tier.most) {
    const text = `The capacity of the sku must be a whole number from 1 to ${tier.most}.`;
    throw devicesError(400, CODE_BAD_REQUEST, text, now);
  }
  return { name: name.toUpperCase(), capacity, tier: tier.tier };
}

/** Throws 400 when the name of a service does not follow its rule. */
export function checkServiceName(name: string, rule: RegExp, now: Date): void {
  if (!rule.test(name)) {
    throw devicesError(400, CODE_BAD_REQUEST, `The name '${name}' is not valid.`, now);
  }
}

/** The one policy of POST .../listkeys for a key name. Throws 404. */
export function requirePolicy(policies: AccessPolicy[], keyName: string, now: Date): AccessPolicy {
  const policy = findPolicy(policies, keyName);
  if (policy === undefined) {
    throw devicesError(404, 404001, `The access policy '${keyName}' was not found.`, now);
  }
  return policy;
}

/** Marks the service while `work` runs as a long-running operation; returns the operation's name. */
export function beginPending(
  context: ArmContext,
  kind: ServiceKind,
  name: string,
  state: "Activating" | "Transitioning" | "Deleting",
  work: () => Promise<void>,
): string {
  const key = pendingKey(kind, name);
  context.pending.set(key, state);
  return context.operations.begin(async () => {
    try {
      await work();
    } finally {
      // A deletion that was accepted later has the last word.
      if (context.pending.get(key) === state) {
        context.pending.delete(key);
      }
    }
  });
}

/** 201 to create and update, with the address where the operation can be followed. */
export function sendAccepted(
  context: ArmContext,
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  body: object,
): FastifyReply {
  announce(reply, `${context.endpoint}${path}?api-version=${apiVersion(request)}`, "async");
  return reply.code(201).send(body);
}

/** 202 to a deletion. The body is the word null. */
export function sendDeleting(
  context: ArmContext,
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
): FastifyReply {
  announce(reply, `${context.endpoint}${path}?api-version=${apiVersion(request)}`, "both");
  return reply.code(202).type("application/json; charset=utf-8").send("null");
}

/** What `checkNameAvailability` answers; `reason` is "Invalid" also when the name is free [recorded]. */
export function nameAvailability(valid: boolean, taken: boolean, name: string): object {
  if (!valid) {
    return {
      nameAvailable: false,
      reason: "Invalid",
      message: `The name '${name}' is not valid.`,
    };
  }
  return taken
    ? { nameAvailable: false, reason: "AlreadyExists", message: `The name '${name}' is taken.` }
    : { nameAvailable: true, reason: "Invalid", message: null };
}

/** `name` of a name availability check. Throws 400. */
export function nameToCheck(body: Record<string, unknown>): string {
  if (typeof body["name"] !== "string") {
    throw armError(400, "InvalidRequestContent", "The property 'name' is required.");
  }
  return body["name"];
}
