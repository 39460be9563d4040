import assert from "node:assert/strict";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { HubRegistry } from "../../clients/hub-registry";
import type { RemovalScope } from "../../dynamic-providers/device-registration-removal/scope";
import { deviceRegistrationRemoval as removal } from "../../dynamic-providers/device-registration-removal/provider";
import { deviceTwinJournal as journal } from "../../dynamic-providers/device-twin-journal/provider";
import { type Issued, TestCa } from "../support/test-ca";
import { containedScope, inputsFrom } from "./removal-runs";
import { Stage, stolen } from "./stage";

const SECOND_MS = 1000;

describe("removal that a run did not live to report", () => {
  let stage: Stage;
  let bad: TestCa;
  let good: TestCa;
  const twin = { tags: { site: "north" }, desired: { interval: 60 } };

  before(async () => {
    stage = await Stage.open();
    bad = await TestCa.root("Bad root");
    good = await TestCa.root("Good root");
    const cas = new CaCertificatesClient(stage.connection);
    await cas.upload("bad", bad.pem, { selfAttested: true });
    await cas.upload("good", good.pem, { selfAttested: true });
  });

  after(() => stage.close());

  async function begin(id: string, leaf: Issued): Promise<string> {
    const { status, body } = await call(id, leaf, "PUT", "register", { registrationId: id });
    assert.equal(status, 202, JSON.stringify(body));
    return (body as unknown as { operationId: string }).operationId;
  }

  async function finish(id: string, leaf: Issued, operationId: string): Promise<void> {
    const { body } = await call(id, leaf, "GET", `operations/${operationId}`);
    assert.equal(body.status, "assigned", JSON.stringify(body));
  }

  async function call(id: string, leaf: Issued, method: string, path: string, body?: object) {
    const { idScope } = stage.sandbox;
    const { device } = stage.sandbox.endpoints().provisioningServices[0]!;
    const url = `${device.https}/${idScope}/registrations/${id}/${path}?api-version=2021-10-01`;
    return stage.sandbox.http(method, url, { cert: leaf.chainPem, key: leaf.key, body });
  }

  async function register(id: string, leaf: Issued): Promise<void> {
    stage.clock.advance(SECOND_MS);
    await finish(id, leaf, await begin(id, leaf));
    stage.clock.advance(SECOND_MS);
  }

  async function contained(): Promise<RemovalScope> {
    const [key] = stolen(bad);
    return containedScope(stage, key!, { bad: [key!.key] });
  }

  const replaced = (group: string): Promise<void> =>
    stage.byHand("group", group, {
      attestation: { type: "x509", x509: { caReferences: { primary: "good" } } },
      provisioningStatus: "enabled",
    });

  it("still gives the twin back to a device that it removed, and that came back before the next run", async () => {
    const hub = new HubRegistry(stage.connection, stage.sandbox.hub);
    await stage.putGroup("plant", { primary: "bad" });
    for (const id of ["lost", "stays"]) {
      await register(id, await bad.leaf(id));
      await stage.writeTwin(id, twin);
    }
    await stage.listening(async () => {
      const from = await contained();
      await replaced("plant");
      const inputs = inputsFrom((await journal.create(from)).outs);

      // The first run is killed after it removed one device; both come back with good leaves.
      const identity = (await hub.getIdentity("lost"))!;
      await hub.remove(await hub.disable(identity));
      const record = (await stage.enrollments.getRegistration("lost"))!;
      await stage.enrollments.deleteRegistration("lost", record.etag);
      await register("lost", await good.leaf("lost"));
      await register("stays", await good.leaf("stays"));
      await stage.writeTwin("stays", { tags: { site: "south" }, desired: {} });

      const { outs } = await removal.create(inputs);
      assert.deepEqual([outs.restored, outs.pending], [["lost"], []]);
    });
    const lost = await hub.getTwin("lost");
    assert.deepEqual([lost?.tags, lost?.desired], [twin.tags, twin.desired]);
    // What was changed since in a device that nobody removed is not set back.
    assert.deepEqual((await hub.getTwin("stays"))?.tags, { site: "south" });
  });

  it("leaves the new record to a device that came back through a group that stays open", async () => {
    const hub = new HubRegistry(stage.connection, stage.sandbox.hub);
    await stage.putGroup("open", { primary: "good" });
    const old = await good.leaf("rolled");
    await register("rolled", old);
    await stage.writeTwin("rolled", twin);
    const [key] = stolen(old);
    const { connection } = stage;
    const from: RemovalScope = {
      ...{ connection, compromised: [key!], caKeys: {}, contained: {}, goodIssuers: [] },
      remove: { how: "now", keep: "delete" },
    };
    await stage.listening(async () => {
      const inputs = inputsFrom((await journal.create(from)).outs);

      // The first run is killed after it deleted the record; the device comes back with a new leaf.
      await hub.remove(await hub.disable((await hub.getIdentity("rolled"))!));
      const record = (await stage.enrollments.getRegistration("rolled"))!;
      await stage.enrollments.deleteRegistration("rolled", record.etag);
      await register("rolled", await good.leaf("rolled"));

      const { outs } = await removal.create(inputs);
      assert.deepEqual([outs.restored, outs.pending], [["rolled"], []]);
      assert.equal((await removal.diff("removal", outs, inputs)).changes, false);
    });
    const registration = await stage.enrollments.getRegistration("rolled");
    assert.equal(registration?.status, "assigned");
    const after = await hub.getTwin("rolled");
    assert.deepEqual([after?.tags, after?.desired], [twin.tags, twin.desired]);
  });

  it("takes a thief along whose registration was under way at the cut-off", async () => {
    const hub = new HubRegistry(stage.connection, stage.sandbox.hub);
    await stage.putGroup("yard", { primary: "bad" });
    const leaf = await bad.leaf("thief");
    const operation = await begin("thief", leaf);
    stage.clock.advance(SECOND_MS);
    await stage.listening(async () => {
      const from = await contained();
      assert.deepEqual(
        Object.values(from.contained)[0]!.entries.map(({ id, settling }) => [id, settling]),
        [["yard", ["thief"]]],
      );
      await replaced("yard");
      stage.clock.advance(3 * SECOND_MS);
      await removal.create(inputsFrom((await journal.create(from)).outs));
    });
    stage.clock.advance(60 * SECOND_MS);
    const polled = await call("thief", leaf, "GET", `operations/${operation}`);
    assert.notEqual(polled.body.status, "assigned");
    assert.equal(await hub.getIdentity("thief"), undefined);
    assert.equal(await stage.enrollments.getRegistration("thief"), undefined);
  });
});
