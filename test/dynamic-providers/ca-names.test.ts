import assert from "node:assert/strict";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { breachContainment } from "../../dynamic-providers/breach-containment/provider";
import { compromisedKeys } from "../../certificates/compromised-keys";
import { declared } from "../certificates/fixtures";
import { TestCa } from "../support/test-ca";
import { Stage, stolen, WITHOUT_HUBS } from "./stage";

describe("containment by the names of CA certificates", () => {
  let stage: Stage;
  let bad: TestCa;
  let good: TestCa;

  before(async () => {
    bad = await TestCa.root("Bad root");
    good = await TestCa.root("Good root");
  });

  beforeEach(async () => {
    stage = await Stage.open(WITHOUT_HUBS);
    const cas = new CaCertificatesClient(stage.connection);
    await cas.upload("plant", bad.pem, { selfAttested: true });
    await cas.upload("by-hand", bad.pem, { selfAttested: true });
    await cas.upload("reused", good.pem, { selfAttested: true });
    await stage.putGroup("declared", { primary: "plant" });
    await stage.putGroup("undeclared", { primary: "reused", secondary: "BY-HAND" });
    await stage.putGroup("fresh", { primary: "reused" });
    stage.reset();
  });

  afterEach(() => stage.close());

  const open = async (): Promise<string[]> =>
    (await stage.enrollments.queryGroups())
      .filter(({ provisioningStatus }) => provisioningStatus !== "disabled")
      .map(({ enrollmentGroupId }) => enrollmentGroupId);

  async function contain(): Promise<string[]> {
    const [key] = stolen(bad);
    const [other] = stolen(good);
    const caKeys = { plant: [key!.key], reused: [key!.key, other!.key] };
    const { connection } = stage;
    const { outs } = await stage.listening(() =>
      breachContainment.create({ connection, compromised: [key!], caKeys }),
    );
    return outs.contained[key!.key]!.entries.map(({ id }) => id).sort();
  }

  it("finds the CA under a name that nobody declared, and spares a name that was given to another", async () => {
    assert.deepEqual(await contain(), ["declared", "undeclared"]);
    assert.deepEqual(await open(), ["fresh"]);
  });

  it("closes what was issued below a compromised CA, in slots and under names of CA certificates", async () => {
    const below = await bad.intermediate("Below");
    const leaf = await below.leaf("van-3");
    const cas = new CaCertificatesClient(stage.connection);
    await cas.upload("below", below.pem, { selfAttested: true });
    await stage.putGroup("by-below", { primary: "below" });
    await stage.enrollments.putGroup({
      enrollmentGroupId: "holding",
      attestation: {
        type: "x509",
        x509: { signingCertificates: { primary: { certificate: below.pem } } },
      },
    });
    await stage.putIndividual("van-3", leaf.pem);
    await stage.putIndividual("van-4", (await TestCa.selfSigned("van-4")).pem);
    const [key] = compromisedKeys(
      declared({ bad, below, leaf }, { compromised: [{ certificate: "bad", reason: "stolen" }] }),
    );
    const { connection } = stage;
    const { outs } = await stage.listening(() =>
      breachContainment.create({ connection, compromised: [key!], caKeys: { plant: [key!.key] } }),
    );
    assert.deepEqual(outs.contained[key!.key]!.entries.map(({ id }) => id).sort(), [
      "by-below",
      "declared",
      "holding",
      "undeclared",
      "van-3",
    ]);
    assert.deepEqual(await open(), ["fresh"]);
    assert.equal(await stage.isEnabled("individual", "van-3"), false);
    assert.equal(await stage.isEnabled("individual", "van-4"), true);
  });

  it("finds what was opened or made by hand since, says so, and closes it", async () => {
    const compromised = stolen(bad);
    const inputs = {
      connection: stage.connection,
      compromised,
      caKeys: { plant: [compromised[0]!.key] },
    };
    const { outs } = await stage.listening(() => breachContainment.create(inputs));
    await stage.byHand("group", "declared", { provisioningStatus: "enabled" });
    await stage.putGroup("made", { primary: "by-hand" });
    stage.reset();
    const { changes } = await stage.listening(() =>
      breachContainment.diff("containment", outs, inputs),
    );
    assert.equal(changes, true);
    assert.equal(stage.said.length, 2);
    assert.match(
      stage.said.join(),
      /enrollment group "made" admits CN=Bad root, which is declared/,
    );
    assert.deepEqual(stage.writes, []);
    const { outs: after } = await stage.listening(() =>
      breachContainment.update("containment", outs, inputs),
    );
    assert.deepEqual(await open(), ["fresh"]);
    assert.equal((await breachContainment.diff("containment", after, inputs)).changes, false);
  });

  it("closes what it knows before it asks ARM, and every name that ever had the key when ARM is silent", async () => {
    const real = Object.getOwnPropertyDescriptor(CaCertificatesClient.prototype, "list")!;
    let openThen: string[] = [];
    Object.defineProperty(CaCertificatesClient.prototype, "list", {
      ...real,
      async value(this: CaCertificatesClient) {
        openThen = await open();
        const cut = { ...stage.connection, resourceGroup: "no-such-group" };
        return (real.value as () => Promise<unknown>).call(new CaCertificatesClient(cut));
      },
    });
    try {
      assert.deepEqual(await contain(), ["declared", "fresh", "undeclared"]);
    } finally {
      Object.defineProperty(CaCertificatesClient.prototype, "list", real);
    }
    assert.deepEqual(openThen.sort(), ["fresh", "undeclared"]);
    assert.match(stage.said.join("\n"), /could not be listed/);
  });
});
