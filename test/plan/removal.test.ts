import assert from "node:assert/strict";
import { removalOf } from "../../plan/removal";
import { edited, HUBS, inventoryOf, scene, type Scene } from "./scene";

describe("the hub identities that a breach costs, in the plan", () => {
  let all: Scene;
  before(async () => {
    all = await scene();
  });

  it("are also those of a group above the stolen intermediate, as far as the manifest proves it", () => {
    const before = edited(all.base, (copy) => {
      copy.enrollmentGroups["region"] = { primary: { ca: "root-i" }, status: "enabled" };
    });
    const after = edited(before, (copy) => {
      copy.enrollmentGroups["gateways"] = {
        primary: { certificate: "plant-2" },
        status: "enabled",
      };
      copy.compromised = [{ certificate: "plant-1", reason: "key leaked by the plant" }];
    });
    const inRegion = ["gateway-1", "gateway-2"].map((leaf) => ({
      id: leaf,
      entry: "group:region",
      leaf,
      hub: HUBS[0],
    }));
    const removed = (...proven: string[]) =>
      removalOf(
        {
          before,
          after,
          remove: { how: "now", keep: "delete" },
          goodIssuers: [],
          issued: proven.map((id) => ({
            registrationId: id,
            leafSha256: all.certificates[id]!.thumbprint,
            issuerThumbprint: all.certificates["plant-1"]!.thumbprint,
          })),
        },
        inventoryOf(all, before, inRegion),
      ).removed;
    assert.deepEqual(removed(), new Map());
    assert.deepEqual(removed("gateway-1"), new Map([["group:region", new Set(["gateway-1"])]]));
  });
});
