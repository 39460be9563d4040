import assert from "node:assert/strict";
import { summarize } from "../../certificates/summary";
import type { CaCertificateOutputs } from "../../dynamic-providers/ca-certificate/live";
import { TestCa } from "../support/test-ca";
import { shown } from "../certificates/fixtures";
import { CaStage } from "./ca-stage";
import { failure, stolen } from "./stage";

describe("CA certificates that somebody changed by hand", () => {
  let scene: CaStage;
  let root: TestCa;
  let other: TestCa;
  let created: CaCertificateOutputs;

  before(async () => {
    scene = await CaStage.open();
    root = await TestCa.root("Root A");
    other = await TestCa.root("Root B");
  });

  after(() => scene.close());

  beforeEach(async () => {
    await scene.fresh();
    created = await scene.create(scene.inputs(root));
    scene.stage.reset();
  });

  const reenabled = (reason = "inspected") => scene.inputs(root, { reenable: reason });

  const lost = (what: string): string =>
    `warning: DPS-CERT-117 at caCertificates.${scene.name}: found ${shown(root)}, ${what}; it stays so; fix: if it is wanted back, name caCertificates.${scene.name} in reenable with a reason; otherwise remove it here`;

  it("deleted: said at each refresh and preview, left so, and uploaded again on request", async () => {
    await scene.deletedByHand();
    scene.stage.reset();
    const refreshed = await scene.refresh(created);
    assert.equal(refreshed.live.deleted, true);
    assert.equal(scene.said, lost("deleted from DPS by somebody"));

    scene.stage.reset();
    assert.equal(await scene.changes(refreshed, scene.inputs(root)), false);
    assert.equal(scene.said, lost("deleted from DPS by somebody"));
    // Another change of the resource does not bring it back by the way.
    const kept = await scene.update(refreshed, scene.inputs(root, { retain: true }));
    assert.equal(await scene.isVerified(), undefined);
    assert.equal(kept.live.deleted, true);

    assert.equal(await scene.changes(kept, reenabled()), true);
    const back = await scene.update(kept, reenabled());
    assert.equal(back.live.isVerified, true);
    assert.equal(back.live.deleted, undefined);
    assert.equal(await scene.isVerified(), true);
  });

  it("deleted, and not seen by a refresh: an update does not bring it back either", async () => {
    await scene.deletedByHand();
    const outs = await scene.update(created, scene.inputs(root, { retain: true }));
    assert.equal(outs.live.deleted, true);
    assert.equal(await scene.isVerified(), undefined);
    // Its removal from the configuration has nothing left to do.
    await scene.delete(outs);
  });

  it("unverified: left so, and proved again on request, once for each reason", async () => {
    await scene.uploadedByHand(root, false);
    const refreshed = await scene.refresh(created);
    assert.equal(scene.said, lost("not verified in DPS any more"));
    assert.equal(await scene.changes(refreshed, scene.inputs(root)), false);

    const back = await scene.update(refreshed, reenabled());
    assert.equal(back.live.isVerified, true);
    assert.equal(await scene.changes(back, reenabled()), false);

    await scene.uploadedByHand(root, false);
    const later = await scene.refresh(back);
    assert.equal(await scene.changes(later, reenabled()), false);
    assert.equal(await scene.changes(later, reenabled("inspected again")), true);
  });

  it("does not keep a reason in store for a later deletion", async () => {
    assert.equal(await scene.changes(created, reenabled()), true);
    const outs = await scene.update(created, reenabled());
    assert.deepEqual(scene.writes, []);
    await scene.deletedByHand();
    assert.equal(await scene.changes(await scene.refresh(outs), reenabled()), false);
  });

  it("another certificate under its name: put right by `up`, while a group refers to it", async () => {
    await scene.stage.putGroup("plant", { primary: scene.name });
    await scene.uploadedByHand(other, true);
    scene.stage.reset();
    const refreshed = await scene.refresh(created);
    assert.equal(refreshed.live.subject, "Root B");
    assert.equal(
      scene.said,
      `warning: DPS-CERT-117 at caCertificates.${scene.name}: found another certificate under its name in DPS: Root B, SHA-1 ${summarize(other.pem).sha1Thumbprint}; declared: ${shown(root)}; fix: find out who did it; \`up\` puts the declared certificate back`,
    );
    assert.equal(await scene.changes(refreshed, scene.inputs(root)), true);
    const outs = await scene.update(refreshed, scene.inputs(root));
    assert.equal(outs.live.subject, "Root A");
    assert.equal(outs.live.isVerified, true);
    assert.equal((await scene.client.get(scene.name))?.thumbprint, outs.live.sha1Thumbprint);
  });

  it("goes on where a run was killed between putting it right and the proof", async () => {
    await scene.uploadedByHand(other, true);
    const refreshed = await scene.refresh(created);
    await scene.uploadedByHand(root, false);
    const outs = await scene.update(refreshed, scene.inputs(root));
    assert.equal(outs.live.isVerified, true);
  });

  it("is not deleted by the stack when another certificate has its name", async () => {
    await scene.uploadedByHand(other, true);
    const refreshed = await scene.refresh(created);
    assert.match(
      await failure(scene.delete(refreshed)),
      /^DPS-CERT-160 .*did not write, and does not delete: in DPS Root B, SHA-1 [0-9A-F]{40}; fix: /,
    );
  });
});

