import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { filesIn, found, type Secret, secretsOf, secretsOfKey } from "../../rehearsal/secrets";
import { openSandbox, type TestSandbox } from "../support/sandbox";
import { type PulumiRun, runPulumi } from "../support/pulumi";
import { BadFiles, MISTAKES, type RawConfiguration } from "./files";

const PROJECT = "dps-certificates";
const REPOSITORY = resolve(__dirname, "../..");

/** What the engine asks of the sandbox while it only looks. */
const LOOKS =
  /^GET |^POST .*(\/oauth2\/|\/listkeys$|\/listkeys\/|\/query$)|\/IotHubKeys\/.*\/listkeys$/i;

describe("the dev stack on the real engine", function () {
  this.timeout(180_000);
  let sandbox: TestSandbox;
  let files: BadFiles;
  /** Folder of the stack's configuration; the repository's own stays as it is. */
  let folder: string;
  let up: PulumiRun;
  let requests: string[] = [];

  before(async () => {
    sandbox = await openSandbox();
    files = await BadFiles.make();
    folder = mkdtempSync(join(tmpdir(), "dev-stack-"));
    writeFileSync(join(folder, "Pulumi.yaml"), stringify({ name: PROJECT, runtime: "nodejs" }));
    configure(() => undefined);
    const init = await runPulumi(["stack", "init", "dev", "--no-select"], {
      cwd: folder,
      environment: sandbox.environment(),
    });
    assert.equal(init.exitCode, 0, init.output);
    up = await run("up", "--yes", "--skip-preview");
    assert.equal(up.exitCode, 0, up.output);
    sandbox.sandbox.log.on("request", ({ method, path }) => requests.push(`${method} ${path}`));
  });

  after(async () => {
    await sandbox?.close();
    files?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(() => {
    requests = [];
  });

  afterEach(() => configure(() => undefined));

  /** The repository's configuration with an edit, and with the salt that `stack init` wrote. */
  function configure(edit: (configuration: RawConfiguration) => void): void {
    const file = readFileSync(join(REPOSITORY, "Pulumi.dev.yaml"), "utf8");
    const { config } = parse(file) as { config: Record<string, unknown> };
    const own = Object.entries(config).map(([key, value]) => [
      key.slice(PROJECT.length + 1),
      value,
    ]);
    const configuration = Object.fromEntries(own) as RawConfiguration;
    edit(configuration);
    const entries = Object.entries(configuration).map(([key, value]) => [
      `${PROJECT}:${key}`,
      value,
    ]);
    const text = stringify({ ...salt(), config: Object.fromEntries(entries) as object });
    writeFileSync(join(folder, "Pulumi.dev.yaml"), text);
  }

  function salt(): object {
    try {
      const { encryptionsalt } = parse(readFileSync(join(folder, "Pulumi.dev.yaml"), "utf8")) as {
        encryptionsalt?: string;
      };
      return encryptionsalt === undefined ? {} : { encryptionsalt };
    } catch {
      return {};
    }
  }

  function run(operation: string, ...flags: string[]): Promise<PulumiRun> {
    const configFile = ["--config-file", join(folder, "Pulumi.dev.yaml")];
    return runPulumi([operation, "--stack", "dev", ...configFile, ...flags], {
      cwd: REPOSITORY,
      environment: sandbox.environment(),
    });
  }

  const stackFile = (): string =>
    readFileSync(join(sandbox.folder.state, ".pulumi", "stacks", PROJECT, "dev.json"), "utf8");

  /** Previews with a mistake and answers what a person reads below "Diagnostics". */
  async function mistaken(edit: (configuration: RawConfiguration) => void): Promise<string> {
    configure(edit);
    const before = stackFile();
    const { exitCode, output } = await run("preview");
    assert.notEqual(exitCode, 0, output);
    assert.deepEqual(
      requests.filter((request) => !LOOKS.test(request)),
      [],
    );
    assert.equal(stackFile(), before);
    for (const line of files.keyLines) {
      assert.ok(!output.includes(line), "shows the private key");
    }
    assert.doesNotMatch(
      output,
      /\n\s+at .*:\d+:\d+|node_modules|npm (warn|ERR)|unhandled exception/,
    );
    const [, diagnostics] = /Diagnostics:\n([\s\S]*?)\n\nResources:/.exec(output) ?? [];
    assert(diagnostics !== undefined, output);
    return withoutTarget(diagnostics);
  }

  /** The line that names the target comes before or after, or not at all when the program ends early. */
  function withoutTarget(diagnostics: string): string {
    return diagnostics
      .split(/\n\n(?= {2}\S)/)
      .map((block) =>
        block.replace(/\n+ {4}Target: the sandbox at \S+ Nothing real is changed\./, ""),
      )
      .filter((block) => /^.*:\n/.test(block))
      .join("\n\n")
      .trimEnd();
  }

  for (const title of ["a private key where a certificate is expected", "a misspelt property"]) {
    it(`shows one message for ${title}, and changes nothing`, async () => {
      const mistake = MISTAKES.find((one) => one.title === title)!;
      const shown = await mistaken((configuration) => mistake.edit(configuration, files));
      const [, resource, message] = /^ {2}(.*):\n {4}error: ([\s\S]*)$/.exec(shown) ?? [];
      assert.equal(resource, `pulumi:pulumi:Stack (${PROJECT}-dev)`);
      assert.match(message!.replaceAll("\n    ", "\n").trimEnd(), mistake.message);
    });
  }

  it("shows one message for an expired certificate, and changes nothing", async () => {
    const shown = await mistaken(({ certificates, individualEnrollments }) => {
      certificates["x"] = { file: files.path("expired.pem") };
      individualEnrollments["device-9"] = { primary: { certificate: "x" } };
    });
    assert.match(
      shown,
      /^ {2}\S+RotationManifest \(service\):\n {4}error: \S+RotationManifest resource 'service' has a problem: DPS-CERT-042 at individualEnrollments\.device-9\.primary\.certificate: found a new certificate that is already expired: device-9 \(.*\); fix: use a certificate that is valid now$/,
    );
  });

  it("previews without a change after that, and without a write", async () => {
    const { exitCode, output } = await run("preview", "--expect-no-changes");
    assert.equal(exitCode, 0, output);
    assert.match(output, /Target: the sandbox at \S+\. Nothing real is changed\./);
    assert.deepEqual(
      requests.filter((request) => !LOOKS.test(request)),
      [],
    );
  });

  it("has no secret in clear in its state, its configuration or its output", async () => {
    const outputs = await runPulumi(
      ["stack", "output", "--stack", "dev", "--json", "--show-secrets"],
      { cwd: folder, environment: sandbox.environment() },
    );
    const { devCertificates } = JSON.parse(outputs.output) as {
      devCertificates: Record<string, { privateKey: string }>;
    };
    const names = Object.keys(devCertificates);
    assert.equal(names.length, 5);
    const keys = names.flatMap((name) => secretsOfKey(name, devCertificates[name]!.privateKey));
    const secrets: Secret[] = [
      ...secretsOf(sandbox.sandbox, sandbox.endpoints().arm.clientSecret),
      ...keys,
      { what: "the passphrase", value: sandbox.environment()["PULUMI_CONFIG_PASSPHRASE"]! },
    ];
    // The search finds what is there to be found.
    assert.ok(found(outputs.output, keys).length >= names.length);
    const places = [
      { file: "output of pulumi up", text: up.output },
      ...filesIn(sandbox.folder.state),
      ...filesIn(folder),
    ];
    assert.ok(places.some(({ file }) => file.endsWith("dev.json")));
    assert.deepEqual(
      places.flatMap(({ file, text }) => found(text, secrets).map((what) => `${what} in ${file}`)),
      [],
    );
  });
});
