import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { HubRegistry } from "../../clients/hub-registry";
import type { RemovalScope } from "../../dynamic-providers/device-registration-removal/scope";
import {
  deviceRegistrationRemoval as removal,
  type DeviceRegistrationRemovalOutputs,
} from "../../dynamic-providers/device-registration-removal/provider";
import {
  deviceTwinJournal as journal,
  type DeviceTwinJournalOutputs,
} from "../../dynamic-providers/device-twin-journal/provider";
import { type Issued, TestCa } from "../support/test-ca";
import { containedScope, inputsFrom, NOW } from "./removal-runs";
import { failure, Stage, stolen } from "./stage";

const SECOND_MS = 1000;

describe("removal after a breach, as the engine calls it", () => {
  let stage: Stage;
  let hub: HubRegistry;
  let bad: TestCa;
  let good: TestCa;
  let count = 0;
  /** Of this test alone: the group that admits by the stolen CA, and two devices below it. */
  let group: string;
  let left: string;
  let back: string;

  before(async () => {
    stage = await Stage.open();
    hub = new HubRegistry(stage.connection, stage.sandbox.hub);
    bad = await TestCa.root("Bad root");
    good = await TestCa.root("Good root");
    const cas = new CaCertificatesClient(stage.connection);
    await cas.upload("bad", bad.pem, { selfAttested: true });
    await cas.upload("good", good.pem, { selfAttested: true });
  });

  after(() => stage.close());

  beforeEach(async () => {
    count += 1;
    group = `plant-${count}`;
    left = `left-${count}`;
    back = `back-${count}`;
    await stage.putGroup(group, { primary: "bad" });
    await come([left, await bad.leaf(left)], [back, await bad.leaf(back)]);
    stage.reset();
  });

  afterEach(async () => {
    const { etag } = (await stage.enrollments.getGroup(group))!;
    await stage.enrollments.deleteGroup(group, etag);
  });

  /** Registers as a device does, but polls at once; all a second later, so that times differ. */
  async function come(...devices: [string, Issued][]): Promise<void> {
    stage.clock.advance(SECOND_MS);
    await Promise.all(devices.map(([id, leaf]) => stage.register(id, leaf)));
    stage.clock.advance(SECOND_MS);
  }

  async function scope(): Promise<RemovalScope> {
    const [key] = stolen(bad);
    return containedScope(stage, key!, { bad: [key!.key] });
  }

  /** The group's own update after containment: the good CA instead, and enabled again. */
  const replaced = (): Promise<void> =>
    stage.byHand("group", group, {
      attestation: { type: "x509", x509: { caReferences: { primary: "good" } } },
      provisioningStatus: "enabled",
    });

  const written = async (from: RemovalScope): Promise<DeviceTwinJournalOutputs> =>
    (await journal.create(from)).outs;

  const remove = async (
    from: DeviceTwinJournalOutputs,
  ): Promise<DeviceRegistrationRemovalOutputs> => {
    return stage.listening(async () => (await removal.create(inputsFrom(from))).outs);
  };

  const dpsTime = (): string => stage.clock.now().toISOString();

  /** [hub identity, DPS registration]: are they there? */
  async function traces(id: string): Promise<[boolean, boolean]> {
    const identity = await hub.getIdentity(id);
    const registration = await stage.enrollments.getRegistration(id);
    return [identity !== undefined, registration !== undefined];
  }

  it("refuses while an entry still admits the key, and removes nothing", async () => {
    const [key] = stolen(bad);
    const caKeys = { bad: [key!.key] };
    const open = {
      connection: stage.connection,
      compromised: [key!],
      caKeys,
      contained: {
        [key!.key]: {
          entries: [{ kind: "group" as const, id: group, cutOff: dpsTime(), settling: [] }],
        },
      },
      remove: NOW,
      goodIssuers: [],
    };
    const entries = await written(open);
    assert.equal(entries.devices.length, 2);
    const message = await failure(remove(entries));
    assert.equal(
      message,
      `DPS-CERT-171 at enrollment group "${group}" in DPS: found what still admits CN=Bad root, so no device is removed: a thief would register again at once; fix: run \`pulumi up\` again to contain it`,
    );
    assert.deepEqual(stage.writes, []);
  });

  it("removes what came in up to the cut-off, and leaves a device that registered after it", async () => {
    const from = await scope();
    await replaced();
    const entries = await written(from);
    assert.deepEqual(entries.devices.map(({ deviceId }) => deviceId).sort(), [back, left]);
    await come([back, await good.leaf(back)]);
    stage.reset();
    const outs = await remove(entries);
    assert.deepEqual(outs.removed, [left]);
    assert.deepEqual(await traces(left), [false, false]);
    assert.deepEqual(await traces(back), [true, true]);
    assert.match(
      stage.said.join(),
      /Removed 1 of 2 device registrations that came in with CN=Bad root/,
    );
  });

  it("names no device that registered after the cut-off in the journal", async () => {
    const from = await scope();
    await replaced();
    await come([back, await good.leaf(back)]);
    assert.deepEqual(
      (await written(from)).devices.map(({ deviceId }) => deviceId),
      [left],
    );
  });

  it("disables, then deletes at the hub, then deletes the registration", async () => {
    const entries = await written(await scope());
    const seen: string[] = [];
    const look = async (): Promise<void> => {
      const identity = await hub.getIdentity(left);
      const registration = await stage.enrollments.getRegistration(left);
      seen.push(`${identity?.status ?? "gone"}, ${registration === undefined ? "gone" : "there"}`);
    };
    const restore = [
      spyAfter(HubRegistry.prototype, "disableAll", left, look),
      spyAfter(HubRegistry.prototype, "removeAll", left, look),
    ];
    try {
      await remove(entries);
    } finally {
      restore.forEach((undo) => undo());
    }
    await look();
    assert.deepEqual(seen, ["disabled, there", "gone, there", "gone, gone"]);
  });

  it("goes on after a run that was killed half way, and a further run finds nothing to do", async () => {
    const entries = await written(await scope());
    const identity = (await hub.getIdentity(left))!;
    await hub.remove(await hub.disable(identity));
    const outs = await remove(entries);
    assert.ok(outs.removed.includes(left));
    assert.deepEqual(await traces(left), [false, false]);
    assert.deepEqual(await traces(back), [false, false]);
    stage.reset();
    await remove(entries);
    assert.deepEqual(stage.writes, []);
  });

  it("takes a device along that settled after the journal was written", async () => {
    const from = await scope();
    const entries = await written(from);
    const short = {
      ...entries,
      devices: entries.devices.filter(({ deviceId }) => deviceId === left),
    };
    await remove(short);
    assert.deepEqual(await traces(back), [false, false]);
  });

  it("keeps tags and desired properties in the journal, and restores them when the device is back", async () => {
    const saved = { tags: { site: "north" }, desired: { interval: 60, mode: { night: true } } };
    await stage.writeTwin(left, saved);
    const entries = await written(await scope());
    const entry = entries.devices.find(({ deviceId }) => deviceId === left);
    const { generationId } = (await hub.getIdentity(left))!;
    assert.deepEqual(entry?.identities[0], {
      generationId,
      hub: stage.sandbox.hub,
      isConnected: false,
      ...saved,
      modules: [],
      isEdge: false,
      parentScopes: [],
      children: [],
    });
    const inputs = inputsFrom(entries);

    const outs = await remove(entries);
    assert.deepEqual([outs.pending, outs.restored], [[left], []]);
    assert.match(stage.said.join(), new RegExp(`Not back yet, .*: ${left}`));
    assert.equal((await removal.diff("removal", outs, inputs)).changes, false);

    await replaced();
    await come([left, await good.leaf(left)]);
    assert.deepEqual((await hub.getTwin(left))?.tags, {});
    assert.equal((await removal.diff("removal", outs, inputs)).changes, true);
    const { outs: after } = await removal.update("removal", outs, inputs);
    assert.deepEqual([after.pending, after.restored], [[], [left]]);
    const twin = await hub.getTwin(left);
    assert.deepEqual([twin?.tags, twin?.desired], [saved.tags, saved.desired]);
    assert.equal((await removal.diff("removal", after, inputs)).changes, false);
  });

  it("removes an identity with the stolen leaf through a group that stays open, unless it was rolled", async () => {
    await stage.putGroup(`open-${count}`, { primary: "good" });
    const [thief, rolled] = [`thief-${count}`, `rolled-${count}`];
    const leaves = await Promise.all([good.leaf(thief), good.leaf(rolled)]);
    await come([thief, leaves[0]], [rolled, leaves[1]]);
    await come([rolled, await good.leaf(rolled)]);
    for (const leaf of leaves) {
      const [key] = stolen(leaf);
      const from = {
        connection: stage.connection,
        compromised: [key!],
        caKeys: {},
        contained: {},
        remove: NOW,
        goodIssuers: [],
      };
      await remove(await written(from));
    }
    assert.deepEqual(await traces(thief), [false, false]);
    assert.deepEqual(await traces(rolled), [true, true]);
  });

  it("removes the device of a closed individual enrollment", async () => {
    const solo = `solo-${count}`;
    const leaf = await TestCa.selfSigned(solo);
    await stage.putIndividual(solo, leaf.pem);
    await come([solo, leaf]);
    const [key] = stolen(leaf);
    const entries = await written(await containedScope(stage, key!, {}));
    assert.deepEqual((await remove(entries)).removed, [solo]);
    assert.deepEqual(await traces(solo), [false, false]);
  });

  it("changes nothing in a further run, also when the declaration is taken away", async () => {
    const entries = await written(await scope());
    const outs = await remove(entries);
    const inputs = inputsFrom(entries);
    assert.equal((await journal.diff("journal", entries, entries)).changes, false);
    assert.equal((await removal.diff("removal", outs, inputs)).changes, false);
    const lifted = { ...inputs, compromised: [], contained: {} };
    stage.reset();
    await removal.update("removal", outs, lifted);
    await removal.delete("removal", outs);
    await journal.delete("journal", entries);
    assert.deepEqual(stage.writes, []);
  });

  it("holds no key of a device in the journal", async () => {
    const entries = await written(await scope());
    const text = JSON.stringify(entries);
    assert.doesNotMatch(text, /PRIVATE KEY|SharedAccessKey|primaryKey/);
    assert.ok(text.includes(createHash("sha1").update(bad.der).digest("hex").toUpperCase()));
  });
});

/** Calls `act` each time after the method was carried out for this device. */
function spyAfter(
  prototype: HubRegistry,
  method: "disableAll" | "removeAll",
  deviceId: string,
  act: () => Promise<void>,
): () => void {
  const real = Object.getOwnPropertyDescriptor(prototype, method)!;
  type Method = (this: HubRegistry, identities: { deviceId: string }[]) => Promise<unknown>;
  Object.defineProperty(prototype, method, {
    ...real,
    async value(this: HubRegistry, identities: { deviceId: string }[]) {
      const result = await (real.value as Method).call(this, identities);
      if (identities.some((one) => one.deviceId === deviceId)) await act();
      return result;
    },
  });
  return () => Object.defineProperty(prototype, method, real);
}
