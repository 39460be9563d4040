/**
 * What the sandbox has of Azure, operation by operation; a test holds it against the routes of the
 * listeners. `docs/reference/sandbox-operations.md` is written from it.
 */

type Rows = Readonly<Record<string, string>>;

interface Section {
  title: string;
  /** As `http.ts` names the operations. */
  service: string;
  /** What all paths begin with, for short rows. */
  prefix: string;
  /** `METHOD path` and what is particular about it; "" for nothing. */
  rows: Rows;
  /** What clients may ask for and get 501, which names the operation. */
  missing: readonly string[];
}

const SUBSCRIPTION = "/subscriptions/:subscription";
const DEVICES = `${SUBSCRIPTION}/resourceGroups/:group/providers/Microsoft.Devices`;

export const SECTIONS: readonly Section[] = [
  {
    title: "Azure Resource Manager: cloud, subscriptions, resource groups",
    service: "arm",
    prefix: "",
    rows: {
      "GET /metadata/endpoints": "without a token; what a custom cloud of the Azure CLI needs",
      "GET /tenants": "",
      "GET /subscriptions": "one",
      [`GET ${SUBSCRIPTION}`]: "",
      [`GET ${SUBSCRIPTION}/locations`]: "three",
      [`GET ${SUBSCRIPTION}/providers`]: "",
      [`GET ${SUBSCRIPTION}/providers/:namespace`]: "",
      [`POST ${SUBSCRIPTION}/providers/:namespace/register`]: "",
      "GET /providers/Microsoft.Devices/operations": "those that the sandbox has",
      [`GET ${SUBSCRIPTION}/operationresults/:operation`]: "",
      [`GET ${SUBSCRIPTION}/providers/Microsoft.Devices/operationResults/:operation`]: "",
      [`GET ${SUBSCRIPTION}/resourcegroups`]: "",
      [`GET ${SUBSCRIPTION}/resourcegroups/:group`]: "also HEAD",
      [`PUT ${SUBSCRIPTION}/resourcegroups/:group`]: "",
      [`PATCH ${SUBSCRIPTION}/resourcegroups/:group`]: "",
      [`DELETE ${SUBSCRIPTION}/resourcegroups/:group`]: "with all that is in it",
      [`GET ${SUBSCRIPTION}/resourcegroups/:group/resources`]: "",
      [`GET ${SUBSCRIPTION}/resources`]: "",
    },
    missing: ["deployments, locks, role assignments, policies, tags of subscriptions"],
  },
  {
    title: "Azure Resource Manager: provisioning services",
    service: "arm",
    prefix: DEVICES,
    rows: {
      "GET /provisioningServices": "",
      "GET /provisioningServices/:name": "",
      "PUT /provisioningServices/:name":
        "linked hubs with masked keys may be sent back as they are",
      "PATCH /provisioningServices/:name": "tags",
      "DELETE /provisioningServices/:name": "",
      "GET /provisioningServices/:name/operationResults/:operation": "",
      "GET /provisioningServices/:name/skus": "",
      "POST /provisioningServices/:name/listkeys": "",
      "POST /provisioningServices/:name/keys/:keyName/listkeys": "",
      "GET /provisioningServices/:name/certificates": "",
      "GET /provisioningServices/:name/certificates/:certificate": "",
      "PUT /provisioningServices/:name/certificates/:certificate": "an update needs If-Match",
      "DELETE /provisioningServices/:name/certificates/:certificate": "",
      "POST /provisioningServices/:name/certificates/:certificate/generateVerificationCode": "",
      "POST /provisioningServices/:name/certificates/:certificate/verify":
        "the signature and the code are checked",
    },
    missing: ["private endpoints and links, IP filters that filter, data residency"],
  },
  {
    title: "Azure Resource Manager: lists and names over the subscription",
    service: "arm",
    prefix: `${SUBSCRIPTION}/providers/Microsoft.Devices`,
    rows: {
      "GET /provisioningServices": "",
      "GET /IotHubs": "",
      "POST /checkProvisioningServiceNameAvailability": "",
      "POST /checkNameAvailability": "",
    },
    missing: [],
  },
  {
    title: "Azure Resource Manager: IoT hubs",
    service: "arm",
    prefix: DEVICES,
    rows: {
      "GET /IotHubs": "",
      "GET /IotHubs/:name": "",
      "PUT /IotHubs/:name": "",
      "PATCH /IotHubs/:name": "tags",
      "DELETE /IotHubs/:name": "",
      "GET /IotHubs/:name/skus": "",
      "GET /IotHubs/:name/IotHubStats": "",
      "POST /IotHubs/:name/listkeys": "",
      "POST /IotHubs/:name/IotHubKeys/:keyName/listkeys": "",
      "GET /IotHubs/:name/certificates":
        "those of the type certificateAuthority are judged by them",
      "GET /IotHubs/:name/certificates/:certificate": "",
      "PUT /IotHubs/:name/certificates/:certificate": "",
      "DELETE /IotHubs/:name/certificates/:certificate": "",
      "POST /IotHubs/:name/certificates/:certificate/generateVerificationCode": "",
      "POST /IotHubs/:name/certificates/:certificate/verify": "",
    },
    missing: [
      "routing, failover, consumer groups, quota metrics, import and export jobs, usages of the subscription",
    ],
  },
  {
    title: "Tokens (Microsoft Entra ID)",
    service: "token",
    prefix: "/:tenant",
    rows: {
      "GET /v2.0/.well-known/openid-configuration": "",
      "GET /discovery/v2.0/keys": "",
      "POST /oauth2/v2.0/token": "client credentials with a secret",
    },
    missing: ["every other grant, instance discovery, certificates as client credentials"],
  },
  {
    title: "DPS, service API",
    service: "dps-service",
    prefix: "",
    rows: {
      "GET /enrollments/:id": "",
      "PUT /enrollments/:id": "X.509 and symmetric keys; an update needs If-Match",
      "DELETE /enrollments/:id": "",
      "POST /enrollments": "bulk, up to 10",
      "POST /enrollments/query": "`SELECT *`, with continuation",
      "POST /enrollments/:id/attestationmechanism": "",
      "GET /enrollmentGroups/:id": "",
      "PUT /enrollmentGroups/:id": "",
      "DELETE /enrollmentGroups/:id": "",
      "POST /enrollmentGroups": "bulk, up to 10",
      "POST /enrollmentGroups/query": "",
      "POST /enrollmentGroups/:id/attestationmechanism": "",
      "GET /registrations/:id": "",
      "DELETE /registrations/:id": "",
      "POST /registrations/:id/query": "the records of a group",
    },
    missing: ["TPM attestation, custom allocation"],
  },
  {
    title: "DPS, device API over HTTPS",
    service: "dps-device",
    prefix: "",
    rows: {
      "PUT /:idScope/registrations/:id/register": "",
      "GET /:idScope/registrations/:id/operations/:operationId": "with Retry-After",
      "POST /:idScope/registrations/:id": "registration status",
    },
    missing: ["TPM challenges, certificates issued by DPS (csr)"],
  },
  {
    title: "IoT hub, service API",
    service: "iot-hub",
    prefix: "",
    rows: {
      "GET /devices": "",
      "GET /devices/:id": "",
      "PUT /devices/:id": "",
      "DELETE /devices/:id": "ends its connection",
      "POST /devices": "bulk, up to 100",
      "POST /devices/query":
        "WHERE with comparisons, IN, AND, OR, NOT, functions; COUNT and GROUP BY; devices and jobs",
      "GET /devices/:id/modules": "",
      "GET /devices/:id/modules/:moduleId": "",
      "PUT /devices/:id/modules/:moduleId": "",
      "DELETE /devices/:id/modules/:moduleId": "",
      "GET /twins/:id": "",
      "PATCH /twins/:id": "",
      "PUT /twins/:id": "",
      "GET /twins/:id/modules/:moduleId": "",
      "PATCH /twins/:id/modules/:moduleId": "",
      "PUT /twins/:id/modules/:moduleId": "",
      "POST /twins/:id/methods": "waits for the device, within the two time-outs",
      "GET /statistics/devices": "",
      "GET /statistics/service": "",
      "GET /jobs/v2/:id": "",
      "PUT /jobs/v2/:id": "device methods and twin updates",
      "POST /jobs/v2/:id/cancel": "",
      "GET /jobs/v2/query": "",
    },
    missing: [
      "cloud-to-device messages, file upload, event endpoints, configurations and deployments",
      "connections and methods of modules, digital twins, import and export jobs",
    ],
  },
];

