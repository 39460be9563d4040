import assert from "node:assert/strict";
import { filesIn, found, type Secret, secretsOf, secretsOfKey } from "../../rehearsal/secrets";
import { openSandbox, type TestSandbox } from "../support/sandbox";
import type { PulumiRun } from "../support/pulumi";
import { devConfiguration, TestStack } from "../support/stack";
import { BadFiles, MISTAKES, type RawConfiguration } from "./files";

const PROJECT = "dps-certificates";

/** What the engine asks of the sandbox while it only looks. */
const LOOKS =
  /^(GET|HEAD) |^POST .*(\/oauth2\/|\/listkeys$|\/listkeys\/|\/query$)|\/IotHubKeys\/.*\/listkeys$/i;

describe("the dev stack on the real engine", function () {
  this.timeout(180_000);
  let sandbox: TestSandbox;
  let files: BadFiles;
  let stack: TestStack;
  let up: PulumiRun;
  let requests: string[] = [];

  before(async () => {
    sandbox = await openSandbox();
    files = await BadFiles.make();
    stack = await TestStack.open(sandbox, "dev", devConfiguration());
    up = await stack.run("up", "--yes", "--skip-preview");
    assert.equal(up.exitCode, 0, up.output);
    sandbox.sandbox.log.on("request", ({ method, path }) => requests.push(`${method} ${path}`));
  });

  after(async () => {
    await sandbox?.close();
    files?.remove();
    stack?.remove();
  });

  beforeEach(() => {
    requests = [];
  });

  afterEach(() => stack.configure(devConfiguration()));

  /** The repository's configuration with an edit. */
  function edited(edit: (configuration: RawConfiguration) => void): RawConfiguration {
    const configuration = devConfiguration() as RawConfiguration;
    edit(configuration);
    return configuration;
  }

  /** Previews with a mistake and answers what a person reads below "Diagnostics". */
  async function mistaken(edit: (configuration: RawConfiguration) => void): Promise<string> {
    stack.configure(edited(edit));
    const before = stack.state();
    const { exitCode, output } = await stack.run("preview");
    assert.notEqual(exitCode, 0, output);
    assert.deepEqual(
      requests.filter((request) => !LOOKS.test(request)),
      [],
    );
    assert.equal(stack.state(), before);
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
        block
          .replace(/\n+ {4}Target: the sandbox at \S+ Nothing real is changed\./, "")
          .replace(/^(.*:)\n\n+/, "$1\n"),
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

  it("shows what is wrong with a certificate and what is wrong in DPS in one run, and changes nothing", async () => {
    const shown = await mistaken(({ certificates, individualEnrollments, enrollmentGroups }) => {
      certificates["x"] = { file: files.path("expired.pem") };
      individualEnrollments["device-9"] = { primary: { certificate: "x" } };
      enrollmentGroups["ghost"] = { primary: { ca: "root-a" }, adopt: true };
    });
    const problem = /error: \S+RotationManifest resource 'service' has a problem: /.source;
    assert.match(
      shown,
      new RegExp(
        `^ {2}\\S+RotationManifest \\(service\\):\\n {4}${problem}DPS-CERT-042 at individualEnrollments\\.device-9\\.primary\\.certificate: found a new certificate that is already expired: device-9 \\(.*\\); fix: use a certificate that is valid now` +
          `\\n {4}${problem}DPS-CERT-125 at enrollmentGroups\\.ghost\\.adopt: found no such entry in DPS; fix: leave adopt out, so that it is made$`,
      ),
    );
  });

  it("shows in the outputs of a preview what becomes of an entry, beside what stays", async () => {
    stack.configure(
      edited(({ enrollmentGroups }) => {
        enrollmentGroups["sensors"] = { primary: { ca: "root-a" }, status: "disabled" };
      }),
    );
    const output = await stack.succeeds("preview");
    assert.match(
      output,
      /~ sensors *: "enabled, (primary CA certificate root-a, secondary empty, reprovisioning migrate)" => "disabled, \1"/,
    );
    assert.match(output, /\n {8}gateways: "enabled, /);
  });

  it("previews without a change after that, and without a write", async () => {
    const { exitCode, output } = await stack.run("preview", "--expect-no-changes");
    assert.equal(exitCode, 0, output);
    assert.match(output, /Target: the sandbox at \S+\. Nothing real is changed\./);
    assert.deepEqual(
      requests.filter((request) => !LOOKS.test(request)),
      [],
    );
  });

  it("has no secret in clear in its state, its configuration or its output", async () => {
    const outputs = await stack.inFolder(
      ...["stack", "output", "--stack", "dev"],
      "--json",
      "--show-secrets",
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
      ...filesIn(stack.folder),
    ];
    assert.ok(places.some(({ file }) => file.endsWith("dev.json")));
    assert.deepEqual(
      places.flatMap(({ file, text }) => found(text, secrets).map((what) => `${what} in ${file}`)),
      [],
    );
  });
});
