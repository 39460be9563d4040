import assert from "node:assert/strict";
import { target } from "../../dynamic-providers/target/provider";
import { Stage } from "./stage";

describe("the target, as the engine calls it", () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.open();
  });
  after(() => stage.close());
  beforeEach(() => stage.reset());

  it("names the sandbox, and says that nothing real is changed", async () => {
    const { failures } = await stage.listening(() => target.check({}, { target: "sandbox" }));
    assert.deepEqual(failures ?? [], []);
    assert.match(
      stage.said.join(),
      /^Target: the sandbox at https:\/\/localhost:\d+\. Nothing real is changed\.$/,
    );
  });

  it("refuses Azure in a shell that is attached to the sandbox", async () => {
    const { failures } = await stage.listening(() => target.check({}, { target: "azure" }));
    assert.match(
      failures?.[0]?.reason ?? "",
      /^DPS-CERT-180 at target: found azure, while DPS_SANDBOX_ENDPOINTS/,
    );
    assert.deepEqual(stage.said, []);
  });

  it("changes only with the target", async () => {
    const sandbox = { target: "sandbox" as const };
    assert.equal((await target.diff("target", sandbox, sandbox)).changes, false);
    assert.equal((await target.diff("target", sandbox, { target: "azure" })).changes, true);
  });
});
