import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { summarize } from "../../certificates/summary";
import type { Proof } from "../../dynamic-providers/ca-certificate/proof";
import { CaStage } from "./ca-stage";

/** Where Debian and others put SoftHSM's PKCS #11 module. */
const MODULES = [
  "/usr/lib/softhsm/libsofthsm2.so",
  "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
  "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
  "/usr/local/lib/softhsm/libsofthsm2.so",
];

describe("proof of possession with a key in a hardware security module (SoftHSM)", () => {
  let scene: CaStage;
  let folder: string;
  let pem: string;
  /** The key, as OpenSSL's PKCS #11 engine finds it; the PIN is in a file. */
  let uri: string;
  const environment: Record<string, string> = {};
  const before_: Record<string, string | undefined> = {};

  before(async function () {
    const module = MODULES.find((path) => existsSync(path));
    const lacking = [
      ...(module === undefined ? ["softhsm2"] : []),
      ...(runs("pkcs11-tool", "--help") ? [] : ["opensc"]),
      ...(engineLoads() ? [] : ["libengine-pkcs11-openssl"]),
    ];
    if (module === undefined || lacking.length > 0) {
      console.log(`    left out: this machine lacks the packages ${lacking.join(", ")}`);
      return this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), "soft-hsm-"));
    mkdirSync(join(folder, "tokens"));
    const configuration = join(folder, "softhsm2.conf");
    writeFileSync(configuration, `directories.tokendir = ${join(folder, "tokens")}\n`);
    const pin = join(folder, "pin");
    writeFileSync(pin, "4711", { mode: 0o600 });
    Object.assign(environment, { SOFTHSM2_CONF: configuration, PKCS11_MODULE_PATH: module });
    for (const [name, value] of Object.entries(environment)) {
      before_[name] = process.env[name];
      process.env[name] = value;
    }
    quietly(
      "softhsm2-util",
      "--init-token",
      "--free",
      "--label",
      "plant",
      "--so-pin",
      "0815",
      "--pin",
      "4711",
    );
    const login = ["--module", module, "--token-label", "plant", "--login", "--pin", "4711"];
    quietly(
      "pkcs11-tool",
      ...login,
      "--keypairgen",
      "--key-type",
      "EC:prime256v1",
      "--label",
      "root",
      "--usage-sign",
    );
    uri = `pkcs11:token=plant;object=root;type=private;pin-source=file:${pin}`;
    const file = join(folder, "ca.pem");
    const subject = ["-subj", "/CN=Root HSM", "-addext", "basicConstraints=critical,CA:TRUE"];
    quietly(
      "openssl",
      "req",
      "-x509",
      "-new",
      "-engine",
      "pkcs11",
      "-keyform",
      "engine",
      "-key",
      uri,
      ...subject,
      "-days",
      "30",
      "-out",
      file,
    );
    pem = readFileSync(file, "utf8");
    scene = await CaStage.open();
  });

  after(async () => {
    await scene?.close();
    for (const name of Object.keys(environment)) {
      if (before_[name] === undefined) delete process.env[name];
      else process.env[name] = before_[name];
    }
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  beforeEach(() => scene.fresh());

  async function proved(proof: Proof): Promise<void> {
    const outs = await scene.create({
      connection: scene.stage.connection,
      name: scene.name,
      pem,
      certificate: summarize(pem),
      proof,
    });
    assert.equal(outs.live.isVerified, true);
    assert.equal(await scene.isVerified(), true);
    assert.ok(!JSON.stringify(outs).includes("4711"));
  }

  it("issues the verification certificate with openssl", async () => {
    const ca = ["-CA", join(folder, "ca.pem"), "-CAkey", uri, "-CAkeyform", "engine"];
    const command = ["openssl", "x509", "-req", "-engine", "pkcs11", ...ca];
    await proved({ command: [...command, "-set_serial", "1", "-days", "1"] });
  });

  it("signs the verification certificate with openssl", async () => {
    const key = ["-engine", "pkcs11", "-keyform", "engine", "-sign", uri];
    await proved({ signatureCommand: ["openssl", "dgst", "-sha256", ...key] });
  });

  it("signs its digest, which is all that the module sees", async () => {
    process.env["PROOF_TEST_PIN"] = "4711";
    try {
      const module = environment["PKCS11_MODULE_PATH"]!;
      const tool = ["pkcs11-tool", "--module", module, "--token-label", "plant", "--login"];
      const sign = ["--sign", "--mechanism", "ECDSA", "--label", "root"];
      const input = ["--input-file", "{digestFile}"];
      await proved({
        signatureCommand: [...tool, "--pin", "env:PROOF_TEST_PIN", ...sign, ...input],
      });
    } finally {
      delete process.env["PROOF_TEST_PIN"];
    }
  });

  it("lets nobody take the key out", () => {
    const login = ["--token-label", "plant", "--login", "--pin", "4711"];
    const objects = execFileSync(
      "pkcs11-tool",
      ["--module", environment["PKCS11_MODULE_PATH"]!, ...login, "--list-objects"],
      { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    );
    assert.match(
      objects,
      /Private Key Object; EC[\s\S]*Access:\s+sensitive, always sensitive, never extractable/,
    );
  });
});

function runs(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}

function engineLoads(): boolean {
  try {
    return /available/.test(
      execFileSync("openssl", ["engine", "-t", "pkcs11"], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }),
    );
  } catch {
    return false;
  }
}

function quietly(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: "pipe" });
}
