/**
 * Proof of possession offline on the real engine: the code comes out in one change, the certificate
 * comes back in the next; in between the CA is of no use, and a code that has ended is replaced.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { signedElsewhere } from "../dynamic-providers/ca-stage";
import { Stage } from "../dynamic-providers/stage";
import { TestStack } from "../support/stack";
import { managedServices } from "../../status/stack";
import { TestCa } from "../support/test-ca";

const SERVICE = { name: "dps", resourceGroup: "rg", location: "westus", adopt: true };

interface Pending {
  ca: string;
  code: string;
  whatToDo: string;
}

describe("proof of possession offline, in two changes, on the real engine", function () {
  this.timeout(240_000);
  let stage: Stage;
  let stack: TestStack;
  let root: TestCa;
  let cas: CaCertificatesClient;
  /** The codes that came out so far. */
  const codes: string[] = [];

  before(async () => {
    stage = await Stage.open();
    cas = new CaCertificatesClient(stage.connection);
    root = await TestCa.root("Root offline");
    stack = await TestStack.open(stage.sandbox, "offline", {});
    writeFileSync(join(stack.folder, "root.pem"), root.pem);
  });

  after(async () => {
    stack?.remove();
    await stage?.close();
  });

  function configure(offline: { signedFile?: string }, enrollmentGroups: object = {}): void {
    stack.configure({
      target: "sandbox",
      service: SERVICE,
      certificates: { root: { file: join(stack.folder, "root.pem") } },
      caCertificates: { root: { certificate: "root", proof: { offline } } },
      enrollmentGroups,
    });
  }

  async function pendingProofs(): Promise<Record<string, Pending>> {
    const { output } = await stack.inFolder(
      ...["stack", "output", "pendingProofs", "--stack", "offline", "--json"],
    );
    return JSON.parse(output) as Record<string, Pending>;
  }

  const signedFile = (): string => join(stack.folder, "signed.pem");
  const isVerified = async (): Promise<boolean | undefined> => (await cas.get("root"))?.isVerified;

  it("1. brings the code out and leaves the CA unverified", async () => {
    configure({});
    const output = await stack.succeeds("up", "--yes", "--skip-preview");
    const { root: pending } = await pendingProofs();
    assert.match(pending?.code ?? "", /^[0-9A-F]{48}$/);
    assert.match(
      pending?.whatToDo ?? "",
      /^Have CA `root` issue a certificate with the common name/,
    );
    assert.ok(output.includes(pending!.whatToDo), output);
    assert.equal(await isVerified(), false);
    codes.push(pending!.code);
  });

  it("2. refuses a group that would use it, at the preview", async () => {
    configure({}, { plant: { primary: { ca: "root" } } });
    const { exitCode, output } = await stack.run("preview");
    assert.notEqual(exitCode, 0);
    assert.match(
      output,
      /DPS-CERT-110 at enrollmentGroups\.plant\.primary\.ca: found CA `root`: Root offline \(.*\), while CA `root` waits for its proof of possession; fix: /,
    );
  });

  it("3. explains a code that somebody has ended, and keeps the next one in the state", async () => {
    await cas.generateVerificationCode("root", (await cas.get("root"))!.etag);
    writeFileSync(signedFile(), await signedElsewhere(root, codes[0]!));
    configure({ signedFile: signedFile() }, { plant: { primary: { ca: "root" } } });
    const { exitCode, output } = await stack.run("up", "--yes", "--skip-preview");
    assert.notEqual(exitCode, 0);
    const [, next] =
      /DPS-CERT-113 at \S+: found a verification certificate for the code \S+, which has ended: .*; fix: the live code is ([0-9A-F]{48})\./.exec(
        output,
      ) ?? [];
    assert.ok(next !== undefined && next !== codes[0], output);
    assert.doesNotMatch(output, /\n\s+at .*:\d+:\d+/);
    assert.equal(await isVerified(), false);
    assert.equal(await stage.enrollments.getGroup("plant"), undefined);
    codes.push(next);
    // The engine keeps the outputs of the last `up` that succeeded; the state of the resource is what holds.
    assert.equal((await pendingProofs())["root"]?.code, codes[0]);
    const { output: state } = await stack.inFolder("stack", "export", "--stack", "offline");
    const [service] = managedServices(state, "the stack");
    assert.deepEqual(
      service?.toSign.map(({ ca, code }) => [ca, code]),
      [["root", next]],
    );
  });

  it("4. takes the certificate that came back, and then the group", async () => {
    writeFileSync(signedFile(), await signedElsewhere(root, codes[1]!));
    await stack.succeeds("up", "--yes", "--skip-preview");
    assert.equal(await isVerified(), true);
    assert.equal(await stage.isEnabled("group", "plant"), true);
    assert.deepEqual(await pendingProofs(), {});
    await stack.succeeds("preview", "--expect-no-changes");
  });

  it("5. shows in certificate terms that somebody unverified it, and leaves it so", async () => {
    const { etag } = (await cas.get("root"))!;
    await cas.upload("root", root.pem, { ifMatch: etag });
    stage.reset();
    const output = await stack.succeeds("preview", "--refresh", "--expect-no-changes");
    assert.match(
      output,
      /warning: DPS-CERT-117 at caCertificates\.root: found Root offline \(SHA-256 .*\), not verified in DPS any more; it stays so; fix: if it is wanted back, name caCertificates\.root in reenable with a reason/,
    );
    assert.deepEqual(stage.writes, []);
  });
});
