/**
 * Carries out what somebody does by hand, with Microsoft's clients. A process of its own, because they
 * read a sandbox's environment as they are loaded: `by-hand.ts <file with the deed, JSON>`.
 */
import { readFileSync } from "node:fs";
import { IotDpsClient } from "@azure/arm-deviceprovisioningservices";
import { IotHubClient } from "@azure/arm-iothub";
import { ResourceManagementClient } from "@azure/arm-resources";
import { ClientSecretCredential } from "@azure/identity";
import { ProvisioningServiceClient } from "azure-iot-provisioning-service";
import { type EndpointsFile } from "../sandbox/endpoints";
import { issueLeaf } from "./factory";
import type { Declared, Deed } from "./hands";

const OWNER = "provisioningserviceowner";

async function carryOut(deed: Deed): Promise<void> {
  switch (deed.do) {
    case "make":
      return make(deed.declared);
    case "new code": {
      const resourceGroup = await resourceGroupOf(deed.service);
      const { dpsCertificate } = services();
      const { etag = "" } = await dpsCertificate.get(deed.ca, resourceGroup, deed.service);
      await dpsCertificate.generateVerificationCode(deed.ca, etag, resourceGroup, deed.service);
      return;
    }
    case "disable": {
      const dps = await dataPlane(deed.service, await resourceGroupOf(deed.service));
      const { responseBody } = await dps.getIndividualEnrollment(deed.registrationId);
      await dps.createOrUpdateIndividualEnrollment({
        ...responseBody,
        provisioningStatus: "disabled",
      });
      return;
    }
    case "delete service":
      await services().iotDpsResource.beginDeleteAndWait(
        deed.service,
        await resourceGroupOf(deed.service),
      );
  }
}

async function make(declared: Declared): Promise<void> {
  const { name, resourceGroup, location } = declared.service;
  await new ResourceManagementClient(...parts()).resourceGroups.createOrUpdate(resourceGroup, {
    location,
  });
  const hubs = new IotHubClient(...parts());
  const linked = [];
  for (const { name: hub, existing } of declared.hubs) {
    const made = existing
      ? await hubs.iotHubResource.get(resourceGroup, hub)
      : await hubs.iotHubResource.beginCreateOrUpdateAndWait(resourceGroup, hub, {
          location,
          sku: { name: "S1", capacity: 1 },
        });
    const policy = "iothubowner";
    const key = await hubs.iotHubResource.getKeysForKeyName(resourceGroup, hub, policy);
    const connectionString = `HostName=${made.properties?.hostName};SharedAccessKeyName=${policy};SharedAccessKey=${key.primaryKey}`;
    linked.push({ location, connectionString });
  }
  await services().iotDpsResource.beginCreateOrUpdateAndWait(resourceGroup, name, {
    location,
    sku: { name: "S1", capacity: 1 },
    properties: { iotHubs: linked },
  });
  for (const [ca, { certificate, proof }] of Object.entries(declared.caCertificates)) {
    const pem = pemOf(declared, certificate);
    const client = services().dpsCertificate;
    await client.createOrUpdate(resourceGroup, name, ca, {
      properties: { certificate: Buffer.from(pem) },
    });
    const { etag = "" } = await client.get(ca, resourceGroup, name);
    const asked = await client.generateVerificationCode(ca, etag, resourceGroup, name);
    const issuer = { certificate: pem, privateKey: readFileSync(proof.keyFile, "utf8") };
    const signed = await issueLeaf(asked.properties?.verificationCode ?? "", issuer, { days: 1 });
    await client.verifyCertificate(ca, asked.etag ?? "", resourceGroup, name, {
      certificate: signed.chain,
    });
  }
  const dps = await dataPlane(name, resourceGroup);
  for (const [id, { primary }] of Object.entries(declared.enrollmentGroups)) {
    await dps.createOrUpdateEnrollmentGroup({
      enrollmentGroupId: id,
      provisioningStatus: "enabled",
      attestation: {
        type: "x509",
        x509:
          "ca" in primary
            ? { caReferences: { primary: primary.ca } }
            : {
                signingCertificates: {
                  primary: { certificate: pemOf(declared, primary.certificate) },
                },
              },
      },
    } as unknown as Parameters<typeof dps.createOrUpdateEnrollmentGroup>[0]);
  }
  for (const [id, { primary }] of Object.entries(declared.individualEnrollments)) {
    await dps.createOrUpdateIndividualEnrollment({
      registrationId: id,
      provisioningStatus: "enabled",
      attestation: {
        type: "x509",
        x509: {
          clientCertificates: { primary: { certificate: pemOf(declared, primary.certificate) } },
        },
      },
    } as unknown as Parameters<typeof dps.createOrUpdateIndividualEnrollment>[0]);
  }
}

function endpoints(): EndpointsFile {
  return JSON.parse(readFileSync(process.env["DPS_SANDBOX_ENDPOINTS"]!, "utf8")) as EndpointsFile;
}

/** Of a client of the resource manager. */
function parts(): [ClientSecretCredential, string, { endpoint: string }] {
  const { arm } = endpoints();
  const credential = new ClientSecretCredential(arm.tenantId, arm.clientId, arm.clientSecret, {
    authorityHost: arm.authorityHost,
    disableInstanceDiscovery: true,
  });
  return [credential, arm.subscriptionId, { endpoint: arm.endpoint }];
}

function services(): IotDpsClient {
  return new IotDpsClient(...parts());
}

async function resourceGroupOf(service: string): Promise<string> {
  for await (const { id, name } of services().iotDpsResource.listBySubscription()) {
    const resourceGroup = /\/resourceGroups\/([^/]+)\//i.exec(id ?? "")?.[1];
    if (name === service && resourceGroup !== undefined) return resourceGroup;
  }
  throw new Error(`there is no DPS instance ${service}`);
}

async function dataPlane(
  service: string,
  resourceGroup: string,
): Promise<ProvisioningServiceClient> {
  const client = services().iotDpsResource;
  const { properties } = await client.get(service, resourceGroup);
  const { primaryKey } = await client.listKeysForKeyName(service, OWNER, resourceGroup);
  return ProvisioningServiceClient.fromConnectionString(
    `HostName=${properties.serviceOperationsHostName};SharedAccessKeyName=${OWNER};SharedAccessKey=${primaryKey}`,
  );
}

function pemOf({ certificates }: Declared, name: string): string {
  return readFileSync(certificates[name]!.file, "utf8");
}

carryOut(JSON.parse(readFileSync(process.argv[2]!, "utf8")) as Deed).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
