import assert from "node:assert/strict";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { enrollmentGroup } from "../../dynamic-providers/enrollment-group/provider";
import { TestCa } from "../support/test-ca";
import { slot, Stage, WITHOUT_HUBS } from "./stage";

describe("enrollment groups, as the engine calls them", () => {
  let stage: Stage;
  let root: TestCa;
  let intermediate: TestCa;

  before(async () => {
    stage = await Stage.open(WITHOUT_HUBS);
    root = await TestCa.root("Root");
    intermediate = await root.intermediate("Intermediate");
  });

  after(() => stage.close());

  it("refers to CA certificates, or holds intermediates, and moves from one to the other", async () => {
    await new CaCertificatesClient(stage.connection).upload("root", root.pem, {
      selfAttested: true,
    });
    const base = {
      connection: stage.connection,
      enrollmentId: "plant",
      provisioningStatus: "enabled" as const,
      reprovisionPolicy: "never" as const,
      compromised: [],
    };
    const referring = { ...base, primary: { ca: "root", certificate: slot(root).certificate } };
    const { outs } = await enrollmentGroup.create(referring);
    assert.deepEqual(outs.live.primary, { ca: "root" });
    assert.equal(outs.live.reprovisionPolicy, "never");
    const holding = { ...base, primary: slot(intermediate) };
    assert.equal((await enrollmentGroup.diff("plant", outs, holding)).changes, true);
    const { outs: moved } = await enrollmentGroup.update("plant", outs, holding);
    assert.equal(moved.live.primary?.sha256Thumbprint, intermediate.certificate.thumbprint);
    const record = await stage.enrollments.getGroup("plant");
    assert.equal(record?.attestation.x509?.caReferences, undefined);
    await enrollmentGroup.delete("plant", moved);
    assert.equal(await stage.enrollments.getGroup("plant"), undefined);
  });
});
