import assert from "node:assert/strict";
import { promisify } from "node:util";
import type { Switches } from "../../../sandbox/common/switches";
import { TestCa, type Issued } from "../../support/test-ca";
import { HOST, smallHub, type SmallHub } from "./small-hub";

/** Microsoft's types know nothing of a twin's properties. */
interface Reported {
  update: (patch: object, done: (error: Error | null) => void) => void;
}

/** Each switch away from its default; the defaults are in the other tests. */
describe("the IoT hub with other settings for what is not known", () => {
  let hub: SmallHub;
  let leaf: Issued;
  const ID = "d-1";

  before(async () => {
    leaf = await (await TestCa.root("Root")).leaf(ID);
  });
  afterEach(() => hub.close());

  const set = async (switches: Partial<Switches>) => {
    hub = await smallHub(undefined, switches);
  };
  const assign = (reset = false, { thumbprint } = leaf) =>
    hub.linkedHubs.assign(
      {
        hubHostName: HOST,
        deviceId: ID,
        authentication: { type: "selfSigned", thumbprint },
        initialTwin: { tags: { floor: 1 }, properties: { desired: { speed: 3 } } },
      },
      reset,
    );
  const identity = async () =>
    (await hub.registry.get(ID)).responseBody as unknown as Record<string, unknown>;
  const opens = async (one: Issued) => {
    const device = await hub.device(ID, one);
    try {
      await device.open();
      return "opened";
    } catch (error) {
      return String((error as Error).message);
    } finally {
      await device.close();
    }
  };

  it("bothThumbprintsWritten=false leaves the second slot empty", async () => {
    await set({ bothThumbprintsWritten: false });
    assign();
    const { x509Thumbprint } = (await identity())["authentication"] as Record<string, unknown>;
    assert.deepEqual(x509Thumbprint, {
      primaryThumbprint: leaf.thumbprint,
      secondaryThumbprint: null,
    });
  });

  it("assignmentEnables=true enables what was disabled", async () => {
    await set({ assignmentEnables: true });
    assign();
    await hub.registry.update({ deviceId: ID, status: "disabled" });
    assign();
    assert.equal((await identity())["status"], "enabled");
  });

  it("resetClearsReported=false keeps what the device has reported", async () => {
    for (const resetClearsReported of [false, true]) {
      await hub?.close();
      await set({ resetClearsReported });
      assign();
      const device = await hub.device(ID, leaf);
      await device.open();
      const { properties } = await device.getTwin();
      const { update } = properties.reported as Reported;
      await promisify(update)({ rate: 5 });
      await device.close();
      assign(true);
      const { responseBody } = (await hub.registry.getTwin(ID)) as unknown as {
        responseBody: { properties: { reported: Record<string, unknown> } };
      };
      const { rate } = responseBody.properties.reported;
      assert.equal(rate, resetClearsReported ? undefined : 5);
    }
  });

  it("hubChecksNotBefore=false lets in a certificate that is not valid yet", async () => {
    const early = await (
      await TestCa.root("Root")
    ).leaf(ID, { notBefore: new Date(Date.now() + 3_600_000) });
    await set({});
    assign(false, early);
    assert.match(await opens(early), /Not authorized/);
    await hub.close();
    await set({ hubChecksNotBefore: false });
    assign(false, early);
    assert.equal(await opens(early), "opened");
  });

  for (const hubRefusalCode of [5, 4, 3, 2] as const) {
    it(`hubRefusalCode=${hubRefusalCode} is what a refused device gets`, async () => {
      await set({ hubRefusalCode });
      assign();
      const other = await (await TestCa.root("Root")).leaf(ID);
      const refused = hub.logged(({ method }) => method === "CONNECT");
      // With 3 Microsoft's client tries again and again: it is left to itself.
      const opening = opens(other);
      assert.equal((await refused).status, hubRefusalCode);
      if (hubRefusalCode !== 3) assert.match(await opening, /Not authorized/);
    });
  }

  it("hubBulkFailureStatus=200 answers a partial failure with 200", async () => {
    await set({ hubBulkFailureStatus: 200 });
    const answer = await hub.http("POST", "/devices?api-version=2021-04-12", {
      body: [{ id: "nobody", importMode: "delete" }],
    });
    assert.deepEqual([answer.status, answer.body["isSuccessful"]], [200, false]);
  });

  for (const twinReplaceEmptiesMissingParts of [true, false]) {
    it(`twinReplaceEmptiesMissingParts=${twinReplaceEmptiesMissingParts}: a PUT that names no desired properties`, async () => {
      await set({ twinReplaceEmptiesMissingParts });
      assign();
      const answer = await hub.http("PUT", `/twins/${ID}?api-version=2021-04-12`, {
        body: { tags: { floor: 2 } },
      });
      const { tags, properties } = answer.body as {
        tags: object;
        properties: { desired: Record<string, unknown> };
      };
      assert.deepEqual(tags, { floor: 2 });
      assert.equal(properties.desired["speed"], twinReplaceEmptiesMissingParts ? undefined : 3);
    });
  }
});
