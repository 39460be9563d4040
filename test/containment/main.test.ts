import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { denialGroupId } from "../../certificates/denial-group";
import { summarize } from "../../certificates/summary";
import { failure, Stage, stolen } from "../dynamic-providers/stage";
import { TestCa } from "../support/test-ca";
import { contain, type Ended } from "./command";

describe("npm run contain", () => {
  let stage: Stage;
  let folder: string;
  let root: TestCa;
  let good: TestCa;

  before(async () => {
    stage = await Stage.open();
    folder = mkdtempSync(join(tmpdir(), "contain-"));
    root = await TestCa.root("Yard root");
    good = await TestCa.root("Good root");
    const cas = new CaCertificatesClient(stage.connection);
    await cas.upload("yard", root.pem, { selfAttested: true });
    await cas.upload("good", good.pem, { selfAttested: true });
  });

  after(async () => {
    await stage.close();
    rmSync(folder, { recursive: true });
  });

  beforeEach(async () => {
    await stage.putGroup("yard", { primary: "good", secondary: "YARD" });
    await stage.putGroup("others", { primary: "good" });
    stage.reset();
  });

  afterEach(async () => {
    for (const { enrollmentGroupId, etag } of await stage.enrollments.queryGroups()) {
      await stage.enrollments.deleteGroup(enrollmentGroupId, etag);
    }
    for (const { registrationId, etag } of await stage.enrollments.queryIndividuals()) {
      await stage.enrollments.deleteIndividual(registrationId, etag);
    }
  });

  function file(name: string, content: string): string {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  }

  const run = (args: string[], env = stage.sandbox.environment()): Promise<Ended> =>
    contain(args, env);

  const holding = (id: string, ca: TestCa): Promise<unknown> =>
    stage.enrollments.putGroup({
      enrollmentGroupId: id,
      attestation: {
        type: "x509",
        x509: { signingCertificates: { primary: { certificate: ca.pem } } },
      },
    });

  it("closes the groups that admit by a root, and what was issued below it, and shows that they are closed", async () => {
    const plant = await root.intermediate("Plant");
    await holding("plant", plant);
    await holding("other-plant", await good.intermediate("Other plant"));
    stage.reset();
    const { code, out } = await run([file("root.pem", root.pem)]);
    assert.equal(code, 0, out);
    assert.match(out, /^Target: the sandbox at .*Nothing real is changed\.\nDPS: /);
    assert.match(
      out,
      /closed now: enrollment group "yard", disabled since 20.* \(refers to CA certificate "YARD"\)/,
    );
    assert.match(
      out,
      /closed now: enrollment group "plant", .* \(holds CN=Plant, whose issuer has its name/,
    );
    assert.deepEqual(stage.writes.sort(), [
      "PUT /enrollmentGroups/plant",
      "PUT /enrollmentGroups/yard",
    ]);
    assert.equal(await stage.isEnabled("group", "others"), true);
    assert.equal(await stage.isEnabled("group", "other-plant"), true);

    stage.reset();
    const again = await run([join(folder, "root.pem"), "--json"]);
    const result = JSON.parse(again.out) as { entries: { id: string; how: string }[] };
    assert.deepEqual(result.entries.map(({ id, how }) => [id, how]).sort(), [
      ["plant", "was closed"],
      ["yard", "was closed"],
    ]);
    assert.deepEqual([again.code, stage.writes], [0, []]);
  });

  it("writes nothing in a dry run, and spares a CA that only has the same name", async () => {
    const namesake = await TestCa.root("Yard root");
    const below = await namesake.intermediate("Its plant");
    await holding("namesake", below);
    stage.reset();
    const known = file("namesake.pem", below.pem);
    const root2 = file("root.pem", root.pem);
    const all = await run([root2, "--dry-run"]);
    assert.match(all.out, /to be closed: enrollment group "namesake"/);
    const { code, out } = await run([root2, "--dry-run", "--known", known]);
    assert.match(out, /to be closed: enrollment group "yard" \(refers to/);
    assert.doesNotMatch(out, /namesake"/);
    assert.deepEqual([code, stage.writes], [5, []]);
  });

  it("shuts out an intermediate that only a group higher up admits", async () => {
    const plant = await root.intermediate("Plant 7");
    const leaf = await plant.leaf("van-1");
    await stage.register("van-1", leaf);
    stage.reset();
    const { code, out } = await run([file("plant.pem", plant.pem)]);
    const id = denialGroupId(summarize(plant.pem));
    assert.match(id, /^denied-plant-7-[0-9a-f]{16}$/);
    assert.equal(code, 0, out);
    assert.match(out, new RegExp(`made: enrollment group "${id}", disabled since`));
    assert.deepEqual(stage.writes, [`PUT /enrollmentGroups/${id}`]);
    assert.match(await failure(stage.register("van-1", leaf)), /Unauthorized/);
    await stage.register("van-2", await root.leaf("van-2"));
  });

  it("shuts out every certificate of an intermediate's key, also when a closed group holds its twin", async () => {
    const old = await root.intermediate("Plant 8");
    const renewed = await root.intermediate("Plant 8", { keys: old.certificate.keys });
    await holding("plant-8", renewed);
    const pem = file("old.pem", old.pem);
    const report = await run([pem, "--report"]);
    assert.match(report.out, /Not seen:\n {2}Whether .*enrollment group "yard" .*admits it/);
    const { code, out } = await run([pem, "--known", file("renewed.pem", renewed.pem)]);
    assert.equal(code, 0, out);
    assert.equal(await stage.admits("van-80", await old.leaf("van-80")), false);
    assert.equal(await stage.admits("van-81", await renewed.leaf("van-81")), false);
    assert.equal(await stage.admits("van-82", await root.leaf("van-82")), true);
  });

  it("denies a stolen leaf that a group admits, by a disabled enrollment of its own", async () => {
    const leaf = await root.leaf("van-3");
    await stage.register("van-3", leaf);
    const { code, out } = await run([file("leaf.pem", leaf.pem)]);
    assert.equal(code, 0, out);
    assert.match(out, /made: individual enrollment "van-3"/);
    assert.match(await failure(stage.register("van-3", leaf)), /Unauthorized/);
    await stage.register("van-4", await root.leaf("van-4"));
  });

  it("denies a registration ID, also one that has no entry and no certificate at hand", async () => {
    const mine = await TestCa.selfSigned("van-5");
    await stage.putIndividual("van-5", mine.pem);
    const closed = await run(["VAN-5"]);
    assert.match(closed.out, /closed now: individual enrollment "van-5"/);
    assert.equal(await stage.isEnabled("individual", "van-5"), false);

    const leaf = await root.leaf("van-6");
    await stage.register("van-6", leaf);
    const made = await run(["--registration-id", "van-6"]);
    assert.deepEqual([closed.code, made.code], [0, 0]);
    assert.match(made.out, /made: individual enrollment "van-6"/);
    assert.match(made.out, /Whether DPS matches .* is not known/);
    assert.match(await failure(stage.register("van-6", leaf)), /Unauthorized/);
  });

  it("says what a thumbprint does not tell", async () => {
    const leaf = await TestCa.selfSigned("van-7");
    await stage.putIndividual("van-7", leaf.pem);
    const colons = leaf.thumbprint.replace(/..(?=.)/g, "$&:");
    const { code, out } = await run([colons]);
    assert.equal(code, 3, out);
    assert.match(out, /closed now: individual enrollment "van-7"/);
    assert.match(out, /Not seen: A thumbprint does not tell the key/);
    assert.equal(await stage.isEnabled("individual", "van-7"), false);
  });

  it("finds a CA by its key under other names", async () => {
    const client = new CaCertificatesClient(stage.connection);
    const renewed = await TestCa.root("Yard root", { keys: root.certificate.keys });
    await client.upload("yard-2", renewed.pem, { selfAttested: true });
    await stage.putGroup("renewed", { primary: "yard-2" });
    try {
      const { code, out } = await run([file("root.pem", root.pem)]);
      assert.equal(code, 0, out);
      assert.equal(await stage.isEnabled("group", "renewed"), false);
    } finally {
      const { etag } = (await client.get("yard-2"))!;
      await client.delete("yard-2", etag);
    }
  });

  it("closes what it can when ARM does not answer, and says what it did not see", async () => {
    const endpoints = stage.sandbox.endpoints();
    const provisioningServices = endpoints.provisioningServices.map((one) => ({
      ...one,
      resourceGroup: "gone",
    }));
    const env = {
      ...stage.sandbox.environment(),
      DPS_SANDBOX_ENDPOINTS: file(
        "endpoints.json",
        JSON.stringify({ ...endpoints, provisioningServices }),
      ),
    };
    const leaf = await root.leaf("van-10");
    await stage.putIndividual("van-10", leaf.pem);
    const { code, out } = await run([file("root.pem", root.pem)], env);
    assert.equal(code, 3, out);
    assert.match(out, /Not seen: The CA certificates of the DPS could not be listed/);
    assert.equal(await stage.isEnabled("individual", "van-10"), false);
    assert.equal(await stage.isEnabled("group", "yard"), true);
    const named = await run([file("root.pem", root.pem), "--ca-name", "yard"], env);
    assert.match(named.out, /closed now: enrollment group "yard"/);
  });

  it("does not take a disabled entry with another certificate for a denial of this one", async () => {
    const stolenLeaf = await good.leaf("van-20");
    const other = await good.leaf("van-20");
    await stage.putIndividual("van-20", other.pem);
    await stage.byHand("individual", "van-20", { provisioningStatus: "disabled" });
    const { code, out } = await run([file("van-20.pem", stolenLeaf.pem)]);
    assert.equal(code, 3, out);
    assert.match(
      out,
      /Not seen: Whether the individual enrollment "van-20" denies it: it is disabled/,
    );
  });

  it("reports what still holds a key, who came in under unknown IDs, and who is not back", async () => {
    const { key } = stolen(root)[0]!;
    await stage.register("van-11", await root.leaf("van-11"));
    await stage.register("who-is-this", await root.leaf("who-is-this"));
    const pem = file("root.pem", root.pem);
    const ids = file("fleet.txt", "VAN-11\n");
    const before = await run([pem, "--report", "--known-ids", ids]);
    assert.equal(before.code, 5, before.out);
    assert.match(
      before.out,
      /NOT CLOSED\.\nOpen entries that admit it:\n {2}to be closed: .*"yard"/,
    );
    assert.match(before.out, /CA certificates of the DPS that have it:\n {2}yard/);

    await run([pem]);
    const closed = (await stage.enrollments.getGroup("yard"))!.lastUpdatedDateTimeUtc!;
    const contained = {
      [key]: { entries: [{ kind: "group", id: "yard", cutOff: closed, settling: [] }] },
    };
    stage.clock.advance(2000);
    await stage.byHand("group", "yard", {
      attestation: { type: "x509", x509: { caReferences: { primary: "good" } } },
      provisioningStatus: "enabled",
    });
    await stage.register("van-11", await good.leaf("van-11"));
    stage.reset();
    const after = await run([
      ...[pem, "--report", "--json", "--known-ids", ids],
      ...["--contained", file("contained.json", JSON.stringify(contained))],
    ]);
    type Ids = { registrationId: string }[];
    const result = JSON.parse(after.out) as Record<"unknown" | "stragglers", Ids> & {
      clean: boolean;
      unseen: string[];
      caCertificates: string[];
      entries: object[];
    };
    // The CA itself is still there: `pulumi up` deletes it last.
    assert.deepEqual([result.clean, result.caCertificates, result.entries], [false, ["yard"], []]);
    const named = (list: Ids) => list.map(({ registrationId }) => registrationId);
    assert.ok(named(result.unknown).includes("who-is-this"));
    assert.ok(!named(result.unknown).includes("van-11"));
    assert.ok(named(result.stragglers).includes("who-is-this"));
    assert.ok(!named(result.stragglers).includes("van-11"));
    assert.match(
      result.unseen.join(),
      /the identities of .*who-is-this.* hold a leaf issued below/,
    );
    assert.deepEqual(stage.writes, []);
  });

  for (const { name, args, code, message } of [
    { name: "nothing", args: [], code: 2, message: /^Name one thing to contain/ },
    {
      name: "a file that is not there",
      args: ["leaf-8.pem"],
      code: 2,
      message: /^Target.*$|There is no file/,
    },
    { name: "a key", args: ["key"], code: 2, message: /DPS-CERT-002/ },
    {
      name: "an option that is not there",
      args: ["--force", "x"],
      code: 2,
      message: /unknown option/,
    },
    {
      name: "another DPS than the sandbox has",
      args: ["x", "--service", "y"],
      code: 2,
      message: /name one with --service/,
    },
  ]) {
    it(`refuses ${name}, and does nothing`, async () => {
      const key = (await TestCa.selfSigned("van-8")).key;
      const given = args.map((one) => (one === "key" ? file("key.pem", key) : one));
      const ended = await run(given);
      assert.equal(ended.code, code, ended.err);
      assert.match(ended.err, message);
      assert.doesNotMatch(ended.err + ended.out, /BEGIN|at .*\.ts/);
      assert.deepEqual(stage.writes, []);
    });
  }

  it("wants a DPS in Azure named, and never mixes the two", async () => {
    const detached = { DPS_SANDBOX_ENDPOINTS: "", PULUMI_DEBUG_PROVIDERS: "" };
    const nameless = await run(["van-9"], detached);
    assert.match(nameless.err, /^No DPS is named: give --service NAME/);
    const mixed = await run(["van-9", "--host", stage.connection.serviceHostName], detached);
    assert.match(mixed.err, /is a host of the sandbox/);
    assert.deepEqual([nameless.code, mixed.code], [2, 1]);
  });
});
