import assert from "node:assert/strict";
import type {
  CaCertificateInputs,
  CaCertificateOutputs,
} from "../../dynamic-providers/ca-certificate/live";
import { codesToSign } from "../../dynamic-providers/ca-certificate/offline";
import { TestCa } from "../support/test-ca";
import { shown } from "../certificates/fixtures";
import { CaStage, signedElsewhere } from "./ca-stage";
import { failure } from "./stage";

/** What a handler leaves in the state when it fails half way. */
interface Unfinished extends Error {
  id: string;
  properties: CaCertificateOutputs;
}

describe("proof of possession offline, in two changes", () => {
  let scene: CaStage;
  let root: TestCa;
  let waiting: CaCertificateInputs;

  before(async () => {
    scene = await CaStage.open();
    root = await TestCa.root("Root A");
  });

  after(() => scene.close());

  beforeEach(async () => {
    await scene.fresh();
    waiting = scene.inputs(root, { proof: { offline: {} } });
  });

  const given = (signed: string): CaCertificateInputs =>
    scene.inputs(root, { proof: { offline: { signed } } });
  const steps = (): string[] =>
    scene.writes.map((write) => write.replace(/^(\w+) \S+?(\/|$)/, "$1 $2"));
  const todo = (code: string): string =>
    `Have CA \`${scene.name}\` issue a certificate with the common name ${code}, write it to a PEM file, and give that as caCertificates.${scene.name}.proof.offline.signedFile.`;

  /** The state after a change that failed half way. */
  async function unfinished(run: Promise<unknown>): Promise<Unfinished> {
    try {
      await run;
    } catch (error) {
      assert.ok(error instanceof Error && "properties" in error, String(error));
      return error as Unfinished;
    }
    throw new Error("It succeeded.");
  }

  it("brings the code out, leaves the CA unverified, and is settled like that", async () => {
    const outs = await scene.create(waiting);
    const { code, etag } = outs.pending!;
    assert.match(code, /^[0-9A-F]{48}$/);
    assert.equal(etag, await scene.etag());
    assert.equal(outs.live.isVerified, false);
    assert.equal(await scene.isVerified(), false);
    assert.deepEqual(steps(), ["PUT ", "POST /generateVerificationCode"]);
    assert.ok(scene.said.includes(todo(code)), scene.said);
    assert.deepEqual(codesToSign({ [scene.name]: outs.pending, other: undefined }), {
      [scene.name]: { ca: scene.name, code, etag, whatToDo: todo(code) },
    });
    scene.stage.reset();
    assert.equal(await scene.changes(outs, waiting), false);
    assert.ok(scene.said.includes(todo(code)), scene.said);
    // Another change of the same resource keeps the code that is out.
    const kept = await scene.update(outs, { ...waiting, retain: true });
    assert.deepEqual(kept.pending, outs.pending);
    assert.deepEqual(scene.writes, []);
  });

  it("takes the certificate that came back, reads back that it is verified, and is settled", async () => {
    const before = await scene.create(waiting);
    const news = given(await signedElsewhere(root, before.pending!.code));
    assert.equal(await scene.changes(before, news), true);
    scene.stage.reset();
    const outs = await scene.update(before, news);
    assert.deepEqual(steps(), ["POST /verify"]);
    assert.equal(outs.pending, undefined);
    assert.equal(outs.live.isVerified, true);
    assert.equal(await scene.isVerified(), true);
    assert.equal(await scene.changes(outs, news), false);
    // The file may go later: what is verified stays so.
    assert.equal(await scene.changes(outs, waiting), false);
  });

  it("refuses what the CA has not signed, and writes nothing", async () => {
    const before = await scene.create(waiting);
    const { code } = before.pending!;
    const stranger = await TestCa.root("Root A");
    scene.stage.reset();
    const signed = await signedElsewhere(stranger, code);
    const path = `caCertificates.${scene.name}.proof.offline.signedFile`;
    assert.equal(
      await failure(scene.update(before, given(signed))),
      `DPS-CERT-114 at ${path}: found a certificate that the CA's key has not signed: ${shown({ pem: signed })}; fix: Have CA \`${scene.name}\` issue a certificate with the common name ${code}, write it to a PEM file, and give that as ${path}.`,
    );
    assert.deepEqual(scene.writes, []);
  });

  it("explains a code that was never live here, already at the preview, without ending the live one", async () => {
    const before = await scene.create(waiting);
    const { code } = before.pending!;
    const old = "0123456789ABCDEF".repeat(3);
    const news = given(await signedElsewhere(root, old));
    scene.stage.reset();
    assert.equal(await scene.changes(before, news), true);
    assert.equal(
      scene.said,
      `warning: DPS-CERT-113 at caCertificates.${scene.name}.proof.offline.signedFile: found a verification certificate for the code ${old}, which is not the one that this stack generated last; fix: the live code is ${code}. ${todo(code)}`,
    );
    const message = await failure(scene.update(before, news));
    assert.equal(
      message,
      `DPS-CERT-113 at caCertificates.${scene.name}.proof.offline.signedFile: found a verification certificate for the code ${old}, which is not the one that DPS gave out last; fix: the live code is ${code}. ${todo(code)}`,
    );
    assert.deepEqual(scene.writes, []);
    const outs = await scene.update(before, given(await signedElsewhere(root, code)));
    assert.equal(outs.live.isVerified, true);
  });

  it("explains a code that somebody ended by another, and brings the next one out", async () => {
    const before = await scene.create(waiting);
    const first = before.pending!.code;
    await scene.client.generateVerificationCode(scene.name, before.pending!.etag);
    const news = given(await signedElsewhere(root, first));
    const error = await unfinished(scene.update(before, news));
    const { code, etag } = error.properties.pending!;
    assert.notEqual(code, first);
    assert.equal(etag, await scene.etag());
    assert.match(
      error.message,
      new RegExp(
        `^DPS-CERT-113 at caCertificates\\.${scene.name}\\.proof\\.offline\\.signedFile: found a verification certificate for the code ${first}, which has ended: somebody generated another code, or uploaded the certificate again on 20\\S+Z; fix: the live code is ${code}\\. Have CA`,
      ),
    );
    assert.equal(error.id, scene.name);
    assert.equal(error.properties.live.isVerified, false);
    // Without the file it waits again, for the code that is out.
    scene.stage.reset();
    const without = await scene.update(error.properties, waiting);
    assert.deepEqual([without.pending, scene.writes], [error.properties.pending, []]);
    // The same file once more: the code that is out stays the one to sign.
    const again = await failure(scene.update(error.properties, news));
    assert.ok(again.includes(`the live code is ${code}.`), again);
    const outs = await scene.update(error.properties, given(await signedElsewhere(root, code)));
    assert.equal(outs.live.isVerified, true);
    assert.equal(outs.pending, undefined);
  });

  it("takes a certificate for the code that somebody generated by hand", async () => {
    const before = await scene.create(waiting);
    const { code } = await scene.client.generateVerificationCode(scene.name, before.pending!.etag);
    const outs = await scene.update(before, given(await signedElsewhere(root, code)));
    assert.equal(outs.live.isVerified, true);
  });

  it("explains a certificate that is given before there is a code", async () => {
    const early = "0123456789ABCDEF".repeat(3);
    const error = await unfinished(scene.create(given(await signedElsewhere(root, early))));
    assert.match(error.message, new RegExp(`for the code ${early}, which DPS does not take \\(`));
    const { code } = error.properties.pending!;
    const outs = await scene.update(error.properties, given(await signedElsewhere(root, code)));
    assert.equal(outs.live.isVerified, true);
  });

  it("goes on after a run that was killed before it kept the code, or the answer", async () => {
    await scene.create(waiting);
    const again = await scene.create(waiting);
    const signed = await signedElsewhere(root, again.pending!.code);
    await scene.client.verify(scene.name, signed, again.pending!.etag);
    scene.stage.reset();
    const outs = await scene.update(again, given(signed));
    assert.equal(outs.pending, undefined);
    assert.equal(outs.live.isVerified, true);
    assert.deepEqual(scene.writes, []);
  });

  it("may be given up for a key that is at hand", async () => {
    const before = await scene.create(waiting);
    assert.equal(await scene.changes(before, scene.inputs(root)), true);
    const outs = await scene.update(before, scene.inputs(root));
    assert.equal(outs.live.isVerified, true);
    assert.equal(outs.pending, undefined);
  });

  it("does not undo the verification of a CA that was proved in another way before", async () => {
    const before = await scene.create(scene.inputs(root));
    assert.equal(await scene.changes(before, waiting), false);
    assert.equal(await scene.isVerified(), true);
  });

  it("waits again when somebody verified the CA in the meantime", async () => {
    const before = await scene.create(waiting);
    await scene.uploadedByHand(root, true);
    const refreshed = await scene.refresh(before);
    assert.equal(
      scene.stage.said.at(-1),
      `warning: DPS-CERT-117 at caCertificates.${scene.name}: found verified in DPS by somebody, while this stack waits for its proof; declared: ${shown(root)}; fix: if that is right, give the proof as it was given (offline.signedFile, or selfAttested); otherwise \`up\` makes it wait again`,
    );
    assert.equal(await scene.changes(refreshed, waiting), true);
    const outs = await scene.update(refreshed, waiting);
    assert.equal(await scene.isVerified(), false);
    assert.notEqual(outs.pending!.code, before.pending!.code);
    const proved = await scene.update(outs, given(await signedElsewhere(root, outs.pending!.code)));
    assert.equal(proved.live.isVerified, true);
  });
});

describe("proof of possession offline, where DPS would take an earlier code as well", () => {
  it("asks DPS, and does not end a code that is still good", async () => {
    const scene = await CaStage.open({ newCodeEndsEarlierOnes: false });
    try {
      const root = await TestCa.root("Root A");
      const before = await scene.create(scene.inputs(root, { proof: { offline: {} } }));
      const { code, etag } = before.pending!;
      await scene.client.generateVerificationCode(scene.name, etag);
      scene.stage.reset();
      const signed = await signedElsewhere(root, code);
      const outs = await scene.update(
        before,
        scene.inputs(root, { proof: { offline: { signed } } }),
      );
      assert.equal(outs.live.isVerified, true);
      assert.equal(scene.writes.length, 1);
    } finally {
      await scene.close();
    }
  });
});
