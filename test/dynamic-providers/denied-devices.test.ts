import assert from "node:assert/strict";
import type { CompromisedKey } from "../../certificates/compromised-keys";
import {
  deniedDevices as handler,
  type DeniedDevicesInputs,
  type DeniedDevicesOutputs,
} from "../../dynamic-providers/denied-devices/provider";
import { HubRegistry } from "../../clients/hub-registry";
import { TestCa } from "../support/test-ca";
import { RemovalFleet } from "./removal-fleet";
import { containedScope, NOW, RemovalRuns } from "./removal-runs";
import { failure, stolen } from "./stage";

/** Runs while everything that is written to a hub was written by somebody else since it was read. */
async function overtaken(run: () => Promise<void>): Promise<void> {
  const prototype = HubRegistry.prototype;
  const names = ["disableAll", "enableAll"] as const;
  const real = names.map((name) => Object.getOwnPropertyDescriptor(prototype, name)!);
  names.forEach((name) =>
    Object.defineProperty(prototype, name, {
      configurable: true,
      value: (all: { deviceId: string }[]) =>
        Promise.resolve(new Map(all.map(({ deviceId }) => [deviceId, "overtaken"]))),
    }),
  );
  try {
    await run();
  } finally {
    names.forEach((name, index) => Object.defineProperty(prototype, name, real[index]!));
  }
}

