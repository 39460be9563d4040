import assert from "node:assert/strict";
import { chainTo, issues, signedWithKeyOf } from "../../certificates/chain";
import { below, leaf, root } from "./fixtures";

describe("who issued whom", () => {
  it("is judged by the signature, not by names", async () => {
    const ca = await root("Root A");
    const impostor = await root("Root A");
    const device = await leaf(ca, "device-1");
    assert.equal(issues(ca.pem, device.pem), true);
    assert.equal(issues(impostor.pem, device.pem), false);
    assert.equal(issues(device.pem, ca.pem), false);
    assert.equal(issues(ca.pem, ca.pem), true);
  });

  it("asks the issuer to be a CA, but the search for a stolen key does not ask for names", async () => {
    const notCa = await root("Root A", { ca: false });
    const device = await leaf(notCa, "device-1");
    assert.equal(issues(notCa.pem, device.pem), false);
    const ca = await root("Root B");
    const twin = await root("Another name", { keys: ca.certificate.keys });
    const other = await leaf(ca, "device-2");
    assert.equal(issues(twin.pem, other.pem), false);
    assert.equal(signedWithKeyOf(twin.pem, other.pem), true);
  });

  it("finds the chain to an anchor by way of the candidates", async () => {
    const ca = await root("Root A");
    const upper = await below(ca, "Upper");
    const lower = await below(upper, "Lower");
    const device = await leaf(lower, "device-1");
    assert.deepEqual(chainTo(device.pem, [ca.pem], [lower.pem, upper.pem]), [
      device.pem,
      lower.pem,
      upper.pem,
      ca.pem,
    ]);
    assert.deepEqual(chainTo(lower.pem, [ca.pem, upper.pem]), [lower.pem, upper.pem]);
    assert.deepEqual(chainTo(ca.pem, [ca.pem]), [ca.pem]);
    assert.equal(chainTo(device.pem, [ca.pem], [upper.pem]), undefined);
    assert.equal(
      chainTo(device.pem, [(await root("Root B")).pem], [lower.pem, upper.pem]),
      undefined,
    );
  });

  it("ends on cross-signed certificates that go round", async () => {
    const a = await root("A");
    const b = await root("B");
    const aByB = await b.intermediate("A", { keys: a.certificate.keys });
    const bByA = await a.intermediate("B", { keys: b.certificate.keys });
    const device = await leaf(a, "device-1");
    const stranger = await root("Stranger");
    assert.equal(chainTo(device.pem, [stranger.pem], [aByB.pem, bByA.pem]), undefined);
    assert.equal(chainTo(device.pem, [b.pem], [aByB.pem, bByA.pem])?.length, 3);
  });
});
