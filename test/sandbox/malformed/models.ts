/** For every operation of the support matrix a request that is right, to be spoilt. */
import { supportedOperations } from "../../../sandbox/support-matrix";
import type { Model } from "./cases";

/** What there is in the sandbox. */
export interface Setting {
  subscription: string;
  tenant: string;
  idScope: string;
  /** Of a registration of pump-1. */
  operationId: string;
  /** PEM of pump-1's certificate. */
  leaf: string;
}

type Part = Partial<Pick<Model, "body" | "typed" | "conditional" | "reads" | "ids">>;

const VERSIONS: Record<string, string> = {
  arm: "api-version=2022-02-05",
  "dps-service": "api-version=2021-10-01",
  "dps-device": "api-version=2021-10-01",
  "iot-hub": "api-version=2021-04-12",
};

/** Throws when an operation that writes has no body here: what is new has to be thought of. */
export function modelsOf(setting: Setting): Model[] {
  const parts = partsOf(setting);
  const parameters = parametersOf(setting);
  const left = new Set(Object.keys(parts));
  const models = [...supportedOperations()].map((operation): Model => {
    const [service = "", method = "", template = ""] = operation.split(/: | /);
    const to = service as Model["to"];
    const name = Object.keys(parts).find((one) => operation.endsWith(one));
    if (name !== undefined) left.delete(name);
    else if (method !== "GET" && method !== "DELETE") throw new Error(`no model: ${operation}`);
    const version = VERSIONS[service];
    const known = template.includes("/IotHubs")
      ? { ...parameters[to], name: "hub", keyName: "service" }
      : parameters[to];
    const at = (id?: string): string => fill(template, known, id);
    const query = version === undefined ? "" : `?${version}`;
    return {
      to,
      method,
      path: at() + query,
      ...(template.includes(":") && { astray: (id: string) => at(id) + query }),
      reads: method === "GET",
      ...(name !== undefined && parts[name]),
    };
  });
  if (left.size > 0) throw new Error(`no such operation: ${[...left].join()}`);
  return models;
}

/** The template with its parameters, the last of them replaced by `id`. */
function fill(template: string, known: Record<string, string>, id?: string): string {
  const names = [...template.matchAll(/:(\w+)/g)].map(([, name]) => name!);
  return template.replace(/:(\w+)/g, (_all, name: string) =>
    id !== undefined && name === names.at(-1) ? id : (known[name] ?? `no-${name}`),
  );
}

function parametersOf(setting: Setting): Record<Model["to"], Record<string, string>> {
  return {
    arm: {
      subscription: setting.subscription,
      group: "rg",
      namespace: "Microsoft.Devices",
      name: "dps",
      certificate: "root",
      keyName: "provisioningserviceowner",
    },
    token: { tenant: setting.tenant },
    "dps-service": { id: "pump-1" },
    "dps-device": { idScope: setting.idScope, id: "pump-1", operationId: setting.operationId },
    "iot-hub": { id: "pump-1", moduleId: "m" },
  };
}

