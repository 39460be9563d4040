import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { found, secretsOfKey } from "../../rehearsal/secrets";
import { TestCa } from "../support/test-ca";

describe("the search for secrets in clear", () => {
  const ec = (): string =>
    generateKeyPairSync("ec", { namedCurve: "P-256" })
      .privateKey.export({ type: "pkcs8", format: "pem" })
      .toString();

  it("finds a key in PKCS#8, in SEC 1 and in a JSON string, without its PEM frame", () => {
    const pem = ec();
    const sec1 = createPrivateKey(pem).export({ type: "sec1", format: "pem" }).toString();
    for (const written of [pem, sec1]) {
      const body = written.replace(/-----[^-]+-----/g, "").trim();
      const text = JSON.stringify({ stored: `before ${body} after` });
      assert.deepEqual(found(text, secretsOfKey("root-a", pem)), ["the private key of root-a"]);
    }
  });

  it("does not take a certificate for the key that it belongs to", async () => {
    const { pem, key } = await TestCa.selfSigned("device-1");
    assert.deepEqual(found(JSON.stringify({ pem }), secretsOfKey("device-1", key)), []);
  });

  it("finds keys, connection strings, signatures and tokens by their shape", () => {
    const base64 = randomBytes(32).toString("base64");
    const token = ["header", "payload", "signature"]
      .map((part) => Buffer.from(`{"${part}":"${"x".repeat(30)}"}`).toString("base64url"))
      .join(".");
    assert.deepEqual(found(ec(), []), ["a private key"]);
    assert.deepEqual(found(`HostName=h;SharedAccessKey=${base64}`, []), ["a shared access key"]);
    assert.deepEqual(found(`SharedAccessSignature sr=h&sig=1`, []), ["a shared access signature"]);
    assert.deepEqual(found(`Bearer ${token}`, []), ["an access token"]);
  });

  it("lets masked and encrypted values pass", () => {
    assert.deepEqual(found("SharedAccessKey=****", []), []);
    assert.deepEqual(found("SharedAccessKey=[secret]", []), []);
    assert.deepEqual(found('{"ciphertext":"v1:abc:def"}', []), []);
  });

  it("finds a known value, and says what it is but not the value", () => {
    const secrets = [{ what: "iothubowner key of hub-1", value: "cHJpdmF0ZQ==" }];
    assert.deepEqual(found("key: cHJpdmF0ZQ==", secrets), ["iothubowner key of hub-1"]);
  });
});
