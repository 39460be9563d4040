import assert from "node:assert/strict";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { breachContainment } from "../../dynamic-providers/breach-containment/provider";
import { compromisedKeys } from "../../certificates/compromised-keys";
import { summarize } from "../../certificates/summary";
import { declared } from "../certificates/fixtures";
import { TestCa } from "../support/test-ca";
import { TestEntry } from "./entries";
import { reference, Stage, stolen, WITHOUT_HUBS } from "./stage";

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

  const open = (): Promise<string[]> => stage.openGroups();

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

  it("spares the name of an intermediate that another root has signed anew, with its key", async () => {
    const below = await bad.intermediate("Below");
    const anew = await good.intermediate("Below", { keys: below.certificate.keys });
    const cas = new CaCertificatesClient(stage.connection);
    await cas.upload("below", below.pem, { selfAttested: true });
    await cas.upload("anew", anew.pem, { selfAttested: true });
    await stage.putGroup("by-anew", { primary: "anew" });
    const [old, next] = [reference("below", below), reference("anew", anew)];
    const entry = TestEntry.of(stage, "group", "by-below", [old, next, next]);
    const before = await entry.create({ primary: old });
    const [key] = compromisedKeys(
      declared({ bad, below, anew }, { compromised: [{ certificate: "bad", reason: "stolen" }] }),
    );
    const its = summarize(below.pem).publicKeySha256;
    const caKeys = { plant: [key!.key], below: [its], anew: [its] };
    const slotKeys = { "group/by-below": [its], "group/by-anew": [its] };
    const { connection } = stage;
    const { outs } = await stage.listening(() =>
      breachContainment.create({ connection, compromised: [key!], caKeys, slotKeys }),
    );
    assert.deepEqual(outs.contained[key!.key]!.entries.map(({ id }) => id).sort(), [
      "by-below",
      "declared",
      "undeclared",
    ]);
    assert.deepEqual(await open(), ["by-anew", "fresh"]);

    const compromised = [key!];
    const { outs: after } = await entry.up(before, { primary: next, compromised });
    assert.match(after.roll ?? "", /^breach roll of .*: replace/);
    assert.deepEqual(await open(), ["by-anew", "by-below", "fresh"]);
    const again = { connection, compromised, caKeys, slotKeys };
    const { changes } = await stage.listening(() => breachContainment.diff("", outs, again));
    assert.equal(changes, false);
  });

  it("finds what was opened or made by hand since, says so, and closes it", async () => {
    const compromised = stolen(bad);
    const inputs = {
      connection: stage.connection,
      compromised,
      caKeys: { plant: [compromised[0]!.key] },
    };
    const { outs } = await stage.listening(() => breachContainment.create(inputs));
    const diff = async () => {
      stage.reset();
      return stage.listening(() => breachContainment.diff("containment", outs, inputs));
    };
    const declaredOpen = /^enrollment group "declared" admits CN=Bad root, which is declared/;
    const madeOpen = /^enrollment group "made" admits CN=Bad root, which is declared/;
    await stage.putGroup("made", { primary: "by-hand" });
    assert.equal((await diff()).changes, true);
    assert.match(stage.said.join("\n"), madeOpen);
    // What is known without the resource manager is closed before that is asked.
    await stage.byHand("group", "declared", { provisioningStatus: "enabled" });
    assert.equal((await diff()).changes, true);
    assert.match(stage.said.join("\n"), declaredOpen);
    assert.equal(stage.said.length, 1);
    assert.deepEqual(stage.writes, []);
    const { outs: after } = await stage.listening(() =>
      breachContainment.update("containment", outs, inputs),
    );
    assert.deepEqual(await open(), ["fresh"]);
    assert.equal((await breachContainment.diff("containment", after, inputs)).changes, false);
  });

  describe("of which only the name is known", () => {
    /** An entry made by hand, which holds a certificate that nobody declared. */
    const group = (id: string, certificate: { pem: string }): Promise<unknown> =>
      stage.enrollments.putGroup({
        enrollmentGroupId: id,
        attestation: {
          type: "x509",
          x509: { signingCertificates: { primary: { certificate: certificate.pem } } },
        },
      });

    async function containKnowing(certificates: Record<string, { pem: string }>) {
      const compromised = compromisedKeys(
        declared(
          { bad, ...certificates },
          {
            compromised: [{ certificate: "bad", reason: "stolen" }],
          },
        ),
      );
      const inputs = {
        connection: stage.connection,
        compromised,
        caKeys: { plant: [compromised[0]!.key] },
      };
      const { outs } = await stage.listening(() => breachContainment.create(inputs));
      const closed = outs.contained[compromised[0]!.key]!.entries.map(({ id }) => id).sort();
      return { inputs, outs, closed };
    }

    it("closes what an undeclared certificate issued by the stolen CA admits, also in two steps, and says so", async () => {
      const below = await bad.intermediate("Lab");
      await group("lab", below);
      await group("bench", await below.intermediate("Bench"));
      await stage.putIndividual("van-7", (await bad.leaf("van-7")).pem);
      await stage.putIndividual("van-8", (await good.leaf("van-8")).pem);
      const { closed } = await containKnowing({});
      assert.deepEqual(closed, ["bench", "declared", "lab", "undeclared", "van-7"]);
      assert.ok(
        stage.said.includes(
          'Contained: enrollment group "lab" no longer admits CN=Bad root. It holds CN=Lab, whose issuer has its name (CN=Bad root); DPS does not show that certificate. If another CA of this name issued it, name it in certificates, and it is left alone.',
        ),
        stage.said.join("\n"),
      );
      assert.equal(await stage.isEnabled("individual", "van-8"), true);
    });

    it("finds it when it is made later, says why in the preview, and closes it", async () => {
      const { inputs, outs } = await containKnowing({});
      await group("made", await bad.intermediate("Made"));
      stage.reset();
      const { changes } = await stage.listening(() =>
        breachContainment.diff("containment", outs, inputs),
      );
      assert.equal(changes, true);
      assert.match(
        stage.said.join("\n"),
        /^enrollment group "made" admits CN=Bad root.*`pulumi up` disables it\. It holds CN=Made, whose issuer has its name \(CN=Bad root\)/,
      );
      await stage.listening(() => breachContainment.update("containment", outs, inputs));
      assert.equal(await stage.isEnabled("group", "made"), false);
    });

    it("leaves alone what is declared, and was signed by another CA of that name", async () => {
      const namesake = await TestCa.root("Bad root");
      const [known, unknown] = [await namesake.intermediate("A"), await namesake.intermediate("B")];
      await group("known", known);
      await group("unknown", unknown);
      const { closed, inputs, outs } = await containKnowing({ known, namesake });
      assert.deepEqual(closed, ["declared", "undeclared", "unknown"]);
      assert.equal(await stage.isEnabled("group", "known"), true);
      assert.equal((await breachContainment.diff("containment", outs, inputs)).changes, false);
    });

    it("says which CA certificates have its subject and perhaps its key, until they are declared", async () => {
      const namesake = await TestCa.root("Bad root");
      await new CaCertificatesClient(stage.connection).upload("old-plant", namesake.pem, {
        selfAttested: true,
      });
      await stage.putGroup("by-namesake", { primary: "old-plant" });
      const release = withoutBodies();
      try {
        const { inputs, outs } = await containKnowing({});
        const warning =
          "warning: DPS-CERT-078 at CA certificate old-plant in DPS: found the subject of CN=Bad root, which is compromised, and another thumbprint; the resource manager does not show its key, so the groups that name it stay open; fix: name that certificate in certificates: with the same key it is closed at the next `pulumi up`, with another one nothing more is said";
        assert.equal(stage.said.filter((one) => one === warning).length, 1);
        stage.reset();
        await stage.listening(() => breachContainment.diff("containment", outs, inputs));
        assert.deepEqual(stage.said, [warning]);
        stage.reset();
        await containKnowing({ namesake });
        assert.ok(!stage.said.join().includes("DPS-CERT-078"), stage.said.join("\n"));
        assert.equal(await stage.isEnabled("group", "by-namesake"), true);
      } finally {
        release();
      }
    });
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

/** The resource manager's lists without the certificates themselves: whether it shows them is not known. */
function withoutBodies(): () => void {
  const prototype = CaCertificatesClient.prototype;
  const real = Object.getOwnPropertyDescriptor(prototype, "list")!;
  const list = real.value as (this: CaCertificatesClient) => Promise<object[]>;
  Object.defineProperty(prototype, "list", {
    ...real,
    async value(this: CaCertificatesClient) {
      return (await list.call(this)).map((one) => ({ ...one, certificate: undefined }));
    },
  });
  return () => Object.defineProperty(prototype, "list", real);
}
