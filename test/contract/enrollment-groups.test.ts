import assert from "node:assert/strict";
import { Registry } from "azure-iothub";
import { TestCa } from "../support/test-ca";
import { ASSUMED, refused } from "./answers";
import { registerOverHttps } from "./devices";
import {
  contract,
  openService,
  pagesOf,
  putCa,
  RECORDED,
  REST,
  slots,
  x509,
  type Json,
  type ServiceStage,
} from "./provisioning-service";

describe("azure-iot-provisioning-service: groups and registrations", () => {
  let stage: ServiceStage;

  before(async () => {
    stage = await openService();
  });
  after(() => stage.place.close());

  contract.answers(
    "createOrUpdateEnrollmentGroup",
    "200 to a creation, the signing certificate shown as info in both slots",
    RECORDED,
    async () => {
      const made = await stage.putGroup("made");
      const { primary, secondary } = slots(made, "signingCertificates");
      assert.equal(primary?.info["subjectName"], "CN=Contoso root");
      assert.deepEqual(secondary, primary);
    },
  );
  contract.answers(
    "createOrUpdateEnrollmentGroup",
    "a group of CA references shows their names alone",
    "azure-iot-sdk-java#1340",
    async () => {
      await putCa(stage, "by-name", stage.ca);
      const attestation = x509({ caReferences: { primary: "by-name" } });
      const made = await stage.putGroup("referring", { attestation });
      assert.deepEqual(made["attestation"], attestation);
    },
  );
  contract.answers(
    "createOrUpdateEnrollmentGroup",
    "409 without an etag, 412 with an old one",
    "azure-sdk-for-python#35187",
    async () => {
      const { etag } = await stage.putGroup("conflict");
      await refused(stage.putGroup("conflict"), 409);
      await stage.putGroup("conflict", { etag });
      await refused(stage.putGroup("conflict", { etag }), 412);
    },
  );
  contract.answers(
    "getEnrollmentGroup",
    "what was written, and 404 when there is none",
    REST,
    async () => {
      const made = await stage.putGroup("read", { provisioningStatus: "disabled" });
      assert.deepEqual((await stage.client.getEnrollmentGroup("read")).responseBody, made);
      await refused(stage.client.getEnrollmentGroup("nobody"), 404);
    },
  );
  contract.answers("deleteEnrollmentGroup", "412 with an old etag, then gone", REST, async () => {
    const first = await stage.putGroup("deleted");
    await stage.putGroup("deleted", { etag: first["etag"] });
    await refused(stage.client.deleteEnrollmentGroup("deleted", String(first["etag"])), 412);
    await stage.client.deleteEnrollmentGroup("deleted");
    await refused(stage.client.getEnrollmentGroup("deleted"), 404);
  });
  contract.answers("createEnrollmentGroupQuery", "every group, in pages", REST, async () => {
    await Promise.all(["g-1", "g-2"].map((id) => stage.putGroup(id)));
    const pages = await pagesOf(stage.client.createEnrollmentGroupQuery({ query: "SELECT *" }, 1));
    const ids = pages.flat().map((one) => one["enrollmentGroupId"]);
    assert.ok(["g-1", "g-2"].every((id) => ids.includes(id)));
    assert.ok(pages.every((page) => page.length <= 1));
  });
  contract.answers(
    "getEnrollmentGroupAttestationMechanism",
    "the certificate's info for a group of signing certificates",
    ASSUMED,
    async () => {
      await stage.putGroup("mechanism");
      const { responseBody } =
        await stage.client.getEnrollmentGroupAttestationMechanism("mechanism");
      const { primary } = slots({ attestation: responseBody }, "signingCertificates");
      assert.equal(primary?.info["subjectName"], "CN=Contoso root");
    },
  );

  contract.answers(
    ["getDeviceRegistrationState", "createEnrollmentGroupDeviceRegistrationStateQuery"],
    "the record of a device that came in by a group, also in the group's list",
    RECORDED,
    async () => {
      await registered("truck-7");
      const { responseBody } = await stage.client.getDeviceRegistrationState("truck-7");
      const record = responseBody as unknown as Json;
      assert.equal(record["status"], "assigned");
      assert.equal(record["substatus"], "initialAssignment");
      assert.equal(record["assignedHub"], stage.place.hub);
      assert.equal(record["deviceId"], "truck-7");
      const query = stage.client.createEnrollmentGroupDeviceRegistrationStateQuery(
        { query: "SELECT *" },
        "trucks",
        5,
      );
      const [page] = await pagesOf(query);
      assert.deepEqual(
        page?.map((one) => one["registrationId"]),
        ["truck-7"],
      );
    },
  );
  contract.answers("getDeviceRegistrationState", "404 when there is none", REST, async () =>
    refused(stage.client.getDeviceRegistrationState("nobody"), 404),
  );
  contract.answers(
    "deleteDeviceRegistrationState",
    "412 with an old etag; without one the record goes and the hub's identity stays",
    "learn.microsoft.com/azure/iot-dps/how-to-unprovision-devices",
    async () => {
      await registered("truck-8");
      await refused(stage.client.deleteDeviceRegistrationState("truck-8", "AAAA"), 412);
      await stage.client.deleteDeviceRegistrationState("truck-8");
      await refused(stage.client.getDeviceRegistrationState("truck-8"), 404);
      const registry = Registry.fromConnectionString(stage.place.hubConnection("iothubowner"));
      assert.equal((await registry.get("truck-8")).responseBody.deviceId, "truck-8");
    },
  );

  // A CA of its own: other cases have groups, disabled ones too, of the other.
  let trucks: Promise<TestCa> | undefined;
  /** By the group "trucks". */
  async function registered(id: string): Promise<void> {
    const attestation = x509({ caReferences: { primary: "trucks" } });
    trucks ??= TestCa.root("Trucks").then(async (root) => {
      await putCa(stage, "trucks", root);
      await stage.putGroup("trucks", { attestation });
      return root;
    });
    const answer = await registerOverHttps(stage.place, id, await (await trucks).leaf(id));
    assert.equal(answer["status"], "assigned", JSON.stringify(answer));
  }
});
