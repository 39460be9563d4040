import assert from "node:assert/strict";
import { TestCa, type Issued } from "../../support/test-ca";
import { linkedHub } from "../dps-service/small-sandbox";
import {
  fixture,
  ID,
  individualBody,
  stateOf,
  withGroup,
  type Fixture,
  type Json,
} from "./fixture";

const ALPHA = "alpha.azure-devices.net";
const BETA = "beta.azure-devices.net";

describe("assigning a device to a linked hub", () => {
  let f: Fixture;
  let leaf: Issued;

  beforeEach(async () => {
    f = await fixture();
    f.small.change({ linkedHubs: [linkedHub("beta"), linkedHub("alpha")] });
    leaf = await TestCa.selfSigned(ID);
  });

  afterEach(() => f.close());

  const enroll = (more: Json) => f.enroll(`/enrollments/${ID}`, individualBody(leaf, more));
  const record = async () => (await f.service("GET", `/registrations/${ID}`)).body;
  const hubAfter = async (more: Json) => {
    await enroll(more);
    return stateOf(await f.register(leaf))["assignedHub"];
  };

  it("static: the first hub of the entry, else the first one linked", async () => {
    assert.equal(await hubAfter({ allocationPolicy: "static" }), BETA);
    const iotHubs = [ALPHA, BETA];
    assert.equal(await hubAfter({ allocationPolicy: "static", iotHubs }), ALPHA);
  });

  it("takes the entry's hub by name, and keeps to the entry's hubs", async () => {
    assert.equal(await hubAfter({ iotHubHostName: ALPHA }), ALPHA);
    assert.equal(await hubAfter({ iotHubs: [BETA] }), BETA);
  });

  it("geoLatency: the lowest name", async () => {
    assert.equal(await hubAfter({ allocationPolicy: "geoLatency" }), ALPHA);
  });

  it("hashed: always the same hub for a registration ID, both hubs over many", async () => {
    const root = await TestCa.root("Root");
    f.small.addCa("root", root.der);
    await f.enroll("/enrollmentGroups/g", {
      enrollmentGroupId: "g",
      attestation: { type: "x509", x509: { caReferences: { primary: "root" } } },
    });
    const seen = new Map<string, unknown>();
    for (let at = 0; at < 12; at++) {
      const id = `device-${at}`;
      const one = await root.leaf(id);
      seen.set(id, stateOf(await f.register(one, id))["assignedHub"]);
      assert.equal(stateOf(await f.register(one, id))["assignedHub"], seen.get(id));
    }
    assert.deepEqual([...new Set(seen.values())].sort(), [ALPHA, BETA]);
  });

  it("hashed: nothing to a hub of weight zero or left out of allocation", async () => {
    f.small.change({
      linkedHubs: [
        linkedHub("alpha", { allocationWeight: 0 }),
        linkedHub("beta"),
        linkedHub("gamma", { applyAllocationPolicy: false }),
      ],
    });
    assert.equal(await hubAfter({}), BETA);
  });

  it("custom allocation fails by name", async () => {
    await enroll({
      allocationPolicy: "custom",
      customAllocationDefinition: { webhookUrl: "https://example.test/", apiVersion: "2019-03-31" },
    });
    const answer = await f.register(leaf);
    assert.equal(answer.body["status"], "failed");
    assert.match(String(stateOf(answer)["errorMessage"]), /does not have.*custom allocation/);
  });

  it("fails when no hub is linked, and leaves a failed record", async () => {
    await enroll({});
    f.small.change({ linkedHubs: [] });
    assert.equal((await f.register(leaf)).body["status"], "failed");
    assert.equal((await record())["status"], "failed");
  });

  for (const [name, refuse] of [
    [
      "the connection string no longer opens the hub",
      () => {
        const connectionString = "HostName=x;SharedAccessKey=wrong";
        f.small.change({ linkedHubs: [linkedHub("alpha", { connectionString })] });
      },
    ],
    [
      "the hub refuses",
      () => ["alpha", "beta"].map((h) => f.small.hubs.refusing.add(`${h}.azure-devices.net`)),
    ],
  ] as const) {
    it(`fails with the hub's error inside when ${name}, and recovers`, async () => {
      await enroll({ iotHubHostName: ALPHA });
      refuse();
      const answer = await f.register(leaf);
      assert.equal(answer.status, 200);
      assert.equal(answer.body["status"], "failed");
      const { errorCode, errorMessage } = await record();
      assert.equal(errorCode, 401002);
      assert.equal((JSON.parse(String(errorMessage)) as Json)["message"], "Unauthorized access");
      f.small.change({ linkedHubs: [linkedHub("alpha")] });
      f.small.hubs.refusing.clear();
      assert.equal((await f.register(leaf)).body["status"], "assigned");
      assert.ok(!("errorCode" in (await record())));
    });
  }

  describe("again", () => {
    const twin = { tags: { floor: 1 }, properties: { desired: { speed: 3 } } };
    const lived = { tags: { floor: 9 }, properties: { desired: { speed: 9 } } };
    const first = async (reprovisionPolicy: Json) => {
      await enroll({ iotHubHostName: ALPHA, initialTwin: twin, reprovisionPolicy });
      await f.register(leaf);
      f.small.hubs.devices.get(`${ALPHA}/${ID}`)!.initialTwin = lived;
      f.small.hubs.calls.length = 0;
    };
    const MIGRATE = { updateHubAssignment: true, migrateDeviceData: true };
    const RESET = { updateHubAssignment: true, migrateDeviceData: false };
    const NEVER = { updateHubAssignment: false, migrateDeviceData: false };

    it("writes the newly presented leaf into the same hub's record", async () => {
      await first(MIGRATE);
      const next = await TestCa.selfSigned(ID);
      await f.enroll(`/enrollments/${ID}`, individualBody(next, { iotHubHostName: ALPHA }));
      assert.deepEqual(f.small.hubs.calls, []);
      const answer = await f.register(next);
      assert.deepEqual(f.small.hubs.calls, [`assign ${ALPHA}/${ID} ${next.thumbprint}`]);
      assert.equal(stateOf(answer)["substatus"], "reprovisionedToInitialAssignment");
      assert.equal((await record())["substatus"], "reprovisionedToInitialAssignment");
      assert.deepEqual(f.small.hubs.twin(ALPHA, ID), lived);
    });

    it("tells the device initialAssignment every time where it is set to", async () => {
      await f.close();
      f = await fixture({ deviceSubstatus: "initialAssignment" });
      await enroll({});
      await f.register(leaf);
      assert.equal(stateOf(await f.register(leaf))["substatus"], "initialAssignment");
      assert.equal((await record())["substatus"], "reprovisionedToInitialAssignment");
    });

    it("migrate: to the new hub with its twin, and away from the old one", async () => {
      await first(MIGRATE);
      await enroll({ iotHubHostName: BETA, initialTwin: twin, reprovisionPolicy: MIGRATE });
      await f.register(leaf);
      assert.deepEqual(f.small.hubs.calls, [
        `assign ${BETA}/${ID} ${leaf.thumbprint}`,
        `remove ${ALPHA}/${ID}`,
      ]);
      assert.deepEqual(f.small.hubs.twin(BETA, ID), lived);
      assert.equal((await record())["substatus"], "deviceDataMigrated");
      assert.equal((await record())["assignedHub"], BETA);
    });

    it("reset: to the new hub with the initial twin", async () => {
      await first(RESET);
      await enroll({ iotHubHostName: BETA, initialTwin: twin, reprovisionPolicy: RESET });
      await f.register(leaf);
      assert.deepEqual(f.small.hubs.twin(BETA, ID), twin);
      assert.equal((await record())["substatus"], "deviceDataReset");
    });

    it("reset: also at the same hub", async () => {
      await first(RESET);
      await f.register(leaf);
      assert.deepEqual(f.small.hubs.twin(ALPHA, ID), twin);
    });

    it("never: stays at its hub, where its thumbprint is still rewritten", async () => {
      await first(NEVER);
      await enroll({ iotHubHostName: BETA, reprovisionPolicy: NEVER });
      await f.register(leaf);
      assert.deepEqual(f.small.hubs.calls, [`assign ${ALPHA}/${ID} ${leaf.thumbprint}`]);
      assert.equal((await record())["assignedHub"], ALPHA);
    });

    it("stays where it is, and says so, when the new hub refuses", async () => {
      await first(MIGRATE);
      await enroll({ iotHubHostName: BETA, reprovisionPolicy: MIGRATE });
      f.small.hubs.refusing.add(BETA);
      assert.equal((await f.register(leaf)).body["status"], "failed");
      assert.ok(f.small.hubs.has(ALPHA, ID));
      assert.equal((await record())["assignedHub"], ALPHA);
    });

    it("a new device ID takes effect when the registration has been deleted", async () => {
      await first(MIGRATE);
      await enroll({ iotHubHostName: ALPHA, deviceId: "eight" });
      assert.equal(stateOf(await f.register(leaf))["deviceId"], ID);
      await f.service("DELETE", `/registrations/${ID}`);
      assert.equal(stateOf(await f.register(leaf))["deviceId"], "eight");
    });
  });

  it("an enrollment change alone touches neither the hub nor the record", async () => {
    await enroll({});
    await f.register(leaf);
    const before = await record();
    f.small.hubs.calls.length = 0;
    const next = await TestCa.selfSigned(ID);
    await f.enroll(
      `/enrollments/${ID}`,
      individualBody(next, { iotHubs: [BETA], provisioningStatus: "disabled" }),
    );
    assert.deepEqual(await record(), before);
    assert.deepEqual(f.small.hubs.calls, []);
  });

  it("deleting a group leaves its records, which can be listed and deleted with their etag", async () => {
    const { leaf: member } = await withGroup(f);
    await f.register(member);
    await f.service("DELETE", "/enrollmentGroups/trucks");
    const listed = await f.service("POST", "/registrations/trucks/query");
    assert.equal(listed.headers["x-ms-item-type"], "DeviceRegistration");
    const [only] = listed.body as unknown as Json[];
    assert.equal(only!["registrationId"], ID);
    assert.ok(!("group" in only!));
    assert.equal((await f.service("DELETE", `/registrations/${ID}`)).status, 204);
    const gone = await f.service("GET", `/registrations/${ID}`);
    assert.equal(gone.status, 404);
    assert.equal(gone.body["errorCode"], 404202);
    assert.ok(f.small.hubs.has(ALPHA, ID) || f.small.hubs.has(BETA, ID));
  });
});
