/** What the cases about the service API of DPS share: the client, entries, and one place a file. */
import { IotDpsClient } from "@azure/arm-deviceprovisioningservices";
import { ProvisioningServiceClient } from "azure-iot-provisioning-service";
import type {
  BulkEnrollmentOperationResult,
  EnrollmentGroup,
  IndividualEnrollment,
} from "azure-iot-provisioning-service/dist/interfaces";
import type { Query } from "azure-iot-provisioning-service/dist/query";
import { TestCa, type Issued } from "../support/test-ca";
import { Contract, operationsOf } from "./answers";
import { openPlace, type Place } from "./place";

export type Json = Record<string, unknown>;

export const RECORDED = "recorded: azure-sdk-for-python, azure-iot-deviceprovisioning, 2023-05";
export const CLI = "live test: azure-iot-cli-extension, azext_iot/tests/dps";
export const REST = "learn.microsoft.com/rest/api/iot-dps/service";

/** The files with its cases add to it. */
export const contract = new Contract<ProvisioningServiceClient & typeof ProvisioningServiceClient>(
  "azure-iot-provisioning-service ProvisioningServiceClient",
  [...operationsOf(ProvisioningServiceClient), "fromConnectionString", "fromTokenCredential"],
);

export interface ServiceStage {
  place: Place;
  client: ProvisioningServiceClient;
  connectionString: string;
  leaf: Issued;
  ca: TestCa;
  /** Write, and give the answer's body. */
  put(registrationId: string, more?: Json): Promise<Json>;
  putGroup(id: string, more?: Json): Promise<Json>;
  get(registrationId: string): Promise<Json>;
  individual(registrationId: string, more?: Json): IndividualEnrollment;
  bulk(mode: string, enrollments: IndividualEnrollment[]): Promise<BulkEnrollmentOperationResult>;
}

export async function openService(): Promise<ServiceStage> {
  const place = await openPlace();
  const connectionString = place.serviceConnection;
  const client = ProvisioningServiceClient.fromConnectionString(connectionString);
  const ca = await TestCa.root("Contoso root");
  const leaf = await TestCa.selfSigned("pump-1");
  const individual = (registrationId: string, more: Json = {}) =>
    ({
      registrationId,
      attestation: x509({ clientCertificates: { primary: { certificate: leaf.pem } } }),
      ...more,
    }) as unknown as IndividualEnrollment;
  const group = (enrollmentGroupId: string, more: Json = {}) =>
    ({
      enrollmentGroupId,
      attestation: x509({ signingCertificates: { primary: { certificate: ca.pem } } }),
      ...more,
    }) as unknown as EnrollmentGroup;
  const body = ({ responseBody }: { responseBody: unknown }) => responseBody as Json;
  return {
    place,
    client,
    connectionString,
    leaf,
    ca,
    individual,
    put: async (id, more) =>
      body(await client.createOrUpdateIndividualEnrollment(individual(id, more))),
    putGroup: async (id, more) => body(await client.createOrUpdateEnrollmentGroup(group(id, more))),
    get: async (id) => body(await client.getIndividualEnrollment(id)),
    // The promise of this operation never settles.
    bulk: (mode, enrollments) =>
      new Promise((done, failed) => {
        client.runBulkEnrollmentOperation({ mode, enrollments } as never, (error, result) =>
          error ? failed(error) : done(result as BulkEnrollmentOperationResult),
        );
      }),
  };
}

export function x509(certificates: object): object {
  return { type: "x509", x509: certificates };
}

/** Uploads a CA certificate that counts as verified. */
export async function putCa({ place }: ServiceStage, name: string, root: TestCa): Promise<void> {
  const { credential, subscriptionId, clientOptions, names } = place;
  const { dpsCertificate } = new IotDpsClient(credential, subscriptionId, clientOptions);
  const properties = { certificate: Buffer.from(root.pem), isVerified: true };
  await dpsCertificate.createOrUpdate(names.resourceGroup, names.service, name, { properties });
}

/** All pages. */
export async function pagesOf(query: Query): Promise<Json[][]> {
  const pages: Json[][] = [];
  do pages.push(await nextPage(query));
  while (query.hasMoreResults);
  return pages;
}

/** By the callback form: that with a promise asks for the first page again. */
export function nextPage(query: Query): Promise<Json[]> {
  return new Promise((done, failed) => {
    query.next((error, page) => (error ? failed(error) : done((page ?? []) as Json[])));
  });
}

export type Slots = Record<"primary" | "secondary", { info: Json } | undefined>;

export function slots(entry: Json, kind: "clientCertificates" | "signingCertificates"): Slots {
  return (entry["attestation"] as { x509: Record<string, Slots> }).x509[kind]!;
}