const MQTT = `## Devices over MQTT 3.1.1 and TLS, also in WebSockets

DPS: registration and its polling. IoT hub: telemetry (received and counted), twins (get, report,
desired properties as they change), direct methods. WebSockets come to the HTTPS
port, at \`/$iothub/websocket\`. AMQP is not there.
`;

/** As the listeners name them. */
export function supportedOperations(): Set<string> {
  return new Set(
    SECTIONS.flatMap(({ service, prefix, rows }) =>
      Object.keys(rows).map((row) => `${service}: ${row.replace(" ", ` ${prefix}`)}`),
    ),
  );
}

export function supportPage(): string {
  const sections = SECTIONS.map(({ title, prefix, rows, missing }) =>
    [
      `## ${title}`,
      ...(prefix === "" ? [] : [`Below \`${prefix}\`:`]),
      Object.entries(rows)
        .map(([row, words]) => `- \`${row}\`${words === "" ? "" : `: ${words}`}`)
        .join("\n"),
      ...(missing.length === 0 ? [] : [`Not there: ${missing.join("; ")}.`]),
    ].join("\n\n"),
  );
  return [
    "# What the sandbox has of Azure",
    "Whatever is not listed answers 501 and names the operation. Any well-formed api-version is served. What is not known about Azure's own answers is listed in [switches](sandbox-switches.md).",
    ...sections,
    MQTT,
  ].join("\n\n");
}
