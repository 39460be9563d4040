/** What the workflows may do, and what their small shell steps do; the large ones are in pull-request.test.ts. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { readConfiguration } from "../../configuration/configuration";
import { parse } from "yaml";
import { type Job, runStep, workflow, WORKFLOWS } from "./steps";

const run = promisify(execFile);
const ROOT = join(__dirname, "../..");
const FILES = readdirSync(WORKFLOWS);

/** What its jobs and steps say, without comments. */
const text = (file: string): string => JSON.stringify(workflow(file));
const jobs = (): [string, Job][] =>
  FILES.flatMap((file) =>
    Object.entries(workflow(file).jobs).map(
      ([name, job]) => [`${file} ${name}`, job] as [string, Job],
    ),
  );

describe("the workflows", function () {
  this.timeout(300_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "workflows-"));
  });

  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("are what actionlint takes for right", async function () {
    try {
      await run("go", ["version"]);
    } catch {
      console.log("      left out: actionlint is built with Go, which is not here");
      this.skip();
    }
    const binary = join(folder, "actionlint");
    await run(
      "go",
      ["build", "-buildvcs=false", "-o", binary, "github.com/rhysd/actionlint/cmd/actionlint"],
      {
        cwd: join(ROOT, "toolchain/go/actionlint"),
        env: { ...process.env, CGO_ENABLED: "0", GOWORK: "off" },
      },
    );
    const files = FILES.map((file) => join(WORKFLOWS, file));
    // Where shellcheck is installed, actionlint asks it as well.
    const { stdout } = await run(binary, ["-no-color", ...files], { cwd: ROOT });
    assert.equal(stdout, "");
  });

  it("never run a pull request's code with more than it may have", () => {
    for (const file of FILES) {
      assert.ok(!("pull_request_target" in workflow(file).on), file);
      assert.ok(!("workflow_run" in workflow(file).on), file);
    }
    const onPullRequests = FILES.filter((file) => "pull_request" in workflow(file).on);
    assert.deepEqual(onPullRequests.sort(), ["preview.yml", "test.yml"]);
    for (const file of onPullRequests) {
      // No secret, and no environment, from which secrets come.
      assert.ok(!text(file).includes("secrets."), file);
      for (const [name, job] of Object.entries(workflow(file).jobs)) {
        assert.equal(job.environment, undefined, name);
        assert.equal(job.uses, undefined, name);
      }
    }
    const { plan, comment } = workflow("preview.yml").jobs;
    assert.match(plan!.if ?? "", /head\.repo\.full_name == github\.repository/);
    assert.deepEqual(plan!.permissions, { contents: "read", "id-token": "write" });
    assert.equal(plan!.env!["AZURE_CLIENT_ID"], "${{ vars.AZURE_READER_CLIENT_ID }}");
    // Who may write comments runs nothing of the pull request, and has no identity.
    assert.deepEqual(comment!.permissions, { "pull-requests": "write" });
    assert.deepEqual(
      comment!.steps!.flatMap(({ uses }) => uses ?? []).map((uses) => uses.split("@")[0]),
      ["actions/download-artifact"],
    );
  });

  it("have no secret but the passphrase of an environment, and no rights unless a job says so", () => {
    for (const file of FILES) {
      const secrets = text(file).match(/secrets\.[A-Z_]+/g) ?? [];
      assert.deepEqual(secrets, file === "apply.yml" ? ["secrets.PULUMI_CONFIG_PASSPHRASE"] : []);
      const { permissions } = workflow(file);
      assert.deepEqual(permissions, file === "test.yml" ? { contents: "read" } : {}, file);
      assert.equal(workflow(file).defaults.run.shell, "bash");
    }
    assert.equal(workflow("apply.yml").jobs["up"]!.environment, "${{ inputs.stack }}");
  });

  it("let a breach reach one stack without those before it, by the same approvals", () => {
    const { on, jobs: all } = workflow("up-of-one.yml");
    assert.deepEqual(Object.keys(on), ["workflow_dispatch"]);
    assert.deepEqual(Object.keys(all), ["up"]);
    assert.equal(all["up"]!.uses, "./.github/workflows/apply.yml");
    assert.ok(!("needs" in all["up"]!));
  });

  it("stop an update that runs only where a person has said so", () => {
    const { on, jobs: all } = workflow("up-of-one.yml");
    const { inputs } = on["workflow_dispatch"] as { inputs: { stop: { default: boolean } } };
    assert.equal(inputs.stop.default, false);
    assert.equal(all["up"]!.with!["stop"], "${{ inputs.stop }}");
    for (const job of Object.values(workflow("up.yml").jobs)) {
      assert.ok(!("stop" in (job.with ?? {})));
    }
    const { concurrency, steps = [] } = workflow("apply.yml").jobs["up"]!;
    assert.deepEqual(concurrency, {
      group: "up-${{ inputs.stack }}",
      "cancel-in-progress": "${{ inputs.stop }}",
    });
    const taking = steps.filter(({ run: script = "" }) => script.includes("pulumi -- cancel"));
    assert.deepEqual(
      taking.map((step) => step.if),
      ["inputs.stop"],
    );
  });

  it("name actions by the commit of a release, which nobody can move", () => {
    for (const file of FILES) {
      const lines = readFileSync(join(WORKFLOWS, file), "utf8").split("\n");
      for (const line of lines.filter((each) => / uses: (?!\.\/)/.test(each))) {
        assert.match(line, / uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, file);
      }
    }
  });

  it("name devices in a private repository, or where a variable says so", () => {
    for (const [file, job, name] of [
      ["preview.yml", "plan", "plan"],
      ["expiry-watch.yml", "watch", "look at the dates"],
    ] as const) {
      const step = workflow(file).jobs[job]!.steps!.find((each) => each.name === name);
      assert.equal(
        step!.env!["DEVICE_NAMES"],
        "${{ vars.PLAN_DEVICE_NAMES || (github.event.repository.private && 'yes' || 'no') }}",
      );
    }
  });

  it("give shell steps what came from outside as variables, never as text", () => {
    for (const [name, { steps = [] }] of jobs()) {
      for (const { run: script = "" } of steps) assert.doesNotMatch(script, /\$\{\{/, name);
    }
  });

  it("come with stacks that the schema accepts", () => {
    for (const stack of ["dev", "staging", "prod"]) {
      const { config } = parse(readFileSync(join(ROOT, `Pulumi.${stack}.yaml`), "utf8")) as {
        config: Record<string, unknown>;
      };
      const own = Object.entries(config).map(([key, value]) => [
        key.replace("dps-certificates:", ""),
        value,
      ]);
      const { target, promotion } = readConfiguration(Object.fromEntries(own));
      assert.equal(target, stack === "dev" ? "sandbox" : "azure");
      assert.equal(promotion.after, stack === "prod" ? "staging" : undefined);
    }
  });

  describe("signing in", () => {
    let github: Server;
    let asked: { url?: string | undefined; authorization?: string | undefined };

    before(async () => {
      github = createServer((request, response) => {
        asked = { url: request.url, authorization: request.headers.authorization };
        response.end(JSON.stringify({ count: 1, value: "header.claims.signature" }));
      }).listen(0, "127.0.0.1");
      await new Promise((resolve) => github.once("listening", resolve));
    });

    after(() => github.close());

    it("puts GitHub's token for Entra ID where Azure's SDKs look for it, for nobody else to read", async () => {
      const { port } = github.address() as AddressInfo;
      const environment = join(folder, "github-env");
      await run(join(ROOT, ".github/scripts/federated-token.sh"), ["--once"], {
        env: {
          ...process.env,
          ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api-version=2.0`,
          ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token",
          RUNNER_TEMP: folder,
          GITHUB_ENV: environment,
        },
      });
      assert.deepEqual(asked, {
        url: "/token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange",
        authorization: "bearer request-token",
      });
      const file = join(folder, "azure-federated-token");
      assert.equal(readFileSync(file, "utf8"), "header.claims.signature");
      assert.equal(readFileSync(environment, "utf8"), `AZURE_FEDERATED_TOKEN_FILE=${file}\n`);
      const { stdout } = await run("stat", ["-c", "%a", file]);
      assert.equal(stdout.trim(), "600");
    });
  });

  describe("telling", () => {
    /** Stands in for GitHub's command line: answers from a file, and notes how it was called. */
    function fakeGithub(answer: string): Record<string, string> {
      writeFileSync(join(folder, "answer"), answer);
      writeFileSync(join(folder, "calls"), "");
      const script = `#!/bin/sh
printf '%s\\n' "$*" >> ${folder}/calls
case "$*" in *--jq*) cat ${folder}/answer ;; esac
`;
      writeFileSync(join(folder, "gh"), script);
      chmodSync(join(folder, "gh"), 0o755);
      return {
        PATH: `${folder}:${process.env["PATH"]}`,
        REPOSITORY: "contoso/fleet",
        PULL_REQUEST: "7",
        RUN_URL: "https://github.com/contoso/fleet/actions/runs/1",
        STACK: "prod",
      };
    }

    const calls = (): string[] => readFileSync(join(folder, "calls"), "utf8").trimEnd().split("\n");
    const comment = (answer: string) =>
      runStep("preview.yml", "comment", "comment", {
        cwd: folder,
        environment: fakeGithub(answer),
      });
    const tell = (code: string, answer: string) =>
      runStep("expiry-watch.yml", "watch", "tell", {
        cwd: folder,
        environment: { ...fakeGithub(answer), CODE: code },
      });

    it("writes one comment a stack, and writes it anew when the plan changes", async () => {
      writeFileSync(join(folder, "plan.md"), "# Plan\n");
      assert.equal((await comment("")).exitCode, 0);
      assert.equal(
        calls()[1],
        "api -X POST repos/contoso/fleet/issues/7/comments -F body=@comment.md --silent",
      );
      assert.equal(
        readFileSync(join(folder, "comment.md"), "utf8"),
        "<!-- dps-plan:prod -->\n# Plan\n\n\n[The run, with the plan as a page and as JSON](https://github.com/contoso/fleet/actions/runs/1)\n",
      );
      assert.equal((await comment("41\n42\n")).exitCode, 0);
      assert.equal(
        calls()[1],
        "api -X PATCH repos/contoso/fleet/issues/comments/41 -F body=@comment.md --silent",
      );
    });

    it("says that there is no plan, and does not leave the one of before", async () => {
      rmSync(join(folder, "plan.md"), { force: true });
      assert.equal((await comment("41\n")).exitCode, 0);
      assert.match(
        readFileSync(join(folder, "comment.md"), "utf8"),
        /There is no plan of stack `prod`/,
      );
    });

    it("shows no file of its own that a hostile plan only points to, and writes into none", async () => {
      writeFileSync(join(folder, "token"), "of the job\n");
      for (const name of ["plan.md", "comment.md"]) {
        rmSync(join(folder, name), { force: true });
        symlinkSync("token", join(folder, name));
      }
      assert.equal((await comment("41\n")).exitCode, 0);
      assert.equal(readFileSync(join(folder, "token"), "utf8"), "of the job\n");
      assert.match(
        readFileSync(join(folder, "comment.md"), "utf8"),
        /There is no plan of stack `prod`/,
      );
      rmSync(join(folder, "plan.md"));
    });

    it("opens an issue when something ends, writes it anew, and closes it", async () => {
      writeFileSync(join(folder, "status.txt"), "sensors ends in 12 days\n```\n# forged\n");
      assert.equal((await tell("4", "")).exitCode, 0);
      assert.match(
        calls()[1]!,
        /^issue create --repo contoso\/fleet --title Certificates of stack prod end/,
      );
      const body = readFileSync(join(folder, "issue.md"), "utf8");
      assert.equal(body.match(/```/g)?.length, 2, body);
      assert.equal((await tell("4", "5\n")).exitCode, 0);
      assert.match(calls()[1]!, /^issue edit --repo contoso\/fleet 5 /);
      assert.equal((await tell("0", "5\n")).exitCode, 0);
      assert.match(calls()[1]!, /^issue close --repo contoso\/fleet 5 /);
      assert.equal((await tell("0", "")).exitCode, 0);
      assert.equal(calls().length, 1);
    });

    it("fails when the status could not be read, and when it is not whole", async () => {
      for (const code of ["1", "2", "3", ""]) {
        const { exitCode, output } = await tell(code, "");
        assert.equal(exitCode, 1);
        assert.match(output, /could not be read/);
      }
    });
  });
});
