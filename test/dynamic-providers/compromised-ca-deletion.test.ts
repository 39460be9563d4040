import assert from "node:assert/strict";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { caCertificate } from "../../dynamic-providers/ca-certificate/provider";
import {
  compromisedCaDeletion as handler,
  type CompromisedCaDeletionInputs,
  type CompromisedCaDeletionOutputs,
} from "../../dynamic-providers/compromised-ca-deletion/provider";
import { summarize } from "../../certificates/summary";
import { TestCa } from "../support/test-ca";
import { Stage, stolen, WITHOUT_HUBS } from "./stage";

describe("the deletion of compromised CA certificates", () => {
  let stage: Stage;
  let cas: CaCertificatesClient;
  let bad: TestCa;
  let good: TestCa;
  let outs: CompromisedCaDeletionOutputs | undefined;

  before(async () => {
    bad = await TestCa.root("Bad root");
    good = await TestCa.root("Good root");
  });

  beforeEach(async () => {
    stage = await Stage.open(WITHOUT_HUBS);
    cas = new CaCertificatesClient(stage.connection);
    await cas.upload("bad", bad.pem, { selfAttested: true });
    await cas.upload("good", good.pem, { selfAttested: true });
    outs = undefined;
    stage.reset();
  });

  afterEach(() => stage.close());

  const inputs = (fields: Partial<CompromisedCaDeletionInputs> = {}) => ({
    connection: stage.connection,
    compromised: stolen(bad),
    caKeys: { bad: [stolen(bad)[0]!.key], good: [stolen(good)[0]!.key] },
    declared: ["good"],
    ...fields,
  });

  /** A run of `up`. Tells whether it changed anything. */
  async function up(news: CompromisedCaDeletionInputs): Promise<boolean> {
    return stage.listening(async () => {
      if (outs === undefined) {
        outs = (await handler.create(news)).outs;
        return true;
      }
      const { changes } = await handler.diff("deletion", outs, news);
      if (changes === true) outs = (await handler.update("deletion", outs, news)).outs;
      return changes === true;
    });
  }

  const names = async (): Promise<string[]> => (await cas.list()).map(({ name }) => name).sort();

  it("goes with the removal from the configuration, also of what was adopted, and once", async () => {
    const adopted = {
      connection: stage.connection,
      name: "bad",
      pem: bad.pem,
      certificate: summarize(bad.pem),
      adopt: true,
      compromised: [],
    };
    const state = await stage.listening(async () => (await caCertificate.create(adopted)).outs);
    assert.equal(await up(inputs({ compromised: [], declared: ["bad", "good"] })), true);
    assert.deepEqual(await names(), ["bad", "good"]);
    assert.equal(await up(inputs()), true);
    assert.deepEqual(await names(), ["good"]);
    assert.deepEqual(outs?.deleted, ["bad"]);
    assert.deepEqual(stage.said.slice(-1), [
      'CA certificate "bad" is compromised, and is deleted from DPS.',
    ]);
    // What the engine deletes afterwards, by its own state, is gone already.
    await stage.listening(() => caCertificate.delete("bad", state));
    assert.equal(await up(inputs()), false);
  });

  it("leaves to its own resource what is still declared", async () => {
    assert.equal(await up(inputs({ declared: ["BAD", "good"] })), true);
    assert.deepEqual(await names(), ["bad", "good"]);
    assert.deepEqual(stage.said, []);
  });

  it("waits for the last group that refers to it, and says so", async () => {
    await stage.putGroup("plant", { primary: "good", secondary: "Bad" });
    await up(inputs());
    assert.deepEqual(await names(), ["bad", "good"]);
    const { sha1Thumbprint } = summarize(bad.pem);
    assert.deepEqual(stage.said, [
      `warning: DPS-CERT-119 at caCertificates.bad: found a CA certificate of CN=Bad root, which is compromised (SHA-1 ${sha1Thumbprint}), which enrollment group \`plant\` refers to; fix: take it out of \`plant\``,
    ]);
    assert.equal(await up(inputs()), false);
    await stage.byHand("group", "plant", {
      attestation: { type: "x509", x509: { caReferences: { primary: "good" } } },
    });
    assert.equal(await up(inputs()), true);
    assert.deepEqual(await names(), ["good"]);
  });

  it("only names what has the key under a name that is not this stack's, or was given to another one", async () => {
    await cas.upload("elsewhere", bad.pem, { selfAttested: true });
    const before = (await cas.get("bad"))!;
    await cas.delete("bad", before.etag);
    await cas.upload("bad", (await TestCa.root("Another")).pem, { selfAttested: true });
    await up(inputs());
    assert.deepEqual(await names(), ["bad", "elsewhere", "good"]);
    assert.equal(stage.said.length, 1);
    assert.match(
      stage.said[0]!,
      /^warning: DPS-CERT-119 at caCertificates\.elsewhere: .*, under a name that this stack never had; fix: delete it in DPS, if it is nobody else's; or declare it with adopt: true$/,
    );
  });

  it("does not claim that nothing is left when the resource manager does not answer", async () => {
    await up(inputs({ connection: { ...stage.connection, resourceGroup: "no-such-group" } }));
    assert.match(
      stage.said.join("\n"),
      /^warning: The CA certificates of the DPS could not be listed, so compromised ones may still be there\./,
    );
    assert.equal(await up(inputs()), true);
    assert.deepEqual(await names(), ["good"]);
  });
});
