/**
 * A preview as a pull request's run has it: on a copy of the state that has no secrets, without the
 * passphrase, with an identity whose every write and every listing of keys would be seen here.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Copy, copyState, CopyError } from "../../gitops/state-copy";
import { withoutSecrets } from "../../gitops/without-secrets";
import { runPulumi } from "../support/pulumi";
import { openSandbox, type TestSandbox } from "../support/sandbox";
import { TestStack } from "../support/stack";
import { TestCa } from "../support/test-ca";

const REPOSITORY = join(__dirname, "../..");

describe("the copy of a state without its secrets", function () {
  this.timeout(240_000);
  let sandbox: TestSandbox;
  let stack: TestStack;
  let copy: string;

  before(async () => {
    sandbox = await openSandbox();
    stack = await TestStack.open(sandbox, "prod", {});
    const root = await TestCa.root("Root");
    for (const name of ["a", "b"]) {
      writeFileSync(join(stack.folder, `${name}.pem`), (await root.leaf("device-1")).pem);
    }
    configure("a");
    await stack.succeeds("up", "--yes", "--skip-preview");
    copy = mkdtempSync(join(tmpdir(), "state-copy-"));
  });

  after(async () => {
    stack?.remove();
    await sandbox?.close();
    if (copy !== undefined) rmSync(copy, { recursive: true, force: true });
  });

  function configure(primary: string, secondary?: string, after?: string): void {
    const slot = (name: string) => ({ certificate: name });
    stack.configure({
      target: "sandbox",
      service: { name: "dps-prod", resourceGroup: "rg", location: "westus" },
      hubs: [{ name: "hub-prod" }],
      certificates: {
        a: { file: join(stack.folder, "a.pem") },
        b: { file: join(stack.folder, "b.pem") },
      },
      individualEnrollments: {
        "device-1": { primary: slot(primary), ...(secondary && { secondary: slot(secondary) }) },
      },
      ...(after !== undefined && { promotion: { after } }),
    });
  }

  /** The environment of a run that knows neither passphrase nor the stack's own backend. */
  function withoutPassphrase(): Record<string, string> {
    const variables = sandbox.environment();
    delete variables["PULUMI_CONFIG_PASSPHRASE"];
    return variables;
  }

  let variables: Record<string, string>;

  async function made(name = "prod"): Promise<Omit<Copy, "variables">> {
    const before = { ...process.env };
    delete process.env["PULUMI_CONFIG_PASSPHRASE"];
    Object.assign(process.env, withoutPassphrase());
    try {
      writeFileSync(
        join(stack.folder, "Pulumi.yaml"),
        readFileSync(join(REPOSITORY, "Pulumi.yaml")),
      );
      const { variables: needed, ...rest } = await copyState(stack.folder, name, copy);
      variables = needed;
      return rest;
    } finally {
      process.env = before;
    }
  }

  async function copied(): Promise<Record<string, string>> {
    await made();
    return variables;
  }

  const preview = (variables: Record<string, string>, ...flags: string[]) =>
    runPulumi(
      ["preview", "--stack", "prod", "--config-file", join(copy, "Pulumi.prod.yaml"), ...flags],
      { cwd: REPOSITORY, environment: { ...withoutPassphrase(), ...variables } },
    );

  it("previews to nothing where nothing changes, and neither writes nor lists a key", async () => {
    await made();
    const asked: string[] = [];
    const hear = ({ method, path }: { method: string; path: string }) =>
      asked.push(`${method} ${path}`);
    sandbox.sandbox.log.on("request", hear);
    const { exitCode, output } = await preview(variables, "--expect-no-changes");
    sandbox.sandbox.log.off("request", hear);
    assert.equal(exitCode, 0, output);
    assert.ok(asked.length > 0);
    assert.deepEqual(
      asked.filter((one) => /listkeys/i.test(one) || /^(PUT|PATCH|DELETE) /.test(one)),
      [],
    );
  });

  it("names the roll of a change", async () => {
    configure("a", "b");
    rmSync(copy, { recursive: true });
    const { exitCode, output } = await preview(await copied());
    assert.equal(exitCode, 0, output);
    assert.match(output, /expiration roll of individual enrollment `device-1`: prepare/);
    assert.match(output, /IndividualEnrollment device-1 update/);
    assert.doesNotMatch(output, /IotDpsResource/);
  });

  it("is made without the stack before, where that does not exist, and says so", async () => {
    configure("a", undefined, "staging");
    rmSync(copy, { recursive: true });
    assert.deepEqual(await made(), { stacks: ["prod"], missing: "staging" });
    configure("a", "b");
    await assert.rejects(
      made("another"),
      /^CopyError: There is no stack another in this backend\.$/,
    );
    rmSync(copy, { recursive: true });
    await made();
  });

  it("holds no secret, in any file", async () => {
    const original = stack.state();
    const ciphers = original.match(/v1:[A-Za-z0-9+/]{10,}:[A-Za-z0-9+/=]+/g) ?? [];
    assert.ok(ciphers.length > 0, "the stack's own state has secrets");
    for (const file of readdirSync(copy, { recursive: true, encoding: "utf8" })) {
      try {
        const text = readFileSync(join(copy, file), "utf8");
        assert.deepEqual(
          ciphers.filter((cipher) => text.includes(cipher)),
          [],
          file,
        );
        // Azure masks the key in its answers.
        assert.doesNotMatch(text, /SharedAccessKey=[^*]/, file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EISDIR") throw error;
      }
    }
  });

  it("is refused for an update", async () => {
    process.env["DPS_CERTIFICATES_READ_ONLY"] = "1";
    try {
      const { exitCode, output } = await stack.run("up", "--yes", "--skip-preview");
      assert.notEqual(exitCode, 0);
      assert.match(
        output,
        /error: DPS-CERT-183 at DPS_CERTIFICATES_READ_ONLY: found an update; fix: unset it/,
      );
    } finally {
      delete process.env["DPS_CERTIFICATES_READ_ONLY"];
    }
  });

  it("says what to do with encrypted values in the configuration", async () => {
    const file = join(stack.folder, "Pulumi.prod.yaml");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, `${before}  dps-certificates:extra:\n    secure: v1:abc:def\n`);
    rmSync(copy, { recursive: true });
    await assert.rejects(copied(), (error: Error) => {
      assert.ok(error instanceof CopyError);
      assert.match(
        error.message,
        /^Pulumi\.prod\.yaml: found encrypted values \(dps-certificates:extra\)/,
      );
      return true;
    });
    writeFileSync(file, before);
  });
});

describe("a deployment without secrets", () => {
  it("says nothing of secrets, has lists for lists, and the rest as it is", () => {
    const secret = (ciphertext: string) => ({
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      ciphertext,
    });
    const of = (resources: unknown, more = {}) => ({
      version: 3,
      deployment: { resources, ...more },
    });
    const inputs = { name: "x", connectionString: secret("one"), journal: secret("two") };
    assert.deepEqual(
      withoutSecrets(of([{ inputs }], { secrets_providers: { type: "passphrase" } })),
      {
        ...of([
          {
            inputs: {
              name: "x",
              connectionString: "not read",
              journal: [],
            },
          },
        ]),
      },
    );
  });
});
