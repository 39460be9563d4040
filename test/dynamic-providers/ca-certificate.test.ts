import assert from "node:assert/strict";
import { summarize } from "../../certificates/summary";
import type { CaCertificateOutputs } from "../../dynamic-providers/ca-certificate/live";
import { caCertificate as handler } from "../../dynamic-providers/ca-certificate/provider";
import { enrollmentGroup } from "../../dynamic-providers/enrollment-group/provider";
import { UNKNOWN } from "../../dynamic-providers/handler";
import { TestCa } from "../support/test-ca";
import { shown } from "../certificates/fixtures";
import { CaStage } from "./ca-stage";
import { failure, reference, stolen } from "./stage";

describe("CA certificates, as the engine calls them", () => {
  let scene: CaStage;
  let root: TestCa;
  let other: TestCa;

  before(async () => {
    scene = await CaStage.open();
    root = await TestCa.root("Root A");
    other = await TestCa.root("Root B");
  });

  after(() => scene.close());

  beforeEach(() => scene.fresh());

  const kept = (what: string, fix: string): string =>
    `DPS-CERT-161 at caCertificates.${scene.name}: found a CA certificate that is not ${what}, because in DPS enrollment group plant still refers to it; fix: ${fix}`;
  const notSwapped = (): string =>
    kept(
      "given another certificate",
      "add the new certificate under a new name, and move the groups to it",
    );
  const notDeleted = (): string => kept("deleted", "take it out of these groups first");

  const sha1 = (ca: TestCa): string => summarize(ca.pem).sha1Thumbprint;

  it("uploads, proves possession with the key, and reads back that it is verified", async () => {
    const outs = await scene.create(scene.inputs(root));
    const { etag, notAfter, ...live } = outs.live;
    assert.deepEqual(live, { sha1Thumbprint: sha1(root), subject: "Root A", isVerified: true });
    assert.equal(Date.parse(notAfter!), Date.parse(summarize(root.pem).notAfter));
    assert.equal(etag, await scene.etag());
    const { name } = scene;
    assert.deepEqual(scene.writes, [
      `PUT ${name}`,
      `POST ${name}/generateVerificationCode`,
      `POST ${name}/verify`,
    ]);
    assert.equal(await scene.changes(outs, scene.inputs(root)), false);
  });

  it("asks for no proof when the certificate is self-attested", async () => {
    const outs = await scene.create(scene.inputs(root, { proof: { selfAttested: true } }));
    assert.equal(outs.live.isVerified, true);
    assert.equal(scene.writes.length, 1);
  });

  it("says of a self-attested certificate that a proof declared later has not been asked for", async () => {
    const attested = await scene.create(scene.inputs(root, { proof: { selfAttested: true } }));
    const said = async (outs: CaCertificateOutputs): Promise<string> => {
      scene.stage.reset();
      await scene.changes(outs, scene.inputs(root));
      return scene.said;
    };
    const words = `warning: DPS-CERT-053 at caCertificates.${scene.name}.proof: found a CA that is still verified on this configuration's word alone: nobody has asked for the proof that is declared now: ${shown(root)}; fix: declare the certificate under another name with this proof, point the groups at that one, and remove this one; or declare selfAttested`;
    assert.equal(await said(attested), words);
    // Also after another change of the resource, and a refresh.
    const kept = await scene.update(attested, scene.inputs(root, { retain: true }));
    assert.equal(await said(await scene.refresh(kept)), words);
    assert.equal(await said(await scene.create(scene.inputs(root))), "");
  });

  it("tells DPS to believe a certificate that was uploaded and not proved", async () => {
    await scene.uploadedByHand(root, false);
    const outs = await scene.create(scene.inputs(root, { proof: { selfAttested: true } }));
    assert.equal(outs.live.isVerified, true);
  });

  it("does not ask for the key of a certificate that is verified already", async () => {
    await scene.create(scene.inputs(root));
    const outs = await scene.create(
      scene.inputs(root, { proof: { keyFile: "/nowhere/root.key" } }),
    );
    assert.equal(outs.live.isVerified, true);
  });

  it("goes on from an upload that a killed run left without its proof", async () => {
    await scene.client.upload(scene.name, root.pem);
    scene.stage.reset();
    const outs = await scene.create(scene.inputs(root));
    assert.equal(outs.live.isVerified, true);
    assert.equal(scene.writes.filter((write) => write.startsWith("PUT")).length, 0);
    assert.match(scene.said, /in DPS already with this content; going on from there/);
  });

  it("writes nothing when exactly this certificate is there and verified", async () => {
    const before = await scene.create(scene.inputs(root));
    scene.stage.reset();
    assert.deepEqual((await scene.create(scene.inputs(root))).live, before.live);
    assert.deepEqual(scene.writes, []);
  });

  it("does not take a name that holds another certificate, and shows both", async () => {
    await scene.client.upload(scene.name, other.pem, { selfAttested: true });
    scene.stage.reset();
    assert.equal(
      await failure(scene.create(scene.inputs(root))),
      `DPS-CERT-160 at caCertificates.${scene.name}: found another certificate in DPS: Root B, SHA-1 ${sha1(other)}; declared: ${shown(root)}, SHA-1 ${sha1(root)}; fix: give this one another name`,
    );
    assert.deepEqual(scene.writes, []);
  });

  it("gives a name to another certificate only while no group refers to it", async () => {
    const before = await scene.create(scene.inputs(root));
    await scene.stage.putGroup("plant", { primary: scene.name });
    scene.stage.reset();
    assert.equal(await failure(scene.update(before, scene.inputs(other))), notSwapped());
    assert.deepEqual(scene.writes, []);

    await scene.stage.enrollments.deleteGroup(
      "plant",
      (await scene.stage.enrollments.getGroup("plant"))!.etag,
    );
    const after = await scene.update(before, scene.inputs(other));
    assert.equal(after.live.sha1Thumbprint, sha1(other));
    assert.equal(after.live.isVerified, true);
  });

  it("stops when somebody put another certificate under the name", async () => {
    const before = await scene.create(scene.inputs(root));
    const third = await TestCa.root("Root C");
    const { etag } = (await scene.client.get(scene.name))!;
    await scene.client.upload(scene.name, third.pem, { ifMatch: etag, selfAttested: true });
    scene.stage.reset();
    const found = `DPS-CERT-160 at caCertificates.${scene.name}: found a CA certificate that`;
    assert.equal(
      await failure(scene.update(before, scene.inputs(other))),
      `${found} somebody else changed: in DPS Root C, SHA-1 ${sha1(third)}; expected SHA-1 ${sha1(root)}; fix: find out who did it; declare what is there with adopt, or delete it in DPS`,
    );
    assert.equal(
      await failure(handler.delete(scene.name, before)),
      `${found} this stack did not write, and does not delete: in DPS Root C, SHA-1 ${sha1(third)}; fix: delete it in DPS, or take it out of the state (\`pulumi state delete\`)`,
    );
    assert.deepEqual(scene.writes, []);
  });

  it("is not deleted while a group refers to it, in whichever slot", async () => {
    const before = await scene.create(scene.inputs(root));
    await scene.client.upload("second", other.pem, { selfAttested: true });
    await scene.stage.putGroup("plant", { primary: "second", secondary: scene.name });
    scene.stage.reset();
    assert.equal(await failure(handler.delete(scene.name, before)), notDeleted());
    assert.deepEqual(scene.writes, []);
    await scene.stage.enrollments.deleteGroup(
      "plant",
      (await scene.stage.enrollments.getGroup("plant"))!.etag,
    );
    await handler.delete(scene.name, before);
    assert.equal(await scene.client.get(scene.name), undefined);
    await handler.delete(scene.name, before);
  });

  it("finds a referring group that spells the name in another case", async () => {
    const before = await scene.create(scene.inputs(root));
    await scene.stage.putGroup("plant", { primary: scene.name.toUpperCase() });
    assert.equal(await failure(handler.delete(scene.name, before)), notDeleted());
  });

  it("in a breach gives the name to another certificate once its groups are contained", async () => {
    const before = await scene.create(scene.inputs(root));
    const compromised = stolen(root, await TestCa.root("Root C"));
    const entry = {
      connection: scene.stage.connection,
      enrollmentId: "plant",
      provisioningStatus: "enabled" as const,
      reprovisionPolicy: "migrate" as const,
    };
    const { name } = scene;
    const group = await enrollmentGroup.create({
      ...entry,
      primary: reference(name, root),
      compromised: [],
    });
    const { inputs } = await handler.check(before, scene.inputs(other, { compromised }));
    const news = inputs!;
    assert.deepEqual(
      news.compromised?.map(({ key }) => key),
      [before.certificate.publicKeySha256],
    );
    scene.stage.reset();
    assert.equal(await failure(scene.update(before, news)), notSwapped());
    assert.deepEqual(scene.writes, []);

    await scene.stage.byHand("group", "plant", { provisioningStatus: "disabled" });
    const after = await scene.update(before, news);
    assert.equal(after.live.sha1Thumbprint, sha1(other));
    assert.equal(await scene.isVerified(), true);
    assert.equal(await scene.stage.isEnabled("group", "plant"), false);

    // The group names the same CA as before; that it is another one is what enables it again.
    const renewed = { ...entry, primary: reference(name, other), compromised };
    assert.equal((await enrollmentGroup.diff("plant", group.outs, renewed)).changes, true);
    const { outs } = await enrollmentGroup.update("plant", group.outs, renewed);
    assert.equal(await scene.stage.isEnabled("group", "plant"), true);
    assert.equal((await enrollmentGroup.diff("plant", outs, renewed)).changes, false);
    const again = await handler.check(news, scene.inputs(other, { compromised }));
    assert.equal((await handler.diff(name, after, again.inputs!)).changes, false);
  });

  describe("read back", () => {
    /** What somebody else does before this stack's request is answered, once. */
    async function meanwhile(
      path: RegExp,
      act: () => Promise<unknown>,
      run: () => Promise<unknown>,
    ): Promise<string> {
      let isDone = false;
      const release = scene.stage.sandbox.sandbox.log.hold(async (request) => {
        if (
          isDone ||
          request.service !== "arm" ||
          !path.test(`${request.method} ${request.path}`)
        ) {
          return;
        }
        isDone = true;
        await act();
      });
      try {
        return await failure(run());
      } finally {
        release();
      }
    }
    const says = (is: string, wanted: string, fix: string): string =>
      `DPS-CERT-174 at caCertificates.${scene.name}: found a CA certificate that is ${is} in DPS after it was written, and should be ${wanted}; fix: ${fix}`;
    const again = "find out who writes to this DPS, and run `pulumi up` again";

    it("is not taken for what was written when somebody has deleted it since", async () => {
      const message = await meanwhile(
        /^POST .*\/verify$/,
        async () => scene.client.delete(scene.name, await scene.etag()),
        () => scene.create(scene.inputs(root)),
      );
      assert.equal(message, says("gone", "verified", again));
    });

    it("is not verified when somebody has uploaded it once more", async () => {
      const message = await meanwhile(
        /^POST .*\/verify$/,
        () => scene.uploadedByHand(root, false),
        () => scene.create(scene.inputs(root)),
      );
      assert.equal(message, says("not verified", "verified", again));
    });

    it("waits for its proof, and is not verified by somebody else meanwhile", async () => {
      const message = await meanwhile(
        /^POST .*\/generateVerificationCode$/,
        () => scene.uploadedByHand(root, true),
        () => scene.create(scene.inputs(root, { proof: { offline: {} } })),
      );
      assert.equal(message, says("verified", "not verified until its proof is there", again));
    });

    it("needs a proof when it was adopted as verified, and is not any more", async () => {
      await scene.uploadedByHand(root, true);
      const adopted = scene.inputs(root, { adopt: true });
      delete adopted.proof;
      const message = await meanwhile(
        /^GET .*\/certificates\/[^/]+$/,
        () => scene.uploadedByHand(root, false),
        () => scene.create(adopted),
      );
      assert.equal(message, says("not verified", "verified", "declare a proof of possession"));
    });
  });

  it("does not parse what is not known yet, and replaces for another name or service", async () => {
    const { name } = scene;
    const olds = await scene.create(scene.inputs(root));
    const unknown = {
      ...scene.inputs(root),
      pem: UNKNOWN,
      certificate: UNKNOWN as never,
      connection: UNKNOWN as never,
    };
    assert.deepEqual((await handler.check(olds, unknown)).inputs, unknown);
    assert.deepEqual(await handler.diff(name, olds, unknown), { changes: true, replaces: [] });
    const renamed = scene.inputs(root, { name: "other" });
    assert.deepEqual((await handler.diff(name, olds, renamed)).replaces, ["name"]);
    const connection = { ...scene.stage.connection, serviceHostName: "x" };
    const moved = scene.inputs(root, { connection });
    assert.deepEqual((await handler.diff(name, olds, moved)).replaces, ["connection"]);
  });
});

