/** The few read operations on clouds, tenants, subscriptions and providers that clients begin with. */
import type { FastifyInstance } from "fastify";
import { armError } from "../common/errors";
import { apiVersion, type ArmContext } from "./context";

/** Reported to clients that ask; any api-version that looks like one is served. */
const PROVIDERS: Record<string, Record<string, string[]>> = {
  "Microsoft.Devices": {
    provisioningServices: [
      "2023-03-01-preview",
      "2022-12-12",
      "2022-02-05",
      "2021-10-15",
      "2020-03-01",
    ],
    IotHubs: ["2023-06-30", "2023-06-30-preview", "2021-07-02"],
  },
  "Microsoft.Resources": { resourceGroups: ["2025-04-01", "2024-03-01", "2021-04-01"] },
};

const LOCATIONS = { westus: "West US", westeurope: "West Europe", northeurope: "North Europe" };

export function registerSubscriptions(app: FastifyInstance, context: ArmContext): void {
  const id = `/subscriptions/${context.subscriptionId}`;
  const subscription = {
    id,
    subscriptionId: context.subscriptionId,
    tenantId: context.tenantId,
    displayName: "Sandbox",
    state: "Enabled",
    authorizationSource: "RoleBased",
    subscriptionPolicies: { quotaId: "Sandbox", spendingLimit: "On" },
  };
  const tenant = { id: `/tenants/${context.tenantId}`, tenantId: context.tenantId };

  app.get("/metadata/endpoints", async (request) => {
    const cloud = cloudMetadata(context);
    return apiVersion(request) === "2019-05-01" ? [cloud] : cloud;
  });
  app.get("/tenants", async () => ({ value: [tenant] }));
  app.get("/subscriptions", async () => ({ value: [subscription] }));
  app.get("/subscriptions/:subscription", async () => subscription);
  app.get("/subscriptions/:subscription/locations", async () => ({
    value: Object.entries(LOCATIONS).map(([name, displayName]) => ({
      id: `${id}/locations/${name}`,
      name,
      displayName,
    })),
  }));

  const provider = (namespace: string): object => {
    const key = Object.keys(PROVIDERS).find(
      (name) => name.toLowerCase() === namespace.toLowerCase(),
    );
    if (key === undefined) {
      throw armError(
        404,
        "InvalidResourceNamespace",
        `The resource namespace '${namespace}' is invalid.`,
      );
    }
    return {
      id: `${id}/providers/${key}`,
      namespace: key,
      registrationState: "Registered",
      registrationPolicy: "RegistrationRequired",
      resourceTypes: Object.entries(PROVIDERS[key]!).map(([resourceType, apiVersions]) => ({
        resourceType,
        apiVersions,
        locations: Object.values(LOCATIONS),
      })),
    };
  };
  app.get("/subscriptions/:subscription/providers", async () => ({
    value: Object.keys(PROVIDERS).map(provider),
  }));
  const one = "/subscriptions/:subscription/providers/:namespace";
  app.get<Namespace>(one, async (request) => provider(request.params.namespace));
  app.post<Namespace>(`${one}/register`, async (request) => provider(request.params.namespace));
}

interface Namespace {
  Params: { namespace: string };
}

/** What `az cloud register --endpoint-resource-manager` reads (api-version 2022-09-01). */
function cloudMetadata(context: ArmContext): object {
  return {
    name: "DpsSandbox",
    portal: context.endpoint,
    authentication: {
      loginEndpoint: context.authorityHost,
      audiences: [context.endpoint],
      tenant: context.tenantId,
      identityProvider: "AAD",
    },
    resourceManager: context.endpoint,
    graph: `${context.endpoint}/graph/`,
    graphAudience: `${context.endpoint}/graph/`,
    microsoftGraphResourceId: `${context.endpoint}/graph/`,
    media: context.endpoint,
    batch: context.endpoint,
    sqlManagement: context.endpoint,
    gallery: context.endpoint,
    activeDirectoryDataLake: context.endpoint,
    suffixes: {
      storage: "storage.sandbox.test",
      keyVaultDns: "vault.sandbox.test",
      sqlServerHostname: "database.sandbox.test",
      mariadbServerEndpoint: "mariadb.database.sandbox.test",
      mysqlServerEndpoint: "mysql.database.sandbox.test",
      postgresqlServerEndpoint: "postgres.database.sandbox.test",
      acrLoginServer: "azurecr.sandbox.test",
    },
  };
}
