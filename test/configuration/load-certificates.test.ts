import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatFault } from "../../certificates/faults";
import { judge } from "../../certificates/rules";
import { readConfiguration } from "../../configuration/configuration";
import {
  declare,
  loadCertificates,
  loadProofs,
  withMade,
} from "../../configuration/load-certificates";
import { known, leaf, NOW, root } from "../certificates/fixtures";

describe("loading the certificates of a configuration", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "certificates-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("reads files relative to the folder, and leaves dev certificates to be made", async () => {
    const ca = await root("Root A");
    mkdirSync(join(folder, "certs"));
    writeFileSync(join(folder, "certs/root.pem"), ca.pem.replaceAll("\n", "\r\n"));
    const { certificates, faults } = loadCertificates(
      {
        root: { file: "certs/root.pem" },
        dev: { dev: { commonName: "Dev", days: 1, key: "ecdsa-p256", ca: true } },
        device: {
          dev: { commonName: "device-1", days: 1, key: "ecdsa-p256", ca: false, issuer: "dev" },
        },
      },
      folder,
    );
    assert.deepEqual(faults, []);
    assert.deepEqual(certificates, {
      root: known(ca),
      dev: { known: false, commonName: "Dev", isCa: true },
      device: { known: false, commonName: "device-1", isCa: false, issuer: "dev" },
    });
    const made = await root("Dev");
    assert.deepEqual(withMade(certificates, { dev: made.pem })["dev"], known(made));
  });

  it("says what is wrong with each file, and never shows a key", async () => {
    const issued = await leaf(await root("Root A"), "device-1");
    writeFileSync(join(folder, "key.pem"), issued.key);
    writeFileSync(join(folder, "cert.der"), issued.der);
    writeFileSync(join(folder, "large.pem"), Buffer.alloc(1024 * 1024 + 1, "x"));
    const { certificates, faults } = loadCertificates(
      {
        missing: { file: "missing.pem" },
        folder: { file: "." },
        key: { file: "key.pem" },
        der: { file: "cert.der" },
        large: { file: "large.pem" },
        inline: { file: issued.key },
      },
      folder,
    );
    assert.deepEqual(certificates, {});
    const text = faults.map(formatFault);
    assert.deepEqual(
      text.map((line) => line.split("; fix")[0]),
      [
        "DPS-CERT-012 at certificates.missing.file: found the text missing.pem, which does not exist",
        "DPS-CERT-012 at certificates.folder.file: found the text ., which is not a file",
        "DPS-CERT-002 at certificates.key.file: found a private key (its content is not shown)",
        "DPS-CERT-003 at certificates.der.file: found a certificate in DER",
        "DPS-CERT-012 at certificates.large.file: found the text large.pem, which is too large for a certificate",
        `DPS-CERT-012 at certificates.inline.file: found text of ${issued.key.length} characters (not shown) where the path of a file is expected`,
      ],
    );
    assert.ok(!text.join().includes(issued.key.split("\n")[1]?.slice(0, 16) ?? ""));
  });

  it("makes of a configuration what is judged", () => {
    const configuration = readConfiguration({
      service: { name: "dps-a", resourceGroup: "fleet", location: "westeurope" },
      certificates: {
        root: { dev: { commonName: "Root", days: 3650 } },
        device: { dev: { issuer: "root", commonName: "device-1", days: 90 } },
      },
      caCertificates: { root: { certificate: "root" } },
      enrollmentGroups: { sensors: { primary: { ca: "root" } } },
      individualEnrollments: { "device-1": { primary: { certificate: "device" } } },
    });
    const { certificates } = loadCertificates(configuration.certificates, folder);
    const { faults, rolls } = judge(undefined, declare(configuration, certificates), NOW);
    assert.deepEqual(faults, []);
    assert.deepEqual(
      rolls.map(({ words }) => words),
      ["new enrollment group `sensors`", "new individual enrollment `device-1`"],
    );
  });

  it("reads verification certificates that came back, and judges them where the CA is known", async () => {
    const [ca, other] = [await root("Root A"), await root("Root B")];
    writeFileSync(join(folder, "signed.pem"), (await leaf(ca, "C0DE")).pem);
    writeFileSync(join(folder, "ca.key"), ca.certificate.key);
    const offline = (certificate: string, signedFile?: string) => ({
      certificate,
      adopt: false,
      proof: { offline: signedFile === undefined ? {} : { signedFile } },
    });
    const { signed, faults } = loadProofs(
      {
        fits: offline("a", "signed.pem"),
        later: offline("made", "signed.pem"),
        waits: offline("a"),
        stranger: offline("b", "signed.pem"),
        key: offline("a", "ca.key"),
        gone: offline("a", "gone.pem"),
      },
      { a: known(ca), b: known(other), made: { known: false } },
      folder,
    );
    assert.deepEqual(Object.keys(signed), ["fits", "later"]);
    assert.deepEqual(
      faults.map((fault) =>
        formatFault(fault)
          .split("; fix")[0]
          ?.replace(/\(SHA-256.*\)/, "(…)"),
      ),
      [
        "DPS-CERT-114 at caCertificates.stranger.proof.offline.signedFile: found a certificate that the CA's key has not signed: C0DE (…)",
        "DPS-CERT-002 at caCertificates.key.proof.offline.signedFile: found a private key (its content is not shown)",
        "DPS-CERT-012 at caCertificates.gone.proof.offline.signedFile: found the text gone.pem, which does not exist",
      ],
    );
  });
});
