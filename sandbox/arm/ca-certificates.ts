/**
 * CA certificates of a DPS instance or an IoT hub: etags, verification codes, proof of possession. Recorded
 * answers: Azure CLI's test_dps_certificate_lifecycle and test_certificate_lifecycle, and the .NET SDK's
 * DpsCertificateOperations.
 */
import { randomBytes, X509Certificate } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { armError, devicesError } from "../common/errors";
import type { CaCertificateRecord, ProvisioningServiceRecord, Sandbox } from "../common/model";
import type { Collection } from "../common/store";
import { Directory, type EnrollmentRecord } from "../dps-service/records";
import { faultOfProof, readCaCertificate, readCertificate, shownFields } from "./certificate-body";
import {
  apiVersion,
  asObject,
  bodyObject,
  ifMatch,
  type ArmContext,
  type ServiceKind,
} from "./context";
import {
  CERTIFICATE_SHOWN_SINCE,
  CODE_BAD_REQUEST,
  CODE_CERTIFICATE_IN_USE,
  CODE_NO_VERIFICATION_CODE,
  CODE_TOO_MANY_CERTIFICATES,
  CODE_VERIFICATION_FAILED,
} from "./not-known";
import { resourceId, type ServiceResource } from "./services";

interface Route {
  Params: { group: string; name: string; certificate: string };
}

/** The certificates of all services of a kind, by `<service>/<name>`. */
export function caCertificatesOf(
  sandbox: Pick<Sandbox, "caCertificates" | "collection">,
  kind: ServiceKind,
): Collection<CaCertificateRecord> {
  return kind === "iot-hub" ? sandbox.collection("hub-ca-certificates") : sandbox.caCertificates;
}

/** What differs between the two kinds of service. */
interface Owner {
  kind: ServiceKind;
  type: "provisioningServices" | "IotHubs";
  collection: Collection<CaCertificateRecord>;
  find: (name: string) => ServiceResource | undefined;
  etag: () => string;
  /** As `created` is shown. */
  created: (record: CaCertificateRecord) => string;
  /** The first group that names the certificate. */
  referring: (owner: ServiceResource, record: CaCertificateRecord) => string | undefined;
  /** Before this api-version the body holds the properties, from then on it holds `properties`. */
  nestedSince: string;
}

/** Source: MicrosoftDocs/azure-docs includes/iot-dps-limits.md. */
const MOST_CERTIFICATES = 25;
/** `isVerified` of a PUT is in the model since then. */
const SELF_ATTESTATION_SINCE = "2020-03-01";
/** What DPS shows as the time of creation [recorded]. */
const NEVER = "Mon, 01 Jan 0001 00:00:00 GMT";
/** Source: learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules. */
const NAME_RULE = /^[a-z0-9][a-z0-9._-]{0,254}[a-z0-9]$|^[a-z0-9]$/i;

export function registerCaCertificates(app: FastifyInstance, context: ArmContext): void {
  const { sandbox } = context;
  const { services, hubs } = sandbox;
  register(app, context, {
    kind: "provisioning-service",
    type: "provisioningServices",
    collection: caCertificatesOf(sandbox, "provisioning-service"),
    find: (name) => services.get(name),
    etag: certificateEtag,
    created: () => NEVER,
    referring: ({ name }, record) => {
      const service = services.get(name);
      return service && referringGroup(context, service, record);
    },
    nestedSince: "2022-02-05",
  });
  register(app, context, {
    kind: "iot-hub",
    type: "IotHubs",
    collection: caCertificatesOf(sandbox, "iot-hub"),
    find: (name) => hubs.get(name),
    etag: () => randomBytes(8).toString("base64"),
    created: (record) => new Date(record.created).toUTCString(),
    referring: () => undefined,
    nestedSince: "",
  });
}

