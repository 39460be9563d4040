import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UNKNOWN } from "../../dynamic-providers/handler";
import {
  rotationManifest as handler,
  type RotationManifestInputs,
} from "../../dynamic-providers/rotation-manifest/provider";
import { JUDGEMENTS, recorded } from "../../dynamic-providers/judgement-record";
import { declared } from "../certificates/fixtures";
import { type Issued, TestCa } from "../support/test-ca";

const ENTRY = { status: "enabled" as const };

describe("the manifest of everything declared, as the engine calls it", () => {
  let leaf: Issued;
  let next: Issued;
  let stranger: Issued;
  let said: string[];
  const print = console.log;

  before(async () => {
    leaf = await TestCa.selfSigned("truck-7");
    next = await TestCa.selfSigned("truck-7");
    stranger = await TestCa.selfSigned("truck-8");
  });

  beforeEach(() => {
    said = [];
    console.log = (text: string) => said.push(text);
  });

  afterEach(() => {
    console.log = print;
  });

  function manifest(slots: { primary?: Issued; secondary?: Issued }): RotationManifestInputs {
    const { primary, secondary } = slots;
    const certificates = {
      ...(primary && { first: primary }),
      ...(secondary && { second: secondary }),
    };
    const entry = {
      ...ENTRY,
      ...(primary && { primary: { certificate: "first" } }),
      ...(secondary && { secondary: { certificate: "second" } }),
    };
    return {
      declared: declared(certificates, { individualEnrollments: { "truck-7": entry } }),
      made: {},
    };
  }

  it("announces a roll in words and steps once, and keeps the words while nothing changes", async () => {
    const first = (await handler.check({}, manifest({ primary: leaf }))).inputs!;
    assert.deepEqual(first.rolls, ["new individual enrollment `truck-7`"]);
    said = [];
    const news = manifest({ primary: leaf, secondary: next });
    const second = (await handler.check(first, news)).inputs!;
    assert.match(
      second.rolls?.[0] ?? "",
      /expiration roll of individual enrollment `truck-7`: prepare/,
    );
    assert.match(
      said.join("\n"),
      /prepare\n {2}primary: .*, unchanged\n {2}secondary: empty → .*\n {2}1\. write .*\n {2}2\. .*\n {2}to go back: /,
    );
    assert.equal((await handler.diff("manifest", first, second)).changes, true);
    said = [];
    const third = (await handler.check(second, news)).inputs!;
    assert.deepEqual(third.rolls, second.rolls);
    assert.deepEqual(said, []);
    assert.equal((await handler.diff("manifest", second, third)).changes, false);
  });

  it("remembers the rolls that it was told to carry out, and tells the plan of those before this one", async () => {
    const first = (await handler.check({}, manifest({ primary: leaf }))).inputs!;
    const both = manifest({ primary: leaf, secondary: next });
    const second = (await handler.check(first, both)).inputs!;
    const third = (await handler.check(second, both)).inputs!;
    const folder = mkdtempSync(join(tmpdir(), "manifest-"));
    const file = join(folder, "judgements");
    process.env[JUDGEMENTS] = file;
    try {
      const fourth = (await handler.check(third, manifest({ secondary: next }))).inputs!;
      const entry = "individualEnrollments.truck-7";
      const told = (fourth.pastRolls ?? []).map(({ at, ...roll }) => ({
        ...roll,
        isNow: Math.abs(Date.now() - Date.parse(at)) < 60_000,
      }));
      assert.deepEqual(told, [
        { entry, procedure: "P5", phase: "prepare", isNow: true },
        { entry, procedure: "P5", phase: "retire", isNow: true },
      ]);
      const [judged] = recorded(file);
      assert.ok(judged?.by === "manifest");
      assert.deepEqual(
        judged.pastRolls?.map(({ phase }) => phase),
        ["prepare"],
      );
    } finally {
      delete process.env[JUDGEMENTS];
      rmSync(folder, { recursive: true });
    }
  });

  it("says what ran out at every run, also while nothing changes", async () => {
    const old = await TestCa.selfSigned("truck-7", { notAfter: new Date(Date.now() - 1000) });
    const { inputs } = await handler.check({}, manifest({ primary: leaf }));
    const expired = { ...manifest({ primary: old }) };
    said = [];
    await handler.check({ ...inputs!, ...expired }, expired);
    assert.equal(said.length, 1);
    assert.match(
      said[0] ?? "",
      /^warning: DPS-CERT-050 at individualEnrollments\.truck-7\.primary\.certificate: found .*truck-7/,
    );
  });

  it("refuses all faults at once, each by its path, and announces nothing", async () => {
    const { failures, inputs } = await handler.check(
      {},
      manifest({ primary: stranger, secondary: stranger }),
    );
    assert.ok((failures ?? []).length >= 2);
    for (const { property, reason } of failures ?? []) {
      assert.equal(property, "", "the engine would print the path twice");
      assert.match(reason, /^DPS-CERT-\d{3} at individualEnrollments\.truck-7.*: found .*; fix: /);
      assert.doesNotMatch(reason, /BEGIN/);
    }
    assert.ok(!said.join().includes("new individual enrollment"));
    assert.ok(inputs !== undefined);
  });

  it("judges a certificate of the stack once it is made, not before", async () => {
    const news = manifest({});
    news.declared.certificates["made"] = { known: false, commonName: "truck-7", isCa: false };
    news.declared.individualEnrollments["truck-7"] = {
      ...ENTRY,
      primary: { certificate: "made" },
    };
    const waiting = { ...news, made: { made: UNKNOWN } };
    const preview = await handler.check({}, waiting);
    assert.deepEqual(preview.failures, []);
    assert.deepEqual(await handler.diff("manifest", preview.inputs!, waiting), { changes: true });
    const wrong = await handler.check({}, { ...news, made: { made: stranger.pem } });
    assert.match(wrong.failures?.[0]?.reason ?? "", /truck-8/);
    const right = await handler.check({}, { ...news, made: { made: leaf.pem } });
    assert.deepEqual(right.failures, []);
  });
});
