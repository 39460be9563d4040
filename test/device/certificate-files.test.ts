import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CertificateFiles, readPair } from "../../device/certificate-files";
import { type Issued, TestCa } from "../support/test-ca";

describe("certificate files of a device", () => {
  let folder: string;
  let chain: string;
  let key: string;
  let old: Issued;
  let renewed: Issued;

  before(async () => {
    const ca = await (await TestCa.root("Root")).intermediate("Plant");
    old = await ca.leaf("truck-7");
    renewed = await ca.leaf("truck-7");
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "device-"));
    chain = join(folder, "chain.pem");
    key = join(folder, "key.pem");
    writeFileSync(chain, old.chainPem);
    writeFileSync(key, old.key);
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it("tells the leaf's common name, thumbprint and expiry", async () => {
    const pair = await readPair(chain, key);
    assert.equal(pair?.commonName, "truck-7");
    assert.equal(pair.thumbprint, old.thumbprint);
    assert.match(pair.expires, /^\d{4}-.*Z$/);
    assert.equal(pair.chain, old.chainPem);
  });

  it("tells who issued the leaf, when the chain says so", async () => {
    const ca = await (await TestCa.root("Root")).intermediate("Plant");
    const other = await (await TestCa.root("Root")).intermediate("Plant");
    const leaf = await ca.leaf("truck-7");
    writeFileSync(key, leaf.key);
    // Another CA of the same name stands before the right one.
    writeFileSync(chain, leaf.pem + other.pem + ca.pem);
    assert.equal((await readPair(chain, key))?.issuer?.thumbprint, ca.certificate.thumbprint);
    writeFileSync(chain, leaf.pem + other.pem);
    assert.equal((await readPair(chain, key))?.issuer, undefined);
    writeFileSync(chain, leaf.pem);
    assert.equal((await readPair(chain, key))?.issuer, undefined);
  });

  it("keeps the old pair until the new key is there too", async () => {
    const files = new CertificateFiles(chain, key);
    assert.equal((await files.latest()).thumbprint, old.thumbprint);
    writeFileSync(chain, renewed.chainPem);
    assert.equal((await files.latest()).thumbprint, old.thumbprint);
    writeFileSync(key, renewed.key);
    assert.equal((await files.latest()).thumbprint, renewed.thumbprint);
  });

  it("takes a file that was put in place by a rename", async () => {
    const files = new CertificateFiles(chain, key);
    await files.latest();
    for (const [file, content] of [
      [key, renewed.key],
      [chain, renewed.chainPem],
    ] as const) {
      writeFileSync(`${file}.new`, content);
      renameSync(`${file}.new`, file);
    }
    assert.equal((await files.latest()).thumbprint, renewed.thumbprint);
  });

  it("lives on when a file is missing, half written or no certificate", async () => {
    const files = new CertificateFiles(chain, key);
    await files.latest();
    for (const content of ["", renewed.chainPem.slice(0, 200), "no certificate"]) {
      writeFileSync(chain, content);
      assert.equal((await files.latest()).thumbprint, old.thumbprint);
    }
    rmSync(chain);
    assert.equal((await files.latest()).thumbprint, old.thumbprint);
  });

  it("says so when there never was a pair", async () => {
    rmSync(key);
    await assert.rejects(
      new CertificateFiles(chain, key).latest(),
      /are not a certificate and its key/,
    );
  });
});
