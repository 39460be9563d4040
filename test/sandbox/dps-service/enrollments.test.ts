import assert from "node:assert/strict";
import type { ProvisioningServiceClient } from "azure-iot-provisioning-service";
import { TestCa, type Issued } from "../../support/test-ca";
import { fails, serve, type Json, type Served } from "./service-client";

interface Slots {
  primary?: { certificate?: string; info?: { sha256Thumbprint: string } };
  secondary?: { certificate?: string; info?: { sha256Thumbprint: string } };
}

describe("individual enrollments through Microsoft's service SDK", () => {
  let served: Served;
  let client: ProvisioningServiceClient;
  let first: Issued;
  let second: Issued;

  before(async () => {
    first = await TestCa.selfSigned("truck-7");
    second = await TestCa.selfSigned("truck-7");
  });

  beforeEach(async () => {
    served = await serve();
    ({ client } = served);
  });

  afterEach(() => served.close());

  const individual = (slots: Slots, more: Json = {}) =>
    ({
      registrationId: "truck-7",
      attestation: { type: "x509", x509: { clientCertificates: slots } },
      ...more,
    }) as never;
  const put = async (enrollment: never): Promise<Json> =>
    (await client.createOrUpdateIndividualEnrollment(enrollment)).responseBody as unknown as Json;
  const get = async (id: string): Promise<Json> =>
    (await client.getIndividualEnrollment(id)).responseBody as unknown as Json;
  const slotsOf = (entry: Json) =>
    (entry as { attestation: { x509: { clientCertificates: Required<Slots> } } }).attestation.x509
      .clientCertificates;
  const thumbprints = (entry: Json) => {
    const { primary, secondary } = slotsOf(entry);
    return [primary.info?.sha256Thumbprint, secondary.info?.sha256Thumbprint];
  };

  it("creates an individual enrollment and never shows its certificate", async () => {
    const made = await put(individual({ primary: { certificate: first.pem } }));
    assert.deepEqual(slotsOf(made).primary, {
      info: {
        subjectName: "CN=truck-7",
        sha1Thumbprint: infoOf(made)["sha1Thumbprint"],
        sha256Thumbprint: first.thumbprint,
        issuerName: "CN=truck-7",
        notBeforeUtc: infoOf(made)["notBeforeUtc"],
        notAfterUtc: infoOf(made)["notAfterUtc"],
        serialNumber: infoOf(made)["serialNumber"],
        version: 3,
      },
    });
    assert.match(String(infoOf(made)["sha1Thumbprint"]), /^[0-9A-F]{40}$/);
    assert.match(String(infoOf(made)["notAfterUtc"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.match(String(infoOf(made)["serialNumber"]), /^[0-9A-F]+$/);
    assert.match(String(made["createdDateTimeUtc"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);
    assert.match(Buffer.from(String(made["etag"]), "base64").toString(), /^".+"$/);
    assert.ok(!("registrationState" in made));
    assert.ok(!JSON.stringify(await get("truck-7")).includes("BEGIN"));
  });

  const infoOf = (entry: Json) => slotsOf(entry).primary.info as unknown as Json;

  it("returns what was sent; of what was null only the status, as null (recorded)", async () => {
    // azure-sdk-for-python, recordings of test_enrollment_symmetrickey_lifecycle, May 2023.
    const settings = {
      allocationPolicy: "geoLatency",
      capabilities: null,
      reprovisionPolicy: null,
      customAllocationDefinition: null,
      provisioningStatus: null,
      deviceId: "seven",
      optionalDeviceInformation: null,
      iotHubs: null,
      iotHubHostName: null,
      initialTwin: { properties: { desired: { key: "value" } } },
    };
    const made = await put(individual({ primary: { certificate: first.pem } }, settings));
    const shown = {
      registrationId: "truck-7",
      deviceId: "seven",
      allocationPolicy: "geoLatency",
      initialTwin: { properties: { desired: { key: "value" } } },
      provisioningStatus: null,
    };
    const rest = (entry: Json) =>
      Object.fromEntries(
        Object.entries(entry).filter(
          ([name]) => !/^(attestation|etag|registrationState|.*DateTimeUtc)$/.test(name),
        ),
      );
    assert.deepEqual(rest(made), shown);
    assert.deepEqual(rest(await get("truck-7")), shown);
  });

  it("returns every optional property that was set", async () => {
    const settings = {
      deviceId: "seven",
      optionalDeviceInformation: { maker: { name: "Roller" } },
      allocationPolicy: "static",
      iotHubs: ["alpha.azure-devices.net"],
      initialTwin: { tags: { floor: 1 }, properties: { desired: { speed: 3 } } },
      capabilities: { iotEdge: true },
      provisioningStatus: "disabled",
      reprovisionPolicy: { updateHubAssignment: true, migrateDeviceData: false },
    };
    const made = await put(individual({ primary: { certificate: first.pem } }, settings));
    for (const [name, value] of Object.entries(settings)) {
      assert.deepEqual(made[name], value, name);
      assert.deepEqual((await get("truck-7"))[name], value, name);
    }
    const custom = {
      allocationPolicy: "custom",
      customAllocationDefinition: { webhookUrl: "https://www.test.test", apiVersion: "2019-03-31" },
      etag: "*",
    };
    const updated = await put(individual({ primary: { certificate: first.pem } }, custom));
    assert.deepEqual(updated["customAllocationDefinition"], custom.customAllocationDefinition);
    assert.equal(updated["allocationPolicy"], "custom");
    assert.ok(!("initialTwin" in updated || "capabilities" in updated || "iotHubs" in updated));
  });

  it("says of a device that never registered that it is unassigned", async () => {
    await put(individual({ primary: { certificate: first.pem } }));
    assert.deepEqual((await get("TRUCK-7"))["registrationState"], {
      registrationId: "truck-7",
      status: "unassigned",
    });
  });

  it("takes PEM text, base64 of PEM text and base64 of DER for one certificate", async () => {
    for (const certificate of [
      first.pem,
      Buffer.from(first.pem).toString("base64"),
      first.der.toString("base64"),
    ]) {
      const made = await put(individual({ primary: { certificate } }, { etag: "*" })).catch(() =>
        put(individual({ primary: { certificate } })),
      );
      assert.equal(thumbprints(made)[0], first.thumbprint);
    }
  });

  it("shows the primary's certificate as the secondary when only a primary was sent", async () => {
    const made = await put(individual({ primary: { certificate: first.pem } }));
    assert.deepEqual(thumbprints(made), [first.thumbprint, first.thumbprint]);
  });

  it("keeps the certificate of a slot that is sent with only its info", async () => {
    await put(individual({ primary: { certificate: first.pem } }));
    const read = await get("truck-7");
    slotsOf(read).secondary = { certificate: second.pem };
    const updated = await put(read as never);
    assert.deepEqual(thumbprints(updated), [first.thumbprint, second.thumbprint]);
  });

  it("keeps the old certificate in the secondary when only the primary is changed after a read", async () => {
    await put(individual({ primary: { certificate: first.pem } }));
    const read = await get("truck-7");
    slotsOf(read).primary = { certificate: second.pem };
    const updated = await put(read as never);
    assert.deepEqual(thumbprints(updated), [second.thumbprint, first.thumbprint]);
  });

  it("refuses info of a certificate that is not in the slot, and info without a certificate", async () => {
    const info = { sha256Thumbprint: second.thumbprint };
    await fails(put(individual({ primary: { info } })), 400, 400000);
    const made = await put(individual({ primary: { certificate: first.pem } }));
    const swapped = individual({ primary: { info } }, { etag: made["etag"] });
    await fails(put(swapped), 400, 400000);
  });

  it("replaces the whole record", async () => {
    const primary = { certificate: first.pem };
    const made = await put(
      individual({ primary }, { iotHubs: ["alpha.azure-devices.net"], deviceId: "seven" }),
    );
    assert.equal(made["deviceId"], "seven");
    const updated = await put(individual({ primary }, { etag: made["etag"] }));
    assert.ok(!("iotHubs" in updated) && !("deviceId" in updated));
    assert.equal(updated["createdDateTimeUtc"], made["createdDateTimeUtc"]);
    assert.notEqual(updated["etag"], made["etag"]);
  });

  it("answers 409 without an etag, 412 with an old one, 400 with a quoted one", async () => {
    const primary = { certificate: first.pem };
    const { etag } = await put(individual({ primary }));
    await fails(put(individual({ primary })), 409, 409201);
    const newer = await put(individual({ primary }, { etag }));
    await fails(put(individual({ primary }, { etag })), 412, 412001);
    const quoted = individual({ primary }, { etag: `"${String(newer["etag"])}"` });
    assert.equal(await fails(put(quoted), 400, 400000), "ETag is invalid.");
    await put(individual({ primary }, { etag: "*" }));
  });

  it("answers 412 to an etag for what does not exist", async () => {
    const missing = individual({ primary: { certificate: first.pem } }, { etag: "*" });
    await fails(put(missing), 412, 412001);
  });

  it("deletes with the right etag only", async () => {
    const { etag } = await put(individual({ primary: { certificate: first.pem } }));
    await fails(client.deleteIndividualEnrollment("truck-7", "AAAA"), 412, 412001);
    await client.deleteIndividualEnrollment("truck-7", String(etag));
    await fails(client.getIndividualEnrollment("truck-7"), 404, 404201);
    await fails(client.deleteIndividualEnrollment("truck-7"), 404, 404201);
  });

  it("refuses bodies that DPS refuses", async () => {
    const primary = { certificate: first.pem };
    const key = { certificate: first.key };
    const bad: [string, never][] = [
      [
        "registration ID with a bad last character",
        individual({ primary }, { registrationId: "a." }),
      ],
      ["unknown hub", individual({ primary }, { iotHubs: ["beta.azure-devices.net"] })],
      ["no certificate", individual({})],
      ["secondary alone", individual({ secondary: primary })],
      ["not a certificate", individual({ primary: { certificate: "AAAA" } })],
      ["not base64", individual({ primary: { certificate: "no certificate!" } })],
      ["a private key", individual({ primary: key })],
      ["two certificates", individual({ primary: { certificate: first.pem + second.pem } })],
      ["bad status", individual({ primary }, { provisioningStatus: "maybe" })],
      [
        "custom allocation without webhook",
        individual({ primary }, { allocationPolicy: "custom" }),
      ],
      [
        "both kinds",
        {
          registrationId: "truck-7",
          attestation: {
            type: "x509",
            x509: { clientCertificates: { primary }, caReferences: { primary: "root" } },
          },
        } as never,
      ],
      [
        "signing certificates",
        {
          registrationId: "truck-7",
          attestation: { type: "x509", x509: { signingCertificates: { primary } } },
        } as never,
      ],
    ];
    for (const [name, body] of bad) {
      const message = await fails(put(body), 400, 400000).catch((error: unknown) => {
        throw new Error(name, { cause: error });
      });
      assert.ok(!message.includes("PRIVATE"), name);
    }
  });

  it("answers 501 by name to attestation that is not written", async () => {
    const tpm = {
      registrationId: "truck-7",
      attestation: { type: "tpm", tpm: { endorsementKey: "AAAA" } },
    } as never;
    assert.match(await fails(put(tpm), 501, 501000), /attestation of type tpm/);
  });
});
