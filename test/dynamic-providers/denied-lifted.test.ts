import assert from "node:assert/strict";
import { Registry } from "azure-iothub";
import { HubRegistry } from "../../clients/hub-registry";
import {
  deniedDevices as handler,
  type DeniedDevicesInputs,
  type DeniedDevicesOutputs,
} from "../../dynamic-providers/denied-devices/provider";
import { RemovalFleet } from "./removal-fleet";
import { NOW, RemovalRuns } from "./removal-runs";
import { SecondHub } from "./second-hub";

/** One stack, from `up` to `up`. */
class DenyingStack {
  outs: DeniedDevicesOutputs | undefined;
  breach: Pick<DeniedDevicesInputs, "compromised" | "contained" | "remove" | "goodIssuers"> = {
    compromised: [],
    contained: {},
    remove: NOW,
    goodIssuers: [],
  };

  constructor(
    private readonly fleet: RemovalFleet,
    public stack = "shop/prod",
  ) {}

  /** Tells whether it changed anything. */
  async up(...denied: string[]): Promise<boolean> {
    const { connection } = this.fleet.stage;
    const news = { connection, denied, stack: this.stack, ...this.breach };
    return this.fleet.stage.listening(async () => {
      if (this.outs === undefined) {
        this.outs = (await handler.create(news)).outs;
        return true;
      }
      const { changes } = await handler.diff("denied-devices", this.outs, news);
      if (changes === true) {
        this.outs = (await handler.update("denied-devices", this.outs, news)).outs;
      }
      return changes === true;
    });
  }
}