function register(app: FastifyInstance, context: ArmContext, owner: Owner): void {
  const { clock, switches } = context.sandbox;
  const { collection: caCertificates } = owner;
  const ALL = `/subscriptions/:subscription/resourceGroups/:group/providers/Microsoft.Devices/${owner.type}/:name/certificates`;
  const ONE = `${ALL}/:certificate`;
  const body = (of: Present, shown: boolean, verificationCode?: string): object =>
    shownBody(context, owner, of, shown, verificationCode);
  const find = (request: FastifyRequest<Route>): Found => {
    const service = requireParent(context, owner, request.params);
    const record = caCertificates.get(`${service.name}/${request.params.certificate}`);
    return { service, record };
  };
  const required = (request: FastifyRequest<Route>): Present => {
    const { service, record } = find(request);
    if (record === undefined) {
      const text = `Certificate '${request.params.certificate}' not found.`;
      throw devicesError(404, 404015, text, clock.now());
    }
    return { service, record };
  };
  const save = (record: CaCertificateRecord): CaCertificateRecord =>
    caCertificates.put(`${record.service}/${record.name}`, {
      ...record,
      etag: owner.etag(),
      updated: clock.now().toISOString(),
    });

  app.get<Route>(ALL, async (request) => {
    const service = requireParent(context, owner, request.params);
    const records = caCertificates.list(`${service.name}/`);
    return { value: records.map((record) => body({ service, record }, shows(request))) };
  });

  app.get<Route>(ONE, async (request) => {
    return body(required(request), shows(request));
  });

  app.put<Route>(ONE, async (request, reply) => {
    const { service, record } = find(request);
    const now = clock.now();
    checkEtag(request, record, now, record !== undefined);
    const { certificate, isVerified } = sentProperties(request, owner.nestedSince, now);
    if (!NAME_RULE.test(request.params.certificate)) {
      const text = `The certificate name '${request.params.certificate}' is not valid.`;
      throw devicesError(400, CODE_BAD_REQUEST, text, now);
    }
    const parsed = readCaCertificate(certificate, now, switches);
    if (
      record === undefined &&
      caCertificates.list(`${service.name}/`).length >= MOST_CERTIFICATES
    ) {
      const text = `The service already has ${MOST_CERTIFICATES} certificates.`;
      throw devicesError(403, CODE_TOO_MANY_CERTIFICATES, text, now);
    }
    const kept = switches.verifiedSurvivesUpdate && (record?.isVerified ?? false);
    const saved = save({
      service: service.name,
      name: record?.name ?? request.params.certificate,
      certificate: parsed.raw.toString("base64"),
      isVerified: isVerified ?? kept,
      etag: "",
      created: record?.created ?? now.toISOString(),
      updated: "",
    });
    note(reply, saved, isVerified === true ? "self-attested" : "uploaded");
    return body({ service, record: saved }, shows(request));
  });

  app.delete<Route>(ONE, async (request, reply) => {
    const { service, record } = find(request);
    if (record === undefined) {
      return reply.code(204).send();
    }
    checkEtag(request, record, clock.now(), switches.caDeleteNeedsIfMatch);
    const group = switches.referencedCaDelete === "refused" && owner.referring(service, record);
    if (group) {
      const text = `The certificate '${record.name}' is referred to by the enrollment group '${group}'.`;
      throw devicesError(409, CODE_CERTIFICATE_IN_USE, text, clock.now());
    }
    caCertificates.delete(`${service.name}/${record.name}`);
    note(reply, record, "deleted");
    return reply.code(200).send();
  });

  app.post<Route>(`${ONE}/generateVerificationCode`, async (request) => {
    const { service, record } = required(request);
    checkEtag(request, record, clock.now(), true);
    const verificationCode = randomBytes(24).toString("hex").toUpperCase();
    const earlier = switches.newCodeEndsEarlierOnes ? [] : (record.verificationCodes ?? []);
    const saved = save({ ...record, verificationCodes: [...earlier, verificationCode] });
    return body({ service, record: saved }, true, verificationCode);
  });

  app.post<Route>(`${ONE}/verify`, async (request, reply) => {
    const { service, record } = required(request);
    const now = clock.now();
    checkEtag(request, record, now, true);
    const { verificationCodes, ...rest } = record;
    if (verificationCodes === undefined) {
      const text = `The certificate '${record.name}' has no verification code.`;
      throw devicesError(400, CODE_NO_VERIFICATION_CODE, text, now);
    }
    const proof = readCertificate(bodyObject(request)["certificate"], now, switches);
    const fault = faultOfProof(proof, x509(record), verificationCodes, now);
    if (fault !== undefined) {
      const text = `Verification failed: ${fault}.`;
      throw devicesError(400, CODE_VERIFICATION_FAILED, text, now);
    }
    const saved = save({ ...rest, isVerified: true });
    note(reply, saved, "verified");
    return body({ service, record: saved }, shows(request));
  });
}