describe("CA certificates that are in DPS already", () => {
  let scene: CaStage;
  let root: TestCa;

  before(async () => {
    scene = await CaStage.open();
    root = await TestCa.root("Root A");
  });

  after(() => scene.close());

  beforeEach(() => scene.fresh());

  /** Declared with `adopt`, and without a proof. */
  function adopted(ca: TestCa) {
    const inputs = scene.inputs(ca, { adopt: true });
    delete inputs.proof;
    return inputs;
  }

  it("are adopted without a write, and let go of again without one", async () => {
    await scene.uploadedByHand(root, true);
    await scene.stage.putGroup("plant", { primary: scene.name });
    const etag = await scene.etag();
    scene.stage.reset();
    const outs = await scene.create(adopted(root));
    assert.equal(outs.live.isVerified, true);
    assert.equal(await scene.changes(outs, adopted(root)), false);
    await scene.delete(outs);
    assert.match(scene.said, /is let go of, and stays in DPS as it is/);
    assert.deepEqual(scene.stage.writes, []);
    assert.equal(await scene.etag(), etag);
  });

  it("are deleted all the same when that is declared, or when the key is compromised", async () => {
    await scene.uploadedByHand(root, true);
    const outs = await scene.create(adopted(root));
    const managed = { ...adopted(root), retain: false };
    assert.equal(await scene.changes(outs, managed), true);
    await scene.delete(await scene.update(outs, managed));
    assert.equal(await scene.isVerified(), undefined);

    await scene.uploadedByHand(root, true);
    const again = await scene.create(adopted(root));
    const breached = { ...adopted(root), compromised: stolen(root) };
    assert.equal(await scene.changes(again, breached), true);
    scene.stage.reset();
    const known = await scene.update(again, breached);
    assert.deepEqual(scene.writes, []);
    await scene.delete(known);
    assert.equal(await scene.isVerified(), undefined);
  });

  it("are refused when they are not what is declared", async () => {
    const path = `DPS-CERT-118 at caCertificates.${scene.name}.adopt: found `;
    assert.equal(
      await failure(scene.create(adopted(root))),
      `${path}no CA certificate \`${scene.name}\` in DPS; fix: remove adopt, and it is uploaded; or give the name that it has in DPS`,
    );
    await scene.uploadedByHand(await TestCa.root("Root B"), true);
    scene.stage.reset();
    assert.match(
      await failure(scene.create(adopted(root))),
      /found another certificate in DPS: Root B, SHA-1 [0-9A-F]{40}; declared: Root A \(.*\), SHA-1 [0-9A-F]{40}; fix: declare the certificate that is there, or give this one another name$/,
    );
    assert.deepEqual(scene.writes, []);
  });

  it("are refused unverified without a proof, and verified with one", async () => {
    await scene.uploadedByHand(root, false);
    assert.match(
      await failure(scene.create(adopted(root))),
      /found Root A \(.*\), which is not verified in DPS; fix: give a proof of possession$/,
    );
    const outs = await scene.create(scene.inputs(root, { adopt: true }));
    assert.equal(outs.live.isVerified, true);
  });
});