describe("a denial that is lifted", () => {
  let fleet: RemovalFleet;
  let hub: string;
  let id: string;
  let bystander: string;
  let prod: DenyingStack;

  before(async () => {
    fleet = await RemovalFleet.open();
    ({ hub } = fleet.stage.sandbox);
  });
  after(() => fleet.close());
  beforeEach(async () => {
    [id, bystander] = (await fleet.begin(2)) as [string, string];
    prod = new DenyingStack(fleet);
  });
  afterEach(() => fleet.end());

  const status = async (registry = fleet.hub): Promise<string> => {
    const identity = await registry.getIdentity(id);
    return [identity?.status, identity?.statusReason].filter(Boolean).join(": ");
  };

  describe("by one of two stacks", () => {
    let staging: DenyingStack;

    beforeEach(async () => {
      staging = new DenyingStack(fleet, "shop/staging");
      await prod.up(id);
      await staging.up(id);
      assert.equal(await status(), "disabled: dps-certificates: denied by shop/prod, shop/staging");
      fleet.stage.reset();
    });

    it("opens nothing before the other one has lifted its own, whichever is first", async () => {
      await prod.up();
      assert.equal(await status(), "disabled: dps-certificates: denied by shop/staging");
      assert.deepEqual(fleet.stage.said, [
        `Device ${id} is not denied any more, and stays disabled in ${hub}: shop/staging denies it as well.`,
      ]);
      assert.deepEqual([await prod.up(), await staging.up(id)], [false, false]);
      await staging.up();
      assert.equal(await status(), "enabled");
      assert.deepEqual([await prod.up(), await staging.up()], [false, false]);
    });

    it("opens it also after the stack was renamed", async () => {
      await staging.up();
      prod.stack = "shop/production-of-a-very-long-name";
      assert.equal(await prod.up(id), false);
      await prod.up();
      assert.equal(await status(), "enabled");
    });

    it("leaves alone what more stacks deny than a reason can name", async () => {
      const more = ["a", "b", "c", "d"].map((name) => `shop/of-a-long-name-${name}`);
      for (const stack of more) await new DenyingStack(fleet, stack).up(id);
      assert.match(fleet.stage.said.at(-1) ?? "", /^warning: device .* has no room for one more/);
      const before = await status();
      const last = new DenyingStack(fleet, "shop/of-a-long-name-z");
      await last.up(id);
      await last.up();
      assert.equal(await status(), before);
    });
  });

  it("leaves an identity disabled that a person has disabled since, and says so", async () => {
    await prod.up(id);
    await fleet.hub.disableAll([(await fleet.hub.getIdentity(id))!], "lost in Oslo");
    fleet.stage.reset();
    await prod.up();
    assert.equal(await status(), "disabled: lost in Oslo");
    assert.deepEqual(fleet.stage.said, [
      `Device ${id} is not denied any more, and stays disabled in ${hub}: somebody else disabled it.`,
    ]);
    assert.equal(await prod.up(), false);
  });

  describe("of a device in a hub that was unlinked since", () => {
    let second: SecondHub;
    let registry: HubRegistry;

    before(async () => {
      second = await SecondHub.linked(fleet.stage);
      registry = new HubRegistry(fleet.stage.connection, second.host);
    });
    beforeEach(async () => {
      await second.link();
      const primaryThumbprint = (await fleet.hub.getIdentity(id))!.thumbprints[0]!;
      const authentication = { type: "selfSigned", x509Thumbprint: { primaryThumbprint } };
      const sdk = Registry.fromConnectionString(second.connectionString);
      await sdk.create({ deviceId: id, authentication: authentication as never });
      await prod.up(id);
      assert.equal(await status(registry), "disabled: dps-certificates: denied by shop/prod");
      await second.unlink();
      fleet.stage.reset();
    });
    after(() => second.unlink());

    it("opens it there as well, while the hub can be reached", async () => {
      await prod.up();
      assert.equal(await status(registry), "enabled");
      assert.equal(await prod.up(), false);
    });

    it("is said where the hub cannot be reached, and made good once it is linked again", async () => {
      const { faults } = fleet.stage.sandbox.sandbox;
      // Longer than anybody waits.
      faults.add({ on: `GET devices/${id}`, kind: "throttle", wait: 600, nth: 2 });
      await prod.up();
      assert.deepEqual(fleet.stage.said, [
        `Device ${id} is not denied any more, and is enabled again in ${hub}.`,
        `warning: device ${id} is not denied any more, and stays disabled in ${second.host}, which is not linked to this DPS any more. ` +
          `Could not read device "${id}" of ${second.host}: ${second.host} answered 429 (ThrottlingBacklogTimeout, "The request has been throttled. injected fault 1: throttle"). ` +
          `The service is still throttling after several attempts; run the same again later. Enable it in that hub by hand if it is to connect there; or link the hub again, and the next \`pulumi up\` enables it.`,
      ]);
      assert.equal(await prod.up(), false);
      faults.clear();
      await second.link();
      assert.equal(await prod.up(), true);
      assert.equal(await status(registry), "enabled");
      assert.equal(await prod.up(), false);
    });
  });

  describe("in the change that declares its CA compromised", () => {
    async function breach(remove: DeniedDevicesInputs["remove"]) {
      await prod.up(id);
      const scope = { ...(await fleet.replaced(remove)), goodIssuers: fleet.issuers() };
      const { compromised, contained, goodIssuers } = scope;
      prod.breach = { compromised, contained, remove: scope.remove, goodIssuers };
      fleet.stage.reset();
      return scope;
    }

    it("opens nothing, and the removal ends the identity", async () => {
      const scope = await breach(NOW);
      await prod.up();
      assert.equal(await status(), "disabled: dps-certificates: closed after a breach");
      assert.deepEqual(fleet.stage.said, [
        `Device ${id} is not denied any more, and stays disabled in ${hub}: it came in through what admitted a compromised CA.`,
      ]);
      await new RemovalRuns(fleet.stage).up(scope);
      assert.deepEqual(await fleet.present(id, bystander), []);
      assert.equal(await prod.up(), false);
    });

    it("leaves it closed where nothing proves who issued its leaf, until something does", async () => {
      const scope = await breach({ how: "evidenced", keep: "delete" });
      await prod.up();
      assert.equal(await status(), "disabled: dps-certificates: denied by shop/prod");
      assert.deepEqual(fleet.stage.said, [
        `Device ${id} is not denied any more, and stays disabled in ${hub}: it came in through what admitted a compromised CA, and nothing proves who issued its leaf. A manifest of issued leaves (remove.issuedLeaves) decides; or enable it in the hub.`,
      ]);
      const runs = new RemovalRuns(fleet.stage);
      await runs.up(scope);
      assert.equal(await prod.up(), false);
      const issuedLeaves = fleet.manifest([id], fleet.good);
      prod.breach = { ...prod.breach, remove: { ...scope.remove, issuedLeaves } };
      assert.equal(await prod.up(), true);
      assert.equal(await status(), "enabled");
      assert.equal(await prod.up(), false);
    });

    it("opens it at once where the manifest proves that its leaf is good", async () => {
      await breach({ ...NOW, issuedLeaves: fleet.manifest([id], fleet.good) });
      await prod.up();
      assert.equal(await status(), "enabled");
    });
  });
});