/** The first group that names the certificate. */
function referringGroup(
  { sandbox }: ArmContext,
  service: ProvisioningServiceRecord,
  { name }: CaCertificateRecord,
): string | undefined {
  const refersTo = ({ attestation }: EnrollmentRecord): boolean =>
    attestation.form === "caReferences" &&
    [attestation.primary, attestation.secondary].some(
      (one) => one?.toLowerCase() === name.toLowerCase(),
    );
  return new Directory(sandbox, service).entries("group").find(refersTo)?.id;
}

interface Present {
  service: ServiceResource;
  record: CaCertificateRecord;
}

interface Found {
  service: ServiceResource;
  record: CaCertificateRecord | undefined;
}

function x509(record: CaCertificateRecord): X509Certificate {
  return new X509Certificate(Buffer.from(record.certificate, "base64"));
}

function note(reply: FastifyReply, record: CaCertificateRecord, what: string): void {
  reply.note = `${what}, SHA-1 ${shownFields(x509(record)).thumbprint}`;
}

/** base64 of a quoted etag, as Cosmos DB makes them. */
function certificateEtag(): string {
  const hex = (bytes: number): string => randomBytes(bytes).toString("hex");
  const etag = `"${hex(4)}-0000-0700-0000-${hex(4)}0000"`;
  return Buffer.from(etag).toString("base64");
}

/** Throws 412 when the request's etag is not that of what is there, or is missing where needed. */
function checkEtag(
  request: FastifyRequest,
  record: CaCertificateRecord | undefined,
  now: Date,
  needed: boolean,
): void {
  const sent = ifMatch(request);
  const fits = sent === undefined ? !needed : record !== undefined && matches(sent, record.etag);
  if (!fits) {
    throw devicesError(412, 412001, "Invalid ETag supplied.", now);
  }
}

function matches(sent: string, etag: string): boolean {
  return sent === "*" || sent === etag;
}

function sentProperties(
  request: FastifyRequest,
  nestedSince: string,
  now: Date,
): { certificate: unknown; isVerified: boolean | undefined } {
  const version = apiVersion(request);
  const sent = bodyObject(request);
  const properties =
    version.slice(0, 10) >= nestedSince
      ? asObject(sent["properties"], "The property 'properties'")
      : sent;
  const { certificate, isVerified } = properties;
  if (isVerified !== undefined && isVerified !== null && typeof isVerified !== "boolean") {
    throw devicesError(400, CODE_BAD_REQUEST, "isVerified must be true or false.", now);
  }
  const known = version.slice(0, 10) >= SELF_ATTESTATION_SINCE;
  return { certificate, isVerified: known ? (isVerified ?? undefined) : undefined };
}

/** Does this api-version show the certificate itself? */
function shows(request: FastifyRequest): boolean {
  return apiVersion(request).slice(0, 10) >= CERTIFICATE_SHOWN_SINCE;
}

function shownBody(
  context: ArmContext,
  { kind, type, created }: Owner,
  { service, record }: Present,
  shown: boolean,
  verificationCode?: string,
): object {
  return {
    id: `${resourceId(context, kind, service)}/certificates/${record.name}`,
    name: record.name,
    type: `Microsoft.Devices/${type}/Certificates`,
    etag: record.etag,
    properties: {
      ...shownFields(x509(record)),
      isVerified: record.isVerified,
      created: created(record),
      updated: new Date(record.updated).toUTCString(),
      certificate: shown ? record.certificate : null,
      ...(verificationCode === undefined ? {} : { verificationCode }),
    },
  };
}

function requireParent(
  context: ArmContext,
  { type, find }: Owner,
  { group, name }: Route["Params"],
): ServiceResource {
  const service = find(name);
  if (service?.resourceGroup.toLowerCase() !== group.toLowerCase() || service === undefined) {
    const parent = `/subscriptions/${context.subscriptionId}/resourceGroups/${group}/providers/Microsoft.Devices/${type}/${name}`;
    throw armError(
      404,
      "ParentResourceNotFound",
      `Failed to perform the operation on a resource of type '${type}/certificates', because the parent resource '${parent}' could not be found.`,
    );
  }
  return service;
}
