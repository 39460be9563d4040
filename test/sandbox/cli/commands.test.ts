/** The commands that are asked of a sandbox that runs: clock, cert, show, log. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { goalOf } from "../../../sandbox/cli/clock";
import { EnrollmentsClient } from "../../../clients/enrollments";
import { askTargetTime, targetNow } from "../../../clients/target-time";
import { type AttachedSandbox, openAttached } from "../../clients/attached-sandbox";
import { openSandbox } from "../../support/sandbox";

const ROOT = resolve(__dirname, "../../..");
const DAY_MS = 86_400_000;

describe("what is asked of a running sandbox", () => {
  let sandbox: AttachedSandbox;
  let pki: string;

  before(async () => {
    sandbox = await openAttached();
    pki = mkdtempSync(join(tmpdir(), "dps-pki-"));
  });

  after(async () => {
    await sandbox.close();
    rmSync(pki, { recursive: true });
  });

  it("moves the clock by an amount or to a time, and says where it stands", async () => {
    const moved = await call("clock", "+80d");
    assert.equal(moved.status, 0, moved.stderr);
    assert.match(moved.stdout, /^\S+Z \(80d ahead of the machine's time\)\n$/);
    const apart = sandbox.sandbox.clock.now().getTime() - Date.now();
    assert.ok(Math.abs(apart - 80 * DAY_MS) < 1000);
    assert.match((await call("clock", "-3h")).stdout, /\(79d 21h ahead of the machine's time\)/);
    assert.match((await call("clock", "set", "2031-02-03T04:05Z")).stdout, /^2031-02-03T04:05:00/);
    assert.match((await call("clock")).stdout, /^2031-02-03T04:05:0/);
  });

  it("tells everybody its time, so that a preview judges certificates by it", async () => {
    await call("clock", "set", "2031-02-03");
    const { headers } = await sandbox.arm("GET", "/subscriptions");
    assert.match(String(headers["date"]), /^Mon, 03 Feb 2031/);
    const notice = await askTargetTime("sandbox");
    assert.match(notice ?? "", /^certificates are judged by the time of the sandbox, 2031-02-03T/);
    assert.equal(targetNow().toISOString().slice(0, 10), "2031-02-03");
    // Tokens stay on the machine's time: the clients that cache them do.
    const tokens = await sandbox.http("GET", sandbox.endpoints().arm.authorityHost);
    assert.ok(Math.abs(Date.parse(String(tokens.headers["date"])) - Date.now()) < DAY_MS);
  });

  it("issues certificates by its clock, and overwrites none", async () => {
    await call("clock", "set", "2031-02-03");
    const at = (name: string): string => join(pki, name);
    const root = await call("cert", "root", at("root-a"), "--cn", "Root A");
    assert.equal(root.status, 0, root.stderr);
    assert.match(
      root.stdout,
      /root-a\.pem {2}root CN=Root A, valid until 2041-01-31 \(by the sand/,
    );
    const middle = ["cert", "intermediate", at("line-1"), "--issuer", at("root-a")];
    assert.equal((await call(...middle, "--key", "rsa-2048")).status, 0);
    const leaf = ["cert", "leaf", at("truck-7"), "--issuer", at("line-1"), "--days", "10"];
    assert.equal((await call(...leaf)).status, 0);

    const read = (file: string): X509Certificate => new X509Certificate(readFileSync(at(file)));
    const issued = read("truck-7.pem");
    assert.ok(issued.verify(read("line-1.pem").publicKey));
    assert.ok(read("line-1.pem").verify(read("root-a.pem").publicKey));
    assert.equal(issued.subject, "CN=truck-7");
    assert.equal(new Date(issued.validTo).toISOString().slice(0, 10), "2031-02-13");
    assert.equal(readFileSync(at("truck-7.chain.pem"), "utf8").split("BEGIN").length - 1, 2);
    assert.equal(statSync(at("truck-7.key.pem")).mode & 0o777, 0o600);

    const again = await call(...leaf);
    assert.equal(again.status, 1);
    assert.match(again.stderr, /truck-7\.pem and .* would be overwritten: choose another name/);
    writeFileSync(at("line-1.key.pem"), readFileSync(at("root-a.key.pem")));
    const torn = await call("cert", "leaf", at("truck-8"), "--issuer", at("line-1"));
    assert.equal(torn.status, 1);
    assert.match(torn.stderr, /^The key in .*line-1\.key\.pem is not that of .*line-1\.pem/);
  });

  it("shows what is in it, without secrets", async () => {
    await call("cert", "leaf", join(pki, "pump-1"));
    const pem = readFileSync(join(pki, "pump-1.pem"), "utf8");
    await new EnrollmentsClient(sandbox.connection).putIndividual({
      registrationId: "pump-1",
      attestation: {
        type: "x509",
        x509: { clientCertificates: { primary: { certificate: pem } } },
      },
    });
    const text = (await call("show")).stdout;
    assert.match(text, /^Sandbox time \d{4}-/);
    assert.match(text, new RegExp(`DPS \\S+ {2}ID scope ${sandbox.idScope}`));
    assert.match(text, /individual pump-1 +│ enabled +│ CN=pump-1 \([0-9A-F]{8}…, until \d{4}-/);
    assert.match(text, /IoT hub hub {2}/);
    const json = (await call("show", "--json")).stdout;
    const shown = JSON.parse(json) as { iotHubs: { name: string }[] };
    assert.deepEqual(
      shown.iotHubs.map(({ name }) => name),
      ["hub"],
    );
    assert.doesNotMatch(json, /Key|PRIVATE|SharedAccess/);
  });

  it("prints who asked what", async () => {
    await sandbox.arm("GET", "/subscriptions");
    const { stdout } = await call("log");
    assert.match(stdout, /^\d{4}-\d\d-\d\d [\d:.]+ {2}arm {2}GET \/subscriptions {2}200/m);
    const lines = (await call("log", "--json")).stdout.trimEnd().split("\n");
    assert.equal((JSON.parse(lines[0]!) as { seq: number }).seq, 1);
  });

  it("orders faults, lists them and takes them back", async () => {
    const on = "GET resourcegroups/nowhere";
    const added = await call("fault", "add", "--on", on, "--kind", "throttle", "--wait", "3");
    assert.match(
      added.stdout,
      /^fault 1: throttle \(Retry-After 3\) at request 1 of GET resourcegro/,
    );
    const path = `/subscriptions/${sandbox.subscriptionId}/resourcegroups/nowhere`;
    assert.equal((await sandbox.arm("GET", path)).status, 429);
    assert.equal((await sandbox.arm("GET", path)).status, 404);
    assert.match((await call("fault", "list")).stdout, /│ 1 +│ throttle .* │ 2 +│ 1 +│/);
    assert.match((await call("log")).stdout, /nowhere {2}429 {2}.*injected fault 1: throttle/);
    assert.equal((await call("fault", "clear")).stdout, "1 fault taken back.\n");
    assert.equal((await call("fault", "list")).stdout, "No faults are ordered.\n");
    const wrong = await call("fault", "add", "--on", "everything", "--kind", "error");
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /^The fault is not ordered: on is "everything": write a method and/);
  });

  it("takes no orders from who does not have its token", async () => {
    const file = JSON.parse(readFileSync(sandbox.folder.environmentFile, "utf8")) as {
      control: { url: string; token: string };
    };
    const { url, token } = file.control;
    const before = sandbox.sandbox.clock.now().getTime();
    for (const authorization of [undefined, "Bearer ", `Bearer ${token}x`, token]) {
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await sandbox.http("PUT", `${url}/clock`, { body: { byMs: DAY_MS }, headers });
      assert.equal(answer.status, 401);
    }
    assert.ok(sandbox.sandbox.clock.now().getTime() - before < DAY_MS);
  });

  it("says what to do when no sandbox runs there", async () => {
    for (const command of ["clock", "show", "env"]) {
      const { status, stderr } = await run([command, "--dir", pki]);
      assert.equal(status, 1);
      assert.match(stderr, /^No sandbox runs in .*: start one with "npm run sandbox" in another/);
    }
  });

  const call = (...args: string[]) => run([...args, "--dir", sandbox.folder.path]);
});

describe("a moved clock", () => {
  it("is found again by a sandbox that is kept", async () => {
    const dir = mkdtempSync(join(tmpdir(), "dps-sandbox-"));
    const first = await openSandbox({ dir, keep: true });
    await run(["clock", "+400d", "--dir", dir]);
    await first.close();
    const second = await openSandbox({ dir, keep: true });
    assert.ok(second.sandbox.clock.now().getTime() - Date.now() > 399 * DAY_MS);
    await second.close();
    rmSync(dir, { recursive: true });
  });

  it("is moved by what is understood, and by nothing else", () => {
    assert.deepEqual(goalOf("+2w", undefined), { byMs: 14 * DAY_MS });
    assert.deepEqual(goalOf("-90s", undefined), { byMs: -90_000 });
    assert.deepEqual(goalOf("set", "2027-01-31"), { to: "2027-01-31T00:00:00.000Z" });
    for (const [move, time] of [["80d"], ["+80"], ["+d"], ["set"], ["set", "soon"], ["+1d", "x"]]) {
      assert.throws(() => goalOf(move!, time), { name: "SandboxError" });
    }
  });
});

function run(args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const command = ["--require", "tsx/cjs", join(ROOT, "sandbox/main.ts"), ...args];
  const env = { ...process.env, NODE_OPTIONS: "" };
  return new Promise((ok) => {
    execFile(process.execPath, command, { cwd: ROOT, env }, (error, stdout, stderr) =>
      ok({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}
