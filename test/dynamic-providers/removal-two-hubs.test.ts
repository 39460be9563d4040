import assert from "node:assert/strict";
import { Registry } from "azure-iothub";
import { HubRegistry } from "../../clients/hub-registry";
import { RemovalFleet } from "./removal-fleet";
import { NOW, RemovalRuns } from "./removal-runs";
import { SecondHub } from "./second-hub";

describe("a removal over two linked hubs", () => {
  let fleet: RemovalFleet;
  let other: HubRegistry;
  let sdk: Registry;

  before(async () => {
    fleet = await RemovalFleet.open();
    const second = await SecondHub.linked(fleet.stage);
    sdk = Registry.fromConnectionString(second.connectionString);
    other = new HubRegistry(fleet.stage.connection, second.host);
  });
  after(() => fleet.close());

  it("finds identities where no DPS record names them, and spares only where the device is back", async () => {
    const [back, away, gone] = await fleet.begin();
    // Each of them was in the other hub before, with the leaf that it still has.
    for (const id of [back!, away!, gone!]) {
      const primaryThumbprint = (await fleet.hub.getIdentity(id))!.thumbprints[0]!;
      const authentication = { type: "selfSigned", x509Thumbprint: { primaryThumbprint } };
      await sdk.create({ deviceId: id, authentication: authentication as never });
    }
    const scope = await fleet.replaced(NOW);
    await fleet.comeAnew(back!);
    const runs = new RemovalRuns(fleet.stage);
    await runs.up(scope);
    for (const id of [back!, away!, gone!]) {
      assert.equal(await other.getIdentity(id), undefined, id);
    }
    assert.deepEqual(await fleet.present(...fleet.ids), [back]);
    assert.equal((await fleet.stage.enrollments.getRegistration(back!))?.status, "assigned");
    assert.match(fleet.stage.said.join("\n"), /Removed 3 of 4 .*; removed what 1 had left behind/);
    assert.deepEqual(runs.removal?.pending, []);
    assert.deepEqual(await runs.up(scope), []);
    await fleet.end();
  });
});