/** By the end of the operation's name, the longest first where one ends with another. */
function partsOf({ leaf }: Setting): Record<string, Part> {
  const x509 = (certificates: object) => ({ type: "x509", x509: certificates });
  const slot = { primary: { certificate: leaf } };
  const individual = {
    registrationId: "pump-1",
    attestation: x509({ clientCertificates: slot }),
  };
  const group = {
    enrollmentGroupId: "pump-1",
    attestation: x509({ signingCertificates: slot }),
  };
  const attestation = ["attestation", "attestation.type", "attestation.x509"];
  const thumbprints = { primaryThumbprint: "A".repeat(64) };
  const device = {
    deviceId: "pump-1",
    status: "enabled",
    authentication: { type: "selfSigned", x509Thumbprint: thumbprints },
  };
  const service = { location: "westus", sku: { name: "S1", capacity: 1 }, properties: {} };
  const certificate = { properties: { certificate: "AAAA" } };
  const job = { jobId: "pump-1", type: "scheduleUpdateTwin", queryCondition: "*", updateTwin: {} };
  const reads = { reads: true };
  const conditional = { conditional: true };
  const patch: Part = { body: { tags: {} }, typed: ["tags"], ...conditional };
  const query: Part = { body: { query: "SELECT *" }, typed: ["query"], ...reads };
  const twin: Part = { ...patch, typed: ["tags"] };
  const arm = "providers/Microsoft.Devices";
  const oneService: Part = {
    body: service,
    typed: ["location", "sku", "sku.name", "sku.capacity", "properties"],
    ...conditional,
  };
  const oneCertificate: Part = {
    body: certificate,
    typed: ["properties", "properties.certificate"],
    ...conditional,
  };
  const proof: Part = { body: { certificate: "AAAA" }, typed: ["certificate"], ...conditional };
  const name: Part = { body: { name: "pump-1" }, typed: [], ...reads };
  // A group may have almost any name.
  const resourceGroup: Part = { body: { location: "westus" }, typed: ["location"], ids: false };
  return {
    [`POST /subscriptions/:subscription/providers/:namespace/register`]: reads,
    "PUT /subscriptions/:subscription/resourcegroups/:group": resourceGroup,
    "PATCH /subscriptions/:subscription/resourcegroups/:group": {
      body: { tags: {} },
      typed: ["tags"],
    },
    [`PUT /subscriptions/:subscription/resourceGroups/:group/${arm}/provisioningServices/:name`]:
      oneService,
    [`PUT /subscriptions/:subscription/resourceGroups/:group/${arm}/IotHubs/:name`]: oneService,
    [`PATCH /subscriptions/:subscription/resourceGroups/:group/${arm}/provisioningServices/:name`]:
      { body: { tags: {} }, typed: ["tags"] },
    [`PATCH /subscriptions/:subscription/resourceGroups/:group/${arm}/IotHubs/:name`]: {
      body: { tags: {} },
      typed: ["tags"],
    },
    "/provisioningServices/:name/listkeys": reads,
    "/provisioningServices/:name/keys/:keyName/listkeys": reads,
    "/IotHubs/:name/listkeys": reads,
    "/IotHubs/:name/IotHubKeys/:keyName/listkeys": reads,
    [`${arm}/checkProvisioningServiceNameAvailability`]: name,
    [`${arm}/checkNameAvailability`]: name,
    ...Object.fromEntries(
      ["provisioningServices", "IotHubs"].flatMap((type) => {
        const one = `/subscriptions/:subscription/resourceGroups/:group/${arm}/${type}/:name/certificates/:certificate`;
        return [
          [`PUT ${one}`, oneCertificate],
          [`DELETE ${one}`, conditional],
          [`POST ${one}/generateVerificationCode`, conditional],
          [`POST ${one}/verify`, proof],
        ] as [string, Part][];
      }),
    ),
    "POST /:tenant/oauth2/v2.0/token": { body: { grant_type: "client_credentials" }, ids: false },

    "dps-service: PUT /enrollments/:id": { body: individual, typed: attestation, ...conditional },
    "dps-service: DELETE /enrollments/:id": conditional,
    "dps-service: POST /enrollments": {
      body: { mode: "create", enrollments: [individual] },
      typed: ["mode", "enrollments"],
    },
    "dps-service: POST /enrollments/query": query,
    "/enrollments/:id/attestationmechanism": reads,
    "dps-service: PUT /enrollmentGroups/:id": { body: group, typed: attestation, ...conditional },
    "dps-service: DELETE /enrollmentGroups/:id": conditional,
    "dps-service: POST /enrollmentGroups": {
      body: { mode: "create", enrollmentGroups: [group] },
      typed: ["mode", "enrollmentGroups"],
    },
    "dps-service: POST /enrollmentGroups/query": query,
    "/enrollmentGroups/:id/attestationmechanism": reads,
    "dps-service: DELETE /registrations/:id": conditional,
    "POST /registrations/:id/query": { ...query, typed: [] },

    "/:idScope/registrations/:id/register": {
      body: { registrationId: "pump-1" },
      typed: ["registrationId"],
    },
    "POST /:idScope/registrations/:id": reads,

    "iot-hub: PUT /devices/:id": {
      body: device,
      typed: ["status", "authentication", "authentication.type"],
      ...conditional,
    },
    "iot-hub: DELETE /devices/:id": conditional,
    "iot-hub: POST /devices": { body: [{ id: "pump-1", importMode: "create" }] },
    "iot-hub: POST /devices/query": { ...query, body: { query: "SELECT * FROM devices" } },
    "iot-hub: PUT /devices/:id/modules/:moduleId": {
      body: { deviceId: "pump-1", moduleId: "m" },
      typed: ["deviceId", "moduleId", "authentication"],
      ...conditional,
    },
    "iot-hub: DELETE /devices/:id/modules/:moduleId": conditional,
    "iot-hub: PATCH /twins/:id": twin,
    "iot-hub: PUT /twins/:id": twin,
    "iot-hub: PATCH /twins/:id/modules/:moduleId": twin,
    "iot-hub: PUT /twins/:id/modules/:moduleId": twin,
    "/twins/:id/methods": {
      body: { methodName: "reboot", responseTimeoutInSeconds: 5 },
      typed: ["methodName", "responseTimeoutInSeconds"],
    },
    "iot-hub: PUT /jobs/v2/:id": { body: job, typed: ["type", "queryCondition", "updateTwin"] },
    "/jobs/v2/:id/cancel": {},
  };
}
