/** The service API's paths: enrollments, enrollment groups, registrations. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Sandbox } from "../common/model";
import type { Registrar } from "../dps-device/registrar";
import { authorize, type Right } from "./access";
import { BodyError } from "./body-reader";
import { Enrollments } from "./enrollments";
import { OPERATIONS, throttle } from "./limits";
import { asksForEverything, pageOf, type Page, readContinuation } from "./paging";
import { neverRegistered, showAttestation, showEnrollment, showRegistration } from "./presenter";
import type { Directory, EntryKind, RegistrationRecord } from "./records";
import {
  badRequest,
  enrollmentNotFound,
  etagMismatch,
  notWritten,
  registrationNotFound,
} from "./service-errors";

export interface ServiceApi {
  sandbox: Sandbox;
  registrar: Registrar;
  /** Host names, beside its own, under which clients reach the service. */
  names: string[];
}

/** What a handler gets: the service's records at the time of the request. */
interface Call {
  directory: Directory;
  enrollments: Enrollments;
  now: Date;
  id: string;
  request: FastifyRequest;
  reply: FastifyReply;
}

/** Adds all operations to `app`. */
export function serviceRoutes(app: FastifyInstance, api: ServiceApi): void {
  entryRoutes(app, api, "individual", "/enrollments");
  entryRoutes(app, api, "group", "/enrollmentGroups");
  registrationRoutes(app, api);
}

function entryRoutes(app: FastifyInstance, api: ServiceApi, kind: EntryKind, path: string): void {
  const itemType = kind === "individual" ? "Enrollment" : "EnrollmentGroup";

  app.get(
    `${path}/:id`,
    handler(api, "EnrollmentRead", ({ enrollments, directory, id }) => {
      const record = enrollments.get(kind, id);
      if (kind === "group") {
        return showEnrollment(record, { keys: false });
      }
      const state = api.registrar.settled(directory, id);
      const registrationState =
        state === undefined ? neverRegistered(record.id) : showRegistration(state);
      return { ...showEnrollment(record, { keys: false }), registrationState };
    }),
  );

  app.put(
    `${path}/:id`,
    handler(api, "EnrollmentWrite", ({ enrollments, id, request }) =>
      showEnrollment(enrollments.put(kind, id, request.body, ifMatch(request)), { keys: true }),
    ),
  );

  app.delete(
    `${path}/:id`,
    handler(api, "EnrollmentWrite", ({ enrollments, id, request, reply }) => {
      enrollments.delete(kind, id, ifMatch(request));
      reply.code(204);
      return undefined;
    }),
  );

  app.post(
    path,
    handler(
      api,
      "EnrollmentWrite",
      ({ enrollments, request }) => enrollments.bulk(kind, request.body),
      ({ body }) => (api.sandbox.switches.bulkCounts === "per-entry" ? entriesIn(kind, body) : 1),
    ),
  );

  app.post(
    `${path}/query`,
    handler(api, "EnrollmentRead", ({ directory, request, reply, now }) => {
      if (!asksForEverything(request.body)) {
        throw notWritten(now, "The sandbox does not have this operation: query with a condition");
      }
      const page = pageOf(directory.entries(kind), ({ id }) => id, paging(request));
      return sendPage(reply, page, itemType).map((record) =>
        showEnrollment(record, { keys: false }),
      );
    }),
  );

  app.post(
    `${path}/:id/attestationmechanism`,
    handler(api, "EnrollmentRead", ({ enrollments, id }) =>
      showAttestation(enrollments.get(kind, id).attestation),
    ),
  );
}

function registrationRoutes(app: FastifyInstance, api: ServiceApi): void {
  app.get(
    "/registrations/:id",
    handler(api, "RegistrationStatusRead", ({ directory, id, now }) =>
      showRegistration(existing(api, directory, id, now)),
    ),
  );

  app.delete(
    "/registrations/:id",
    handler(api, "RegistrationStatusWrite", ({ directory, id, now, request, reply }) => {
      const record = existing(api, directory, id, now);
      const etag = ifMatch(request);
      if (etag !== undefined && etag !== "*" && etag !== record.etag) {
        throw etagMismatch(now);
      }
      directory.deleteRegistration(id);
      reply.code(204);
      return undefined;
    }),
  );

  app.post(
    "/registrations/:id/query",
    handler(api, "RegistrationStatusRead", ({ directory, id, now, request, reply }) => {
      const isListed = api.sandbox.switches.registrationsOfDeletedGroup === "listed";
      if (!isListed && directory.entry("group", id) === undefined) {
        throw enrollmentNotFound(now);
      }
      const asked = paging(request);
      const own = directory
        .allRegistrations(readContinuation(asked.continuation))
        .filter(({ group }) => group?.toLowerCase() === id.toLowerCase());
      const page = pageOf(own, ({ registrationId }) => registrationId, asked);
      return sendPage(reply, page, "DeviceRegistration")
        .map((record) => api.registrar.settled(directory, record.registrationId) ?? record)
        .map(showRegistration);
    }),
  );
}

function existing(
  api: ServiceApi,
  directory: Directory,
  id: string,
  now: Date,
): RegistrationRecord {
  const record = api.registrar.settled(directory, id);
  if (record === undefined) {
    throw registrationNotFound(now);
  }
  return record;
}

/** How many entries a bulk operation has; 1 for a body that it will refuse. */
function entriesIn(kind: EntryKind, body: unknown): number {
  const property = kind === "individual" ? "enrollments" : "enrollmentGroups";
  const entries = (body as Record<string, unknown> | null | undefined)?.[property];
  return Array.isArray(entries) ? Math.max(1, entries.length) : 1;
}

/** api-version, then authorization, then the rate, then the operation; a fault in the body becomes a 400. */
function handler(
  api: ServiceApi,
  right: Right,
  run: (call: Call) => object | undefined,
  cost: (request: FastifyRequest) => number = () => 1,
) {
  return (request: FastifyRequest, reply: FastifyReply): object | undefined => {
    const now = api.sandbox.clock.now();
    checkApiVersion(request, now);
    const directory = api.registrar.directory();
    authorize(api.sandbox, directory, request.headers.authorization, right, api.names);
    throttle(api.sandbox, OPERATIONS, directory.service.name, cost(request));
    const { id = "" } = request.params as { id?: string };
    const enrollments = new Enrollments(directory, api.sandbox.switches, now);
    try {
      const answer = run({ directory, enrollments, now, id, request, reply });
      return answer ?? reply.send();
    } catch (error) {
      throw error instanceof BodyError ? badRequest(now, error.message) : error;
    }
  };
}

/** Any version by its form: SDKs send 2019-03-31, 2021-10-01, 2026-11-01. Throws 400. */
export function checkApiVersion(request: FastifyRequest, now: Date): void {
  const version = (request.query as Record<string, unknown>)["api-version"];
  if (typeof version !== "string" || !/^\d{4}-\d{2}-\d{2}(-[a-z]+)?$/i.test(version)) {
    throw badRequest(now, "The query parameter api-version is missing or not valid.");
  }
}

function ifMatch(request: FastifyRequest): string | undefined {
  return request.headers["if-match"];
}

function paging(request: FastifyRequest) {
  const read = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  return {
    maxItemCount: read("x-ms-max-item-count"),
    continuation: read("x-ms-continuation"),
  };
}

function sendPage<T>(reply: FastifyReply, page: Page<T>, itemType: string): T[] {
  reply.header("x-ms-item-type", itemType);
  if (page.continuation !== undefined) {
    reply.header("x-ms-continuation", page.continuation);
  }
  return page.items;
}