for (const verifiedSurvivesUpdate of [false, true]) {
  describe(`a CA certificate that replaces a verified one, ${verifiedSurvivesUpdate ? "where DPS would keep it verified" : "where DPS would not keep it verified"}`, () => {
    let scene: CaStage;

    before(async () => {
      scene = await CaStage.open({ verifiedSurvivesUpdate });
    });

    after(() => scene.close());

    it("is verified by its own proof and not before", async () => {
      const [root, other] = [await TestCa.root("Root A"), await TestCa.root("Root B")];
      const before = await scene.create(scene.inputs(root));
      scene.stage.reset();
      const waiting = { proof: { offline: {} } };
      const after = await scene.update(before, scene.inputs(other, waiting));
      assert.equal(after.live.subject, "Root B");
      assert.equal(await scene.isVerified(), false);
      assert.match(after.pending?.code ?? "", /^[0-9A-F]{48}$/);
      const proved = await scene.update(after, scene.inputs(other));
      assert.equal(proved.pending, undefined);
      assert.equal(await scene.isVerified(), true);
      assert.equal(scene.writes.filter((write) => write.endsWith("/verify")).length, 1);

      const replaced = await scene.update(proved, scene.inputs(root));
      assert.equal(replaced.live.isVerified, true);
      assert.equal(scene.writes.filter((write) => write.endsWith("/verify")).length, 2);
    });
  });
}
