import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { ProvisioningServiceClient } from "azure-iot-provisioning-service";
import { TestCa } from "../../support/test-ca";
import { fails, serve, type Json, type Served } from "./service-client";

/**
 * "recorded": Azure/azure-sdk-for-python, sdk/iothub/azure-iot-deviceprovisioning/tests/recordings,
 * test_enrollment_symmetrickey_lifecycle and test_enrollment_group_symmetrickey_lifecycle, May 2023.
 */
describe("symmetric keys in enrollments, through Microsoft's service SDK", () => {
  let served: Served;
  let client: ProvisioningServiceClient;

  beforeEach(async () => {
    served = await serve();
    ({ client } = served);
  });

  afterEach(() => served.close());

  const newKey = (bytes = 64) => randomBytes(bytes).toString("base64");
  const attestation = (symmetricKey?: Json): Json => ({
    type: "symmetricKey",
    ...(symmetricKey && { symmetricKey }),
  });
  const body = (answer: { responseBody: unknown }) => answer.responseBody as Json;

  /** The two kinds of entries, which answer alike. */
  const kinds = [
    {
      kind: "an individual enrollment",
      id: { registrationId: "truck-7" },
      put: async (entry: Json) =>
        body(await client.createOrUpdateIndividualEnrollment(entry as never)),
      get: async () => body(await client.getIndividualEnrollment("truck-7")),
      mechanism: async () =>
        body(await client.getIndividualEnrollmentAttestationMechanism("truck-7")),
      query: () => client.createIndividualEnrollmentQuery({ query: "SELECT *" }),
    },
    {
      kind: "a group",
      id: { enrollmentGroupId: "trucks" },
      put: async (entry: Json) => body(await client.createOrUpdateEnrollmentGroup(entry as never)),
      get: async () => body(await client.getEnrollmentGroup("trucks")),
      mechanism: async () => body(await client.getEnrollmentGroupAttestationMechanism("trucks")),
      query: () => client.createEnrollmentGroupQuery({ query: "SELECT *" }),
    },
  ];

  for (const { kind, id, put, get, mechanism, query } of kinds) {
    describe(kind, () => {
      it("shows its keys when they are written and as attestation mechanism only (recorded)", async () => {
        const own = attestation({ primaryKey: newKey(), secondaryKey: newKey() });
        assert.deepEqual((await put({ ...id, attestation: own }))["attestation"], own);
        assert.deepEqual((await get())["attestation"], { type: "symmetricKey" });
        const page = (await query().next()) as unknown as { responseBody: Json[] };
        assert.deepEqual(
          page.responseBody.map((one) => one["attestation"]),
          [{ type: "symmetricKey" }],
        );
        assert.deepEqual(await mechanism(), own);
      });

      it("gets keys of 64 bytes when none are sent (recorded; length from the documentation)", async () => {
        for (const [at, none] of [undefined, { primaryKey: null, secondaryKey: null }].entries()) {
          const made = await put({
            ...id,
            attestation: attestation(none),
            ...(at > 0 && { etag: "*" }),
          });
          const { primaryKey, secondaryKey } = (made["attestation"] as { symmetricKey: Json })
            .symmetricKey;
          for (const key of [primaryKey, secondaryKey]) {
            assert.equal(Buffer.from(String(key), "base64").length, 64);
          }
          assert.notEqual(primaryKey, secondaryKey);
        }
      });

      it("keeps its keys when it is read, disabled and written (not known, assumed)", async () => {
        const own = attestation({ primaryKey: newKey(), secondaryKey: newKey() });
        await put({ ...id, attestation: own });
        await put({ ...(await get()), provisioningStatus: "disabled" });
        assert.equal((await get())["provisioningStatus"], "disabled");
        assert.deepEqual(await mechanism(), own);
      });

      it("rolls one key and keeps the other", async () => {
        const [first, second, third] = [newKey(), newKey(), newKey(16)];
        await put({
          ...id,
          attestation: attestation({ primaryKey: first, secondaryKey: second }),
        });
        const { etag } = await get();
        await put({ ...id, etag, attestation: attestation({ secondaryKey: third }) });
        const rolled = attestation({ primaryKey: first, secondaryKey: third });
        assert.deepEqual(await mechanism(), rolled);
      });

      it("refuses keys that are too short, too long or not base64 (documentation)", async () => {
        for (const primaryKey of [newKey(15), newKey(65), "no base64!", ""]) {
          const message = await fails(
            put({ ...id, attestation: attestation({ primaryKey }) }),
            400,
            400000,
          );
          assert.match(message, /^attestation\.symmetricKey\.primaryKey must be/);
          assert.ok(primaryKey === "" || !message.includes(primaryKey));
        }
      });

      it("refuses certificates and keys at once (not known, assumed)", async () => {
        const leaf = await TestCa.selfSigned("truck-7");
        const slots = { primary: { certificate: leaf.pem } };
        const x509 = { clientCertificates: slots };
        const both = { ...attestation({ primaryKey: newKey() }), x509 };
        await fails(put({ ...id, attestation: both }), 400, 400000);
      });
    });
  }
});