describe("devices that are denied", () => {
  let fleet: RemovalFleet;
  let outs: DeniedDevicesOutputs | undefined;
  let id: string;
  let bystander: string;
  let compromised: CompromisedKey[];
  let breach: Pick<DeniedDevicesInputs, "contained" | "remove" | "goodIssuers">;

  before(async () => {
    fleet = await RemovalFleet.open();
  });
  after(() => fleet.close());
  beforeEach(async () => {
    [id, bystander] = (await fleet.begin(2)) as [string, string];
    outs = undefined;
    compromised = [];
    breach = { contained: {}, remove: NOW, goodIssuers: [] };
  });
  afterEach(() => fleet.end());

  /** A run of `up`. Tells whether it changed anything. */
  const up = (...denied: string[]): Promise<boolean> => upOf("shop/prod", ...denied);

  async function upOf(stack: string, ...denied: string[]): Promise<boolean> {
    const { connection } = fleet.stage;
    const news = { connection, denied, stack, compromised, ...breach };
    return fleet.stage.listening(async () => {
      if (outs === undefined) {
        outs = (await handler.create(news)).outs;
        return true;
      }
      const { changes } = await handler.diff("denied-devices", outs, news);
      if (changes === true) outs = (await handler.update("denied-devices", outs, news)).outs;
      return changes === true;
    });
  }

  const status = async (deviceId: string): Promise<string> => {
    const identity = await fleet.hub.getIdentity(deviceId);
    return [identity?.status, identity?.statusReason].filter(Boolean).join(": ");
  };

  it("lose their access to the hub, keep their twin, and get it back when the denial is lifted", async () => {
    await fleet.stage.writeTwin(id, { tags: { site: "north" }, desired: {} });
    await up();
    assert.equal(await status(id), "enabled");
    assert.equal(await up(id.toUpperCase()), true);
    assert.equal(await status(id), "disabled: dps-certificates: denied by shop/prod");
    assert.equal(await status(bystander), "enabled");
    assert.deepEqual(fleet.stage.said, [
      `Device ${id} is denied, and its identity in ${fleet.stage.sandbox.hub} is enabled: \`pulumi up\` disables it.`,
      `Denied: device ${id} is disabled in ${fleet.stage.sandbox.hub}.`,
    ]);
    assert.equal(await up(id.toUpperCase()), false);
    assert.deepEqual((await fleet.hub.getTwin(id))?.tags, { site: "north" });

    assert.equal(await up(), true);
    assert.equal(await status(id), "enabled");
    assert.equal(await up(), false);
  });

  it("are not let in for a moment when it turns out that their leaf is stolen", async () => {
    await up(id);
    compromised = stolen(fleet.leaves.get(id)!);
    fleet.stage.reset();
    assert.equal(await up(), true);
    assert.equal(await status(id), "disabled: dps-certificates: closed after a breach");
    assert.deepEqual(fleet.stage.said, [
      `Device ${id} is not denied any more, and stays disabled in ${fleet.stage.sandbox.hub}: its leaf is compromised.`,
    ]);
    const [key] = compromised;
    await new RemovalRuns(fleet.stage).up(await containedScope(fleet.stage, key!, {}));
    assert.deepEqual(await fleet.present(id, bystander), [bystander]);
  });

  it("are said in the preview when somebody has enabled them, and closed again", async () => {
    await up(id);
    await fleet.hub.enableAll([(await fleet.hub.getIdentity(id))!]);
    fleet.stage.reset();
    assert.equal(await up(id), true);
    assert.equal(
      fleet.stage.said[0],
      `Device ${id} is denied, and its identity in ${fleet.stage.sandbox.hub} is enabled: \`pulumi up\` disables it.`,
    );
    assert.equal(await status(id), "disabled: dps-certificates: denied by shop/prod");
  });

  it("stay disabled when a person had disabled them before", async () => {
    await fleet.hub.disableAll([(await fleet.hub.getIdentity(id))!], "lost in Oslo");
    await up(id);
    await up();
    assert.equal(await status(id), "disabled: lost in Oslo");
  });

  it("are enabled again also when the run that closed them did not live to say so", async () => {
    await up(id);
    outs = undefined;
    await up(id);
    assert.deepEqual(
      outs!.closed.map(({ registrationId }) => registrationId),
      [id],
    );
    await up();
    assert.equal(await status(id), "enabled");
  });

  it("do not take somebody along who has the same device ID", async () => {
    const other = `other-${fleet.count}`;
    const { enrollments } = fleet.stage;
    await enrollments.putIndividual({
      registrationId: other,
      deviceId: bystander,
      attestation: {
        type: "x509",
        x509: {
          clientCertificates: { primary: { certificate: (await TestCa.selfSigned(other)).pem } },
        },
      },
    });
    fleet.stage.reset();
    await up(other);
    assert.equal(await status(bystander), "enabled");
    assert.match(
      fleet.stage.said.join(),
      new RegExp(
        `^warning: registration ID ${other} is denied, and its device ID ${bystander} is `,
      ),
    );
    await enrollments.deleteIndividual(other, (await enrollments.getIndividual(other))!.etag);
  });

  it("are not taken for another one whose registration ID is their device ID, and whose device is another", async () => {
    const [other, third] = [`other-${fleet.count}`, `third-${fleet.count}`];
    const { enrollments } = fleet.stage;
    const enroll = async (registrationId: string, deviceId: string) => {
      const leaf = await TestCa.selfSigned(registrationId);
      const clientCertificates = { primary: { certificate: leaf.pem } };
      await enrollments.putIndividual({
        registrationId,
        deviceId,
        attestation: { type: "x509", x509: { clientCertificates } },
      });
      await fleet.stage.register(registrationId, leaf);
      return async () =>
        enrollments.deleteIndividual(
          registrationId,
          (await enrollments.getIndividual(registrationId))!.etag,
        );
    };
    // `third` is the device of `other`, and the registration ID of somebody else.
    const undo = [await enroll(third, `fourth-${fleet.count}`), await enroll(other, third)];
    fleet.stage.reset();
    await up(other);
    assert.equal(await status(third), "disabled: dps-certificates: denied by shop/prod");
    assert.deepEqual(fleet.stage.said, [
      `Denied: device ${third} is disabled in ${fleet.stage.sandbox.hub}.`,
    ]);
    for (const each of undo) await each();
  });

  it("are found as the hub spells them, when DPS has no record of them", async () => {
    const spelt = `Truck-${fleet.count}`;
    const primaryThumbprint = "A".repeat(64);
    const authentication = { type: "selfSigned", x509Thumbprint: { primaryThumbprint } };
    await fleet.sdk.create({ deviceId: spelt, authentication: authentication as never });
    await up(spelt.toLowerCase());
    assert.equal(await status(spelt), "disabled: dps-certificates: denied by shop/prod");
    assert.equal(await up(spelt.toLowerCase()), false);
    await fleet.hub.enableAll([(await fleet.hub.getIdentity(spelt))!]);
    assert.equal(await up(spelt.toLowerCase()), true);
    await up();
    assert.equal(await status(spelt), "enabled");
  });

  it("are said when somebody writes their identity all the time, at the denial and when it is lifted", async () => {
    const { hub } = fleet.stage.sandbox;
    const says = (is: string) =>
      `DPS-CERT-173 at device ${id} in ${hub}: found an identity that somebody else writes all the time; the device is ${is}; fix: find out who it is, and run \`pulumi up\` again`;
    await overtaken(async () => assert.equal(await failure(up(id)), says("denied")));
    await up(id);
    await overtaken(async () => assert.equal(await failure(up()), says("not denied any more")));
    await up();
    assert.equal(await status(id), "enabled");
  });

  it("stay shut out, without their leaf, when their CA is found stolen as well", async () => {
    await up(id);
    const scope = await fleet.replaced(NOW);
    await new RemovalRuns(fleet.stage).up(scope);
    assert.equal(await status(id), "disabled: dps-certificates: denied by shop/prod");
    assert.deepEqual(await fleet.present(id, bystander), [id]);
  });
});
