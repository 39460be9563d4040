import assert from "node:assert/strict";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { breachContainment as handler } from "../../dynamic-providers/breach-containment/provider";
import { TestCa } from "../support/test-ca";
import { failure, Stage, stolen, WITHOUT_HUBS } from "./stage";

describe("containment while DPS refuses to disable one of the entries", () => {
  let stage: Stage;

  before(async () => {
    stage = await Stage.open(WITHOUT_HUBS);
  });

  after(() => stage.close());

  it("closes the others, also those of other keys, and then fails with the one that is open", async () => {
    const cas = new CaCertificatesClient(stage.connection);
    const [bad, other, gone] = await Promise.all(
      ["Bad root", "Other bad root", "Gone root"].map((name) => TestCa.root(name)),
    );
    await cas.upload("bad", bad!.pem, { selfAttested: true });
    await cas.upload("other", other!.pem, { selfAttested: true });
    await cas.upload("gone", gone!.pem, { selfAttested: true });
    // Refers to a CA certificate that is deleted: DPS takes no write of it as it is.
    await stage.putGroup("a-dangling", { primary: "bad", secondary: "gone" });
    await stage.putGroup("bad", { primary: "bad" });
    await stage.putGroup("other", { primary: "other" });
    await cas.delete("gone", (await cas.get("gone"))!.etag);
    const compromised = stolen(bad!, other!);
    const [badKey, otherKey] = compromised.map(({ key }) => key);
    const caKeys = { bad: [badKey!], other: [otherKey!] };
    const create = () => handler.create({ connection: stage.connection, compromised, caKeys });
    const told = await failure(stage.listening(create));
    const host = stage.connection.serviceHostName;
    assert.equal(
      told.replace(/tracking ID [0-9a-f-]+/, "tracking ID 1"),
      `DPS-CERT-184 at enrollment group "a-dangling" in DPS: found an entry that admits CN=Bad root, is open, and stays so: Could not write enrollment group "a-dangling": ${host} answered 400 (400000, "attestation.x509.caReferences: there is no CA certificate named "gone"", tracking ID 1); fix: mend what DPS names, in the portal or with \`az iot dps enrollment-group update\`, and run the same again; deleting the entry closes it too, and with it go the records of who came in by it, which the removal needs`,
    );
    assert.equal(await stage.isEnabled("group", "a-dangling"), true);
    assert.equal(await stage.isEnabled("group", "bad"), false);
    assert.equal(await stage.isEnabled("group", "other"), false);
  });
});
