import assert from "node:assert/strict";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import {
  breachContainment,
  type BreachContainmentInputs,
} from "../../dynamic-providers/breach-containment/provider";
import { TestCa } from "../support/test-ca";
import { Stage, stolen, WITHOUT_HUBS } from "./stage";

/** More than anybody waits: the call fails at once. */
const TOO_LONG_S = 600;
const LIST = "GET certificates";

describe("containment while the resource manager is slow, throttled or down", () => {
  let stage: Stage;
  let inputs: BreachContainmentInputs;

  beforeEach(async () => {
    stage = await Stage.open(WITHOUT_HUBS);
    const [bad, worse] = [await TestCa.root("Bad root"), await TestCa.root("Worse root")];
    const cas = new CaCertificatesClient(stage.connection);
    await cas.upload("bad", bad.pem, { selfAttested: true });
    await cas.upload("worse", worse.pem, { selfAttested: true });
    await cas.upload("by-hand", worse.pem, { selfAttested: true });
    await stage.putGroup("by-bad", { primary: "bad" });
    await stage.putGroup("by-worse", { primary: "worse" });
    await stage.putGroup("by-other-name", { primary: "by-hand" });
    const compromised = stolen(bad, worse);
    const [badKey, worseKey] = compromised.map(({ key }) => key);
    const caKeys = { bad: [badKey!], worse: [worseKey!] };
    inputs = { connection: stage.connection, compromised, caKeys };
    stage.reset();
  });
  afterEach(() => stage.close());

  const open = (): Promise<string[]> => stage.openGroups();

  /** What was open each time that the list of CA certificates was about to be answered. */
  async function whenAsked<T>(run: () => Promise<T>): Promise<{ answer: T; open: string[][] }> {
    const seen: string[][] = [];
    const release = stage.sandbox.sandbox.log.hold(async ({ service, path }) => {
      if (service === "arm" && path.endsWith("/certificates")) seen.push(await open());
    });
    try {
      return { answer: await stage.listening(run), open: seen };
    } finally {
      release();
    }
  }

  it("has closed what all keys are known to reach before it asks once for other names", async () => {
    const before = { ...inputs, compromised: [], contained: {} };
    const preview = await whenAsked(() => breachContainment.diff("", before, inputs));
    assert.deepEqual([preview.answer.changes, preview.open], [true, []]);
    const { open: seen } = await whenAsked(() => breachContainment.update("", before, inputs));
    assert.deepEqual(seen, [["by-other-name"]]);
    assert.deepEqual(await open(), []);
  });

  it("closes at once, says what is still open, and closes that when the resource manager answers again", async () => {
    const { faults } = stage.sandbox.sandbox;
    faults.add({ on: LIST, kind: "throttle", wait: TOO_LONG_S, times: 100, service: "arm" });
    const { outs } = await stage.listening(() => breachContainment.create(inputs));
    assert.deepEqual(await open(), ["by-other-name"]);
    assert.match(
      stage.said.join("\n"),
      /warning: the CA certificates of the DPS could not be listed, so groups that name CN=Worse root otherwise than this stack does may still admit it: the next `pulumi up` looks for them\. .*429/,
    );

    stage.reset();
    const whileDown = await stage.listening(() => breachContainment.diff("", outs, inputs));
    assert.equal(whileDown.changes, false);
    assert.match(stage.said.join("\n"), /may still admit it/);
    faults.clear();
    const { changes } = await stage.listening(() => breachContainment.diff("", outs, inputs));
    assert.equal(changes, true);
    await stage.listening(() => breachContainment.update("", outs, inputs));
    assert.deepEqual(await open(), []);
  });

  it("closes what somebody has opened again without asking for other names first", async () => {
    const { outs } = await stage.listening(() => breachContainment.create(inputs));
    await stage.byHand("group", "by-bad", { provisioningStatus: "enabled" });
    const preview = await whenAsked(() => breachContainment.diff("", outs, inputs));
    assert.deepEqual([preview.answer.changes, preview.open], [true, []]);
    const { open: seen } = await whenAsked(() => breachContainment.update("", outs, inputs));
    assert.deepEqual(seen, [[]]);
  });
});
