import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Proof } from "../../dynamic-providers/ca-certificate/proof";
import { runSigningCommand } from "../../dynamic-providers/ca-certificate/signing-command";
import { TestCa } from "../support/test-ca";
import { CaStage } from "./ca-stage";
import { failure } from "./stage";

/** A command, as argv, that is a line of JavaScript; further arguments are `process.argv[1]` on. */
const node = (script: string, ...args: string[]): string[] => [
  process.execPath,
  "-e",
  script,
  "--",
  ...args,
];

describe("proof of possession with a key that is at hand, or a command", () => {
  let scene: CaStage;
  let root: TestCa;
  let other: TestCa;
  let folder: string;
  let files: Record<"ca" | "key" | "otherKey", string>;

  before(async () => {
    scene = await CaStage.open();
    root = await TestCa.root("Root A");
    other = await TestCa.root("Root A");
    folder = mkdtempSync(join(tmpdir(), "ca-proof-"));
    const write = (name: string, content: string): string => {
      const path = join(folder, name);
      writeFileSync(path, content, { mode: 0o600 });
      return path;
    };
    files = {
      ca: write("ca.pem", root.pem),
      key: write("ca.key", root.certificate.key),
      otherKey: write("other.key", other.certificate.key),
    };
  });

  after(async () => {
    rmSync(folder, { recursive: true });
    await scene.close();
  });

  beforeEach(() => scene.fresh());

  const create = (proof: Proof) => scene.create(scene.inputs(root, { proof }));

  /** No line of the key's body, and no argument of a command, in a text. */
  function assertSilent(text: string, key: string): void {
    const lines = key.split("\n").slice(1, -2);
    assert.ok(lines.length > 0 && lines.every((line) => !text.includes(line)), text);
  }

  const openssl = (key: string): string[] => [
    ...["openssl", "x509", "-req", "-CA", files.ca, "-CAkey", key],
    ...["-set_serial", "1", "-days", "1"],
  ];

  describe("a key file", () => {
    it("is read when the proof is given, and only its path is kept", async () => {
      const outs = await create({ keyFile: files.key });
      assert.equal(outs.live.isVerified, true);
      assert.ok(!JSON.stringify(outs).includes("PRIVATE KEY"));
    });

    it("is refused before anything is uploaded when it cannot sign, and is not shown", async () => {
      const encrypted = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
        type: "pkcs8",
        format: "pem",
        cipher: "aes-256-cbc",
        passphrase: "x",
      });
      writeFileSync(join(folder, "encrypted.key"), encrypted);
      const rows: [string, string][] = [
        [join(folder, "encrypted.key"), "a private key that is encrypted"],
        [files.otherKey, "a private key that does not belong to the CA certificate"],
        [files.ca, "something that is not a private key in PEM (its content is not shown)"],
        ["/nowhere/root.key", "the key file /nowhere/root.key, which cannot be read (ENOENT)"],
      ];
      for (const [keyFile, found] of rows) {
        const message = await failure(create({ keyFile }));
        assert.equal(
          message,
          `DPS-CERT-116 at caCertificates.${scene.name}.proof.keyFile: found ${found}; fix: give the CA's own private key in PEM, not encrypted (a path is relative to the folder of the program), or let a command sign: proof: { command: [openssl, x509, -req, -CA, …, -CAkey, …] }. Nothing was uploaded`,
        );
      }
      const ofStack = await failure(create({ keyPem: other.certificate.key }));
      assert.match(
        ofStack,
        /^DPS-CERT-116 at caCertificates\.\S+\.proof: found a private key that/,
      );
      assertSilent(ofStack, other.certificate.key);
      assert.deepEqual(scene.writes, []);
    });
  });

  describe("a command that issues the certificate", () => {
    it("signs the request that it is given on its standard input", async () => {
      const outs = await create({ command: openssl(files.key) });
      assert.equal(outs.live.isVerified, true);
      assert.ok(!JSON.stringify(outs).includes("PRIVATE KEY"));
    });

    it("opens an encrypted key file with a pass phrase from the environment", async () => {
      const key = createPrivateKey(root.certificate.key).export({
        type: "pkcs8",
        format: "pem",
        cipher: "aes-256-cbc",
        passphrase: "correct horse",
      });
      writeFileSync(join(folder, "root.encrypted.key"), key);
      process.env["PROOF_TEST_PASSPHRASE"] = "correct horse";
      try {
        const command = openssl(join(folder, "root.encrypted.key"));
        const outs = await create({
          command: [...command, "-passin", "env:PROOF_TEST_PASSPHRASE"],
        });
        assert.equal(outs.live.isVerified, true);
      } finally {
        delete process.env["PROOF_TEST_PASSPHRASE"];
      }
    });

    it("finds the request in a file as well, and the code among its arguments", async () => {
      const script =
        "const fs = require('fs'), [csr, code, ca, key] = process.argv.slice(1);" +
        "const subject = require('child_process').execFileSync('openssl', ['req', '-in', csr, '-noout', '-subject']).toString();" +
        "if (!subject.includes(code)) throw new Error('another code');" +
        "process.stdout.write(require('child_process').execFileSync('openssl', ['x509', '-req', '-in', csr, '-CA', ca, '-CAkey', key, '-set_serial', '1'], { stdio: ['ignore', 'pipe', 'ignore'] }))";
      const command = node(script, "{csr}", "{code}", files.ca, files.key);
      assert.equal((await create({ command })).live.isVerified, true);
      const left = readdirSync(tmpdir()).filter((name) => name.startsWith("proof-of-possession-"));
      assert.deepEqual(left, []);
    });

    it("is not believed: what it prints is judged before it goes to DPS", async () => {
      const print = (pem: string): string[] => node("process.stdout.write(process.argv[1])", pem);
      const leaf = await root.leaf("device-1");
      const rows: [string[], RegExp][] = [
        [print("done"), /found in what the command printed: text without a PEM block/],
        [print(root.pem + leaf.pem), /found in what the command printed: 2 certificate blocks/],
        [print(root.certificate.key), /found in what the command printed: a private key \(its/],
        [
          print(leaf.pem),
          /found a certificate whose common name is device-1, not the code [0-9A-F]{48};/,
        ],
        [openssl(files.otherKey), /found openssl, which ended with exit code 1: .*key/],
        [print(other.pem), /found a certificate that the CA's key has not signed: Root A \(/],
      ];
      for (const [command, found] of rows) {
        const message = await failure(create({ command }));
        assert.match(
          message,
          /^DPS-CERT-115 at caCertificates\.root-\d+\.proof\.command: .*; fix: mend the command and run `pulumi up` again; until then DPS holds the CA certificate as not verified$/s,
        );
        assert.match(message, found);
        assertSilent(message, root.certificate.key);
      }
      assert.ok(!scene.writes.some((write) => write.endsWith("/verify")));
      assert.equal(await scene.isVerified(), false);
    });

    it("says how it failed and what it wrote, without arguments, keys or PINs", async () => {
      const write = "process.stderr.write(process.argv[1]); process.exit(3)";
      const words = `no slot\n${other.certificate.key}\u001b[31mpkcs11:token=a;pin-value=4711;id=1`;
      const message = await failure(create({ command: node(write, words) }));
      assertSilent(message, other.certificate.key);
      const [, found] = /: found (.*); fix: /.exec(message) ?? [];
      assert.equal(
        found,
        `${process.execPath}, which ended with exit code 3: no slot / (a PEM block) / \\u{1b}[31mpkcs11:token=a;pin-value=(not shown);id=1`,
      );
    });

    it("says whether there is such a program, and whether it may be executed", async () => {
      const { PATH } = process.env;
      const noProgram = join(folder, "no-program");
      writeFileSync(noProgram, "", { mode: 0o600 });
      process.env["PATH"] = folder;
      try {
        const found = async (program: string): Promise<string> => {
          const message = await failure(create({ command: [program, "secret"] }));
          return /: found (.*); fix: /.exec(message)![1]!;
        };
        assert.equal(await found("no-such-program"), "no-such-program, which was not found");
        assert.equal(await found(noProgram), `${noProgram}, which may not be executed`);
        assert.equal(
          await found("no-program"),
          "no-program, which was not found in a folder of PATH that may be read, or may not be executed",
        );
      } finally {
        process.env["PATH"] = PATH;
      }
    });

    it("is not given what opens the stack's state", async () => {
      process.env["PULUMI_TEST_SECRET"] = "passphrase";
      try {
        const print = "process.stdout.write(JSON.stringify(process.env))";
        const printed = await runSigningCommand({
          argv: node(print),
          input: Buffer.of(),
          files: {},
        });
        const environment = JSON.parse(printed.toString()) as Record<string, string>;
        assert.equal(environment["PATH"], process.env["PATH"]);
        assert.deepEqual(
          Object.keys(environment).filter((name) => name.startsWith("PULUMI_")),
          [],
        );
      } finally {
        delete process.env["PULUMI_TEST_SECRET"];
      }
    });

    it("has an end, and prints no more than a certificate needs", async () => {
      const run = (script: string, timeLimitMs: number): Promise<unknown> =>
        runSigningCommand({ argv: node(script), input: Buffer.of(), files: {}, timeLimitMs });
      assert.match(
        await failure(run("setInterval(() => 0, 1000)", 100)),
        /, which was stopped after 0\.1 seconds$/,
      );
      assert.match(
        await failure(run("process.stdout.write('x'.repeat(200_000))", 60_000)),
        /, which printed more than 64 KiB$/,
      );
    });

    it("never meets a shell", async () => {
      const trap = join(folder, "trap");
      const command = node("process.exit(1)", `; touch ${trap}`, `$(touch ${trap})`);
      await failure(create({ command }));
      assert.equal(existsSync(trap), false);
    });
  });

  describe("a command that signs", () => {
    it("signs what it is given on its standard input", async () => {
      const signatureCommand = ["openssl", "dgst", "-sha256", "-sign", files.key];
      assert.equal((await create({ signatureCommand })).live.isVerified, true);
    });

    it("may want the digest, as a key vault does, and answer r and s in base64", async () => {
      const script =
        "const c = require('crypto'), [digest, file, tbs, key] = process.argv.slice(1), fs = require('fs');" +
        "const bytes = fs.readFileSync(tbs), hash = c.createHash('sha256').update(bytes).digest();" +
        "if (hash.toString('base64') !== digest || !hash.equals(fs.readFileSync(file))) throw new Error('another digest');" +
        "console.log(c.sign('sha256', bytes, { key: fs.readFileSync(key), dsaEncoding: 'ieee-p1363' }).toString('base64'))";
      const signatureCommand = node(script, "{digest}", "{digestFile}", "{tbs}", files.key);
      assert.equal((await create({ signatureCommand })).live.isVerified, true);
    });

    it("is not believed either", async () => {
      const signatureCommand = ["openssl", "dgst", "-sha256", "-sign", files.otherKey];
      const message = await failure(create({ signatureCommand }));
      assert.match(
        message,
        /^DPS-CERT-115 at caCertificates\.root-\d+\.proof\.signatureCommand: found 7\d bytes that are not a signature with the CA's key \(ECDSA with SHA-256\); fix: mend/,
      );
      assert.ok(!scene.writes.some((write) => write.endsWith("/verify")));
    });
  });
});
