/** What the handlers of ARM share, and the rules that hold for every ARM request. */
import { randomBytes } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { armError, type HttpError } from "../common/errors";
import type { Sandbox } from "../common/model";
import type { Collection } from "../common/store";
import type { Operations } from "./operations";

/** Key in its collection ("resource-groups"): the name. */
export interface ResourceGroupRecord {
  name: string;
  location: string;
  tags: Record<string, string>;
}

export type ServiceKind = "provisioning-service" | "iot-hub";

/** Starts and stops the listeners of services as ARM creates and deletes them. */
export interface FrontKeeper {
  /** Host name for a service that is about to be created. */
  hostName(kind: ServiceKind, name: string): string;
  /** Resolves when the service's listeners are up and its addresses are published. */
  open(kind: ServiceKind, name: string): Promise<void>;
  /** Closes the listeners and removes what the service's data plane has stored. */
  remove(kind: ServiceKind, name: string): Promise<void>;
}

/** Accepted and not done yet: what a sandbox that was killed has to finish. */
export interface Deletion {
  kind: ServiceKind | "resource-group";
  name: string;
}

export interface ArmContext {
  sandbox: Sandbox;
  groups: Collection<ResourceGroupRecord>;
  operations: Operations;
  fronts: FrontKeeper;
  /** What is under way at a service, by `pendingKey`; what is not here is settled. */
  pending: Map<string, "Activating" | "Transitioning" | "Deleting">;
  /** By `pendingKey`. */
  deletions: Collection<Deletion>;
  subscriptionId: string;
  tenantId: string;
  /** Base URLs, known when the listeners are up. */
  endpoint: string;
  authorityHost: string;
}

export function pendingKey(kind: Deletion["kind"], name: string): string {
  return `${kind}/${name.toLowerCase()}`;
}

export type Tags = Record<string, string>;

/** 8 bytes in base64, as on DPS instances and hubs: "AAAAAA3ez90=". */
export function resourceEtag(): string {
  return Buffer.concat([Buffer.alloc(4), randomBytes(4)]).toString("base64");
}

/** The api-version of the request. Throws 400 when it is missing or does not look like one. */
export function apiVersion(request: FastifyRequest): string {
  const query = request.query as Record<string, string | string[] | undefined>;
  const name = Object.keys(query).find((key) => key.toLowerCase() === "api-version");
  const value = name === undefined ? undefined : [query[name]].flat()[0];
  if (value === undefined || value === "") {
    throw armError(
      400,
      "MissingApiVersionParameter",
      "The api-version query parameter (?api-version=) is required for all requests.",
    );
  }
  if (!/^\d{4}-\d{2}-\d{2}(-[a-z]+)?$/i.test(value)) {
    throw armError(
      400,
      "InvalidApiVersionParameter",
      `The api-version '${value}' is invalid. It must be a date in the form yyyy-MM-dd, with -preview behind it for a preview.`,
    );
  }
  return value;
}

/** The body as an object; throws 400 when it is not one. */
export function bodyObject(request: FastifyRequest): Record<string, unknown> {
  return asObject(request.body, "The request content");
}

/** `value` as an object; throws 400 that names it as `what`. */
export function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw armError(400, "InvalidRequestContent", `${what} must be a JSON object.`);
  }
  return value as Record<string, unknown>;
}

/** Tags of a body: an object of strings; undefined or null is none. Throws 400. */
export function tagsOf(value: unknown): Tags {
  if (value === undefined || value === null) {
    return {};
  }
  const tags = asObject(value, "The property 'tags'");
  if (!Object.values(tags).every((tag) => typeof tag === "string")) {
    throw armError(400, "InvalidRequestContent", "Every tag must be a string.");
  }
  return tags as Tags;
}

/** The location of a body. Throws 400 when it is missing. */
export function locationOf(value: unknown): string {
  if (typeof value !== "string" || value === "") {
    throw armError(
      400,
      "LocationRequired",
      "The location property is required for this definition.",
    );
  }
  return value;
}

/** "West US" and "westus" are one place. */
export function sameLocation(a: string, b: string): boolean {
  const plain = (text: string): string => text.replaceAll(" ", "").toLowerCase();
  return plain(a) === plain(b);
}

/**
 * The `If-Match` header, without the quotes some clients put; undefined when it is missing or empty
 * (Terraform sends an empty one when it creates).
 */
export function ifMatch(request: FastifyRequest): string | undefined {
  const header = request.headers["if-match"]?.trim();
  return header === undefined || header === "" ? undefined : header.replace(/^"(.+)"$/, "$1");
}

export function requireGroup(context: ArmContext, name: string): ResourceGroupRecord {
  const group = context.groups.get(name);
  if (group === undefined) {
    throw armError(404, "ResourceGroupNotFound", `Resource group '${name}' could not be found.`);
  }
  return group;
}

/** As `requireGroup`, for a write: a group that is being deleted takes none. */
export function requireStandingGroup(context: ArmContext, name: string): ResourceGroupRecord {
  const group = requireGroup(context, name);
  if (isGroupGoing(context, name)) {
    // not known: what ARM answers a write of something in the group; assumed as to one of the group itself.
    throw armError(
      409,
      "ResourceGroupBeingDeleted",
      `The resource group '${group.name}' is in deprovisioning state and cannot perform this operation.`,
    );
  }
  return group;
}

/** Whether the deletion of the group has been accepted, and is not done. */
export function isGroupGoing(context: ArmContext, name: string): boolean {
  return context.deletions.has(pendingKey("resource-group", name));
}

/** @param type such as "Microsoft.Devices/IotHubs" */
export function resourceNotFound(type: string, group: string, name: string): HttpError {
  return armError(
    404,
    "ResourceNotFound",
    `The Resource '${type}/${name}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
}

/** A resource cannot move: a PUT with another location is refused. */
export function locationConflict(
  name: string,
  group: string,
  current: string,
  wanted: string,
): HttpError {
  return armError(
    409,
    "InvalidResourceLocation",
    `The resource '${name}' already exists in location '${current}' in resource group '${group}'. A resource with the same name cannot be created in location '${wanted}'. Please select a new resource name.`,
  );
}
