import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { ProvisioningServiceClient } from "azure-iot-provisioning-service";
import { TestCa } from "../support/test-ca";
import { ASSUMED, refused } from "./answers";
import {
  CLI,
  contract,
  nextPage,
  openService,
  pagesOf,
  RECORDED,
  REST,
  slots,
  type Json,
  type ServiceStage,
} from "./provisioning-service";

describe("azure-iot-provisioning-service: individual enrollments", () => {
  let stage: ServiceStage;

  before(async () => {
    stage = await openService();
  });
  after(() => stage.place.close());

  contract.answers(
    "createOrUpdateIndividualEnrollment",
    "200 to a creation, the certificate shown as info in both slots and never as PEM",
    RECORDED,
    async () => {
      const made = await stage.put("made");
      const { primary, secondary } = slots(made, "clientCertificates");
      assert.equal(primary?.info["sha256Thumbprint"], stage.leaf.thumbprint);
      assert.deepEqual(secondary, primary);
      assert.doesNotMatch(JSON.stringify(made), /BEGIN CERTIFICATE/);
      assert.match(String(made["createdDateTimeUtc"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);
      assert.equal("registrationState" in made, false);
    },
  );
  contract.answers(
    "createOrUpdateIndividualEnrollment",
    "409 to an update without an etag",
    "azure-iot-sdk-csharp#3076",
    async () => {
      await stage.put("twice");
      await refused(stage.put("twice"), 409);
    },
  );
  contract.answers(
    "createOrUpdateIndividualEnrollment",
    "409201 is the code of that 409",
    ASSUMED,
    async () => refused(stage.put("twice"), 409, 409201),
  );
  contract.answers(
    "createOrUpdateIndividualEnrollment",
    "412 to an update with an old etag",
    REST,
    async () => {
      const { etag } = await stage.put("old");
      await stage.put("old", { etag });
      await refused(stage.put("old", { etag }), 412);
    },
  );
  contract.answers(
    "createOrUpdateIndividualEnrollment",
    "a slot that comes back with its info alone keeps its certificate",
    CLI,
    async () => {
      const other = await TestCa.selfSigned("pump-1");
      await stage.put("kept");
      const read = await stage.get("kept");
      slots(read, "clientCertificates").secondary = { certificate: other.pem } as never;
      const saved = await stage.client.createOrUpdateIndividualEnrollment(read as never);
      const { primary, secondary } = slots(
        saved.responseBody as unknown as Json,
        "clientCertificates",
      );
      assert.deepEqual(
        [primary?.info["sha256Thumbprint"], secondary?.info["sha256Thumbprint"]],
        [stage.leaf.thumbprint, other.thumbprint],
      );
    },
  );
  contract.answers(
    "createOrUpdateIndividualEnrollment",
    "an update replaces the record: what is not sent is gone",
    "azure-cli#29002",
    async () => {
      const { etag } = await stage.put("replaced", { deviceId: "seven" });
      assert.equal("deviceId" in (await stage.put("replaced", { etag })), false);
    },
  );
  contract.answers(
    "createOrUpdateIndividualEnrollment",
    "400 to hubs that are not linked",
    ASSUMED,
    async () => refused(stage.put("astray", { iotHubs: ["other.azure-devices.net"] }), 400, 400000),
  );
  contract.answers(
    "createOrUpdateIndividualEnrollment",
    "symmetric keys that are not sent are made",
    RECORDED,
    async () => {
      const made = await stage.put("keyed", { attestation: { type: "symmetricKey" } });
      const { symmetricKey } = made["attestation"] as { symmetricKey: Json };
      for (const name of ["primaryKey", "secondaryKey"]) {
        assert.ok(Buffer.from(String(symmetricKey[name]), "base64").length >= 32, name);
      }
    },
  );
  contract.answers(
    "getIndividualEnrollment",
    "the registration state of a device that never came is unassigned",
    RECORDED,
    async () => {
      await stage.put("never");
      assert.deepEqual((await stage.get("never"))["registrationState"], {
        registrationId: "never",
        status: "unassigned",
      });
    },
  );
  contract.answers(
    "getIndividualEnrollment",
    "404201 when there is none",
    "live test: azure-iot-sdk-csharp, ProvisioningE2ETests",
    async () => refused(stage.client.getIndividualEnrollment("nobody"), 404, 404201),
  );
  contract.answers(
    "deleteIndividualEnrollment",
    "412 with an old etag, then gone with the right one",
    REST,
    async () => {
      const first = await stage.put("deleted");
      const { etag } = await stage.put("deleted", { etag: first["etag"] });
      await refused(stage.client.deleteIndividualEnrollment("deleted", String(first["etag"])), 412);
      await stage.client.deleteIndividualEnrollment("deleted", String(etag));
      await refused(stage.client.getIndividualEnrollment("deleted"), 404);
    },
  );
  contract.answers(
    "deleteIndividualEnrollment",
    "404201 when there is none",
    "live test: azure-iot-sdk-csharp, ProvisioningE2ETests",
    async () => refused(stage.client.deleteIndividualEnrollment("nobody"), 404, 404201),
  );
  contract.answers(
    "createIndividualEnrollmentQuery",
    "pages of the size that is asked for, each enrollment once, without PEM and without state",
    REST,
    async () => {
      await Promise.all(["q-1", "q-2", "q-3"].map((id) => stage.put(id)));
      const pages = await pagesOf(
        stage.client.createIndividualEnrollmentQuery({ query: "SELECT *" }, 2),
      );
      assert.ok(pages.slice(0, -1).every((page) => page.length === 2));
      const ids = pages.flat().map((one) => String(one["registrationId"]));
      assert.equal(new Set(ids).size, ids.length);
      assert.ok(["q-1", "q-2", "q-3"].every((id) => ids.includes(id)));
      assert.ok(pages.flat().every((one) => !("registrationState" in one)));
    },
  );
  contract.answers(
    "createIndividualEnrollmentQuery",
    "400000 to a continuation that nobody gave",
    "azure-iot-sdk-node#502",
    async () => {
      const query = stage.client.createIndividualEnrollmentQuery({ query: "SELECT *" }, 2);
      query.continuationToken = "astray";
      await refused(nextPage(query), 400, 400000);
    },
  );
  contract.answers(
    "getIndividualEnrollmentAttestationMechanism",
    "the keys of an enrollment, which GET does not show",
    RECORDED,
    async () => {
      const key = randomBytes(32).toString("base64");
      const symmetricKey = { primaryKey: key, secondaryKey: key };
      await stage.put("secret", { attestation: { type: "symmetricKey", symmetricKey } });
      assert.doesNotMatch(JSON.stringify(await stage.get("secret")), /primaryKey/);
      const answer = await stage.client.getIndividualEnrollmentAttestationMechanism("secret");
      assert.deepEqual(answer.responseBody, { type: "symmetricKey", symmetricKey });
    },
  );

  contract.answers(
    "runBulkEnrollmentOperation",
    "what succeeded and what did not, one by one",
    REST,
    async () => {
      const enrollments = ["b-1", "b-2"].map((id) => stage.individual(id));
      assert.deepEqual(await stage.bulk("create", enrollments), { errors: [], isSuccessful: true });
      const again = await stage.bulk("create", [stage.individual("b-1"), stage.individual("b-3")]);
      assert.equal(again.isSuccessful, false);
      assert.deepEqual(
        again.errors.map(({ registrationId }) => registrationId),
        ["b-1"],
      );
      assert.ok(await stage.get("b-3"));
      assert.equal((await stage.bulk("delete", enrollments)).isSuccessful, true);
    },
  );
  contract.answers(
    "runBulkEnrollmentOperation",
    "409201 to an update without an etag of what is there",
    RECORDED,
    async () => {
      await stage.put("b-4");
      const { errors } = await stage.bulk("update", [stage.individual("b-4")]);
      assert.deepEqual(
        errors.map(({ errorCode }) => errorCode),
        [409201],
      );
    },
  );
  contract.answers(
    "runBulkEnrollmentOperation",
    "400 above ten entries",
    "learn.microsoft.com/azure/iot-dps/about-iot-dps",
    async () => {
      const many = Array.from({ length: 11 }, (_, at) => stage.individual(`many-${at}`));
      await refused(stage.bulk("create", many), 400);
      await refused(stage.client.getIndividualEnrollment("many-0"), 404);
    },
  );

  contract.answers(
    "fromConnectionString",
    "401002 with a key that the service does not have",
    ASSUMED,
    async () => {
      const key = randomBytes(32).toString("base64");
      const wrong = stage.connectionString.replace(/(SharedAccessKey=).*/, `$1${key}`);
      const stranger = ProvisioningServiceClient.fromConnectionString(wrong);
      await refused(stranger.getEnrollmentGroup("made"), 401, 401002);
    },
  );
  contract.answers(
    "fromTokenCredential",
    "a token for https://azure-devices-provisioning.net opens the service",
    "client: it asks for the scope https://azure-devices-provisioning.net/.default",
    async () => {
      const { serviceHostName, credential } = stage.place;
      const byToken = ProvisioningServiceClient.fromTokenCredential(serviceHostName, credential);
      await stage.putGroup("by-token");
      const { responseBody } = await byToken.getEnrollmentGroup("by-token");
      assert.equal(responseBody.enrollmentGroupId, "by-token");
    },
  );
});
