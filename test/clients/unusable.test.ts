import assert from "node:assert/strict";
import { IotDpsClient } from "@azure/arm-deviceprovisioningservices";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { hubKey, provisioningServiceKey } from "../../clients/credentials";
import { EnrollmentsClient } from "../../clients/enrollments";
import { sdks } from "../../clients/sdks";
import { type AttachedSandbox, openAttached } from "./attached-sandbox";

describe("what clients cannot use", () => {
  let sandbox: AttachedSandbox;
  before(async () => {
    sandbox = await openAttached();
  });
  after(() => sandbox.close());

  const message = (text: string) => ({ message: text });

  it("is said of a list that is none, and of a list without end", async () => {
    const client = new EnrollmentsClient(sandbox.connection);
    const { serviceHostName: host } = sandbox.connection;
    const prototype = sdks.provisioningService().ProvisioningServiceClient.prototype;
    const real = Object.getOwnPropertyDescriptor(prototype, "createEnrollmentGroupQuery")!;
    const answering = (responseBody: unknown) => ({
      ...real,
      value: () => ({
        next: () =>
          Promise.resolve({
            responseBody,
            httpResponse: { headers: { "x-ms-continuation": "again" } },
          }),
      }),
    });
    const again =
      "run the same again; if it stays so, see what answers in its place (a proxy, another version)";
    try {
      Object.defineProperty(prototype, "createEnrollmentGroupQuery", answering({}));
      await assert.rejects(
        client.queryGroups(),
        message(
          `DPS-CERT-182 at ${host}: found what is not a list, in the answer to: list the enrollment groups; fix: ${again}`,
        ),
      );
      Object.defineProperty(prototype, "createEnrollmentGroupQuery", answering([]));
      await assert.rejects(
        client.queryGroups(),
        message(
          `DPS-CERT-182 at ${host}: found the same next page twice, in the answer to: list the enrollment groups; fix: ${again}`,
        ),
      );
    } finally {
      Object.defineProperty(prototype, "createEnrollmentGroupQuery", real);
    }
  });

  it("is said of an answer of the resource manager that lacks what matters", async () => {
    const client = new CaCertificatesClient(sandbox.connection);
    const api = {
      generateVerificationCode: () => Promise.resolve({ properties: {} }),
      get: () => Promise.resolve({ name: "root", properties: {} }),
    };
    Object.defineProperty(client, "api", { value: api });
    const again =
      "run the same again; if it stays so, see what answers in its place (a proxy, another version)";
    await assert.rejects(client.generateVerificationCode("root", "1"), (error: Error) => {
      const text = `found no code, or no etag, in the answer to: get a verification code for CA certificate "root" of DPS "dps"; fix: ${again}`;
      return error.message.startsWith("DPS-CERT-182 at ") && error.message.endsWith(text);
    });
    await assert.rejects(
      client.get("root"),
      message(
        `DPS-CERT-182 at the resource manager: found a CA certificate without name, etag or thumbprint, in the answer to: read CA certificate "root"; fix: ${again}`,
      ),
    );
  });

  it("are keys of a hub that is nowhere, and of a service without the rights", async () => {
    const { connection, subscriptionId, credential, clientOptions } = sandbox;
    await assert.rejects(
      hubKey(connection, "nobody.azure-devices.net"),
      message(
        `DPS-CERT-181 at auth: found keys, and hub nobody.azure-devices.net is not in subscription ${subscriptionId}, so its keys cannot be listed; fix: use \`auth: entra\``,
      ),
    );
    const services = new IotDpsClient(credential, subscriptionId, clientOptions).iotDpsResource;
    await services.beginCreateOrUpdateAndWait("rg", "weak", {
      location: "westus",
      sku: { name: "S1", capacity: 1 },
      properties: { authorizationPolicies: [{ keyName: "reader", rights: "EnrollmentRead" }] },
    });
    await assert.rejects(
      provisioningServiceKey({ ...connection, service: "weak" }),
      message(
        'DPS-CERT-181 at auth: found keys, and no access policy of DPS "weak" has ServiceConfig and EnrollmentWrite; fix: add one, or use `auth: entra`',
      ),
    );
  });
});
