/**
 * Makes what a stack's configuration declares by hand, as somebody would have before there was a
 * stack: with Microsoft's clients. A process of its own, because they read a sandbox's environment as
 * they are loaded: `by-hand.ts <file with the sections, JSON>`.
 */
import { readFileSync } from "node:fs";
import { IotDpsClient } from "@azure/arm-deviceprovisioningservices";
import { IotHubClient } from "@azure/arm-iothub";
import { ResourceManagementClient } from "@azure/arm-resources";
import { ClientSecretCredential } from "@azure/identity";
import { ProvisioningServiceClient } from "azure-iot-provisioning-service";
import { type EndpointsFile } from "../sandbox/endpoints";
import { issueLeaf } from "./factory";
import type { Declared } from "./adopted";

async function main(): Promise<void> {
  const declared = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as Declared;
  const endpoints = JSON.parse(
    readFileSync(process.env["DPS_SANDBOX_ENDPOINTS"]!, "utf8"),
  ) as EndpointsFile;
  const { arm } = endpoints;
  const credential = new ClientSecretCredential(arm.tenantId, arm.clientId, arm.clientSecret, {
    authorityHost: arm.authorityHost,
    disableInstanceDiscovery: true,
  });
  const parts = [credential, arm.subscriptionId, { endpoint: arm.endpoint }] as const;
  const { name, resourceGroup, location } = declared.service;
  await new ResourceManagementClient(...parts).resourceGroups.createOrUpdate(resourceGroup, {
    location,
  });
  const hubs = new IotHubClient(...parts);
  const linked = [];
  for (const hub of declared.hubs) {
    const made = await hubs.iotHubResource.beginCreateOrUpdateAndWait(resourceGroup, hub.name, {
      location,
      sku: { name: "S1", capacity: 1 },
    });
    const policy = "iothubowner";
    const key = await hubs.iotHubResource.getKeysForKeyName(resourceGroup, hub.name, policy);
    const connectionString = `HostName=${made.properties?.hostName};SharedAccessKeyName=${policy};SharedAccessKey=${key.primaryKey}`;
    linked.push({ location, connectionString });
  }
  const services = new IotDpsClient(...parts);
  const service = await services.iotDpsResource.beginCreateOrUpdateAndWait(resourceGroup, name, {
    location,
    sku: { name: "S1", capacity: 1 },
    properties: { iotHubs: linked },
  });
  for (const [ca, { certificate, proof }] of Object.entries(declared.caCertificates)) {
    const pem = pemOf(declared, certificate);
    const client = services.dpsCertificate;
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
  const owner = "provisioningserviceowner";
  const key = await services.iotDpsResource.listKeysForKeyName(name, owner, resourceGroup);
  const host = service.properties.serviceOperationsHostName;
  const dps = ProvisioningServiceClient.fromConnectionString(
    `HostName=${host};SharedAccessKeyName=${owner};SharedAccessKey=${key.primaryKey}`,
  );
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

function pemOf({ certificates }: Declared, name: string): string {
  return readFileSync(certificates[name]!.file, "utf8");
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
