import assert from "node:assert/strict";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { denialGroupId } from "../../certificates/denial-group";
import { summarize } from "../../certificates/summary";
import { contain } from "../../containment/contain";
import { readSought } from "../../containment/sought";
import { breachContainment } from "../../dynamic-providers/breach-containment/provider";
import { enrollmentGroup } from "../../dynamic-providers/enrollment-group/provider";
import type { EnrollmentInputs, EnrollmentOutputs } from "../../dynamic-providers/enrollment/live";
import { individualEnrollment as handler } from "../../dynamic-providers/individual-enrollment/provider";
import { type Issued, TestCa } from "../support/test-ca";
import { failure, slot, Stage, stolen } from "./stage";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SECOND_MS = 1000;

describe("denials, as the engine calls them", () => {
  let stage: Stage;
  let root: TestCa;
  let folder: string;
  let count = 0;
  let id: string;
  let leaf: Issued;

  before(async () => {
    stage = await Stage.open();
    folder = mkdtempSync(join(tmpdir(), "denials-"));
    root = await TestCa.root("Yard root");
    await new CaCertificatesClient(stage.connection).upload("yard", root.pem, {
      selfAttested: true,
    });
    await stage.putGroup("yard", { primary: "yard" });
  });

  after(async () => {
    await stage.close();
    rmSync(folder, { recursive: true });
  });

  beforeEach(async () => {
    count += 1;
    id = `van-${count}`;
    leaf = await root.leaf(id);
    stage.reset();
  });

  const inputs = (fields: Partial<EnrollmentInputs> = {}): EnrollmentInputs => ({
    connection: stage.connection,
    enrollmentId: id,
    provisioningStatus: "enabled",
    reprovisionPolicy: "migrate",
    compromised: [],
    ...fields,
  });
  const denied = (fields: Partial<EnrollmentInputs> = {}): EnrollmentInputs =>
    inputs({ provisioningStatus: "disabled", denied: "sold", ...fields });

  async function create(fields: EnrollmentInputs): Promise<EnrollmentOutputs> {
    return stage.listening(async () => {
      const { inputs: checked } = await handler.check({}, fields);
      return (await handler.create(checked!)).outs;
    });
  }

  /** What `up` does: a diff, and where that says so an update. */
  async function up(olds: EnrollmentOutputs, fields: EnrollmentInputs): Promise<EnrollmentOutputs> {
    return stage.listening(async () => {
      const { inputs: news } = await handler.check(olds, fields);
      const { changes, replaces } = await handler.diff(olds.enrollmentId, olds, news!);
      assert.deepEqual(replaces, []);
      return changes === true ? (await handler.update(olds.enrollmentId, olds, news!)).outs : olds;
    });
  }

  const contained = (what: string) =>
    contain(stage.connection, readSought({ what, isRegistrationId: what === id, known: [] }), {
      caNames: [],
      known: [],
      onlyTheKey: false,
      dryRun: false,
      say: () => undefined,
    });

  function file(certificate: { pem: string }): string {
    const path = join(folder, `${id}.pem`);
    writeFileSync(path, certificate.pem);
    return path;
  }

  it("deny a registration ID of which no certificate is at hand, and change nothing the second time", async () => {
    await stage.register(id, leaf);
    const outs = await create(denied());
    assert.match(await failure(stage.register(id, leaf)), /Unauthorized/);
    await stage.register(`${id}-2`, await root.leaf(`${id}-2`));
    assert.equal((await stage.enrollments.getIndividual(id))?.attestation.type, "symmetricKey");
    assert.doesNotMatch(JSON.stringify(outs), /primaryKey|secondaryKey/);
    stage.reset();
    assert.deepEqual((await up(outs, denied())).live, outs.live);
    assert.deepEqual(stage.writes, []);
  });

  it("are put right when somebody enables the entry", async () => {
    const outs = await create(denied());
    await stage.byHand("individual", id, { provisioningStatus: "enabled" });
    const { props } = await handler.read(id, outs);
    await up(props!, denied());
    assert.equal(await stage.isEnabled("individual", id), false);
  });

  it("let a device live on with a new leaf, in an entry that shadows the group", async () => {
    const outs = await create(denied({ primary: slot(leaf) }));
    assert.match(await failure(stage.register(id, leaf)), /Unauthorized/);
    const next = await root.leaf(id);
    await up(outs, inputs({ primary: slot(next) }));
    await stage.register(id, next);
    assert.match(await failure(stage.register(id, leaf)), /Invalid certificate/);
  });

  it("are the same entry as an enrollment that spells the ID otherwise", async () => {
    const outs = await create(inputs({ enrollmentId: id.toUpperCase(), primary: slot(leaf) }));
    stage.reset();
    const after = await up(outs, denied({ primary: slot(leaf) }));
    assert.equal(after.live.provisioningStatus, "disabled");
    assert.deepEqual(stage.writes, [`PUT /enrollments/${id.toUpperCase()}`]);
  });

  it("go on from what `npm run contain` made, for a leaf and for a registration ID", async () => {
    await contained(file(leaf));
    stage.reset();
    const outs = await create(denied({ primary: slot(leaf), compromised: stolen(leaf) }));
    assert.deepEqual(stage.writes, []);
    assert.match(stage.said.join(), /already as declared/);
    assert.equal(outs.live.provisioningStatus, "disabled");

    id = `${id}-3`;
    leaf = await root.leaf(id);
    await contained(id);
    await create(denied({ primary: slot(leaf) }));
    assert.equal(await stage.isEnabled("individual", id), false);
  });

  it("give way to a new leaf after `npm run contain` shut the old one out", async () => {
    await contained(file(leaf));
    const next = await root.leaf(id);
    await create(inputs({ primary: slot(next), compromised: stolen(leaf) }));
    await stage.register(id, next);
    assert.match(await failure(stage.register(id, leaf)), /Invalid certificate/);
    const foreign = await failure(create(inputs({ primary: slot(leaf) })));
    assert.match(foreign, /DPS-CERT-129/);
  });

  it("hold an intermediate in a disabled group, the one that `npm run contain` made", async () => {
    const plant = await root.intermediate(`Plant ${count}`);
    const device = await plant.leaf(id);
    await stage.register(id, device);
    await contained(file(plant));
    stage.reset();
    const summary = summarize(plant.pem);
    const { outs } = await stage.listening(() =>
      enrollmentGroup.create(
        inputs({
          enrollmentId: denialGroupId(summary),
          provisioningStatus: "disabled",
          primary: slot(plant),
        }),
      ),
    );
    assert.deepEqual(stage.writes, []);
    assert.match(await failure(stage.register(id, device)), /Unauthorized/);
    await enrollmentGroup.delete(denialGroupId(summary), outs);
    await stage.register(id, device);
  });

  it("of a CA found by `npm run contain` keep its time as the cut-off of the declared breach", async () => {
    const plant = await root.intermediate(`Works ${count}`);
    const group = `works-${count}`;
    await stage.enrollments.putGroup({
      enrollmentGroupId: group,
      attestation: {
        type: "x509",
        x509: { signingCertificates: { primary: { certificate: plant.pem } } },
      },
    });
    const { entries } = await contained(file(plant));
    assert.deepEqual(
      entries.map(({ id: one, how }) => [one, how]),
      [[group, "closed now"]],
    );
    stage.clock.advance(60 * SECOND_MS);
    stage.reset();
    const compromised = stolen(plant);
    const { outs } = await stage.listening(() =>
      breachContainment.create({ connection: stage.connection, compromised, caKeys: {} }),
    );
    assert.deepEqual(stage.writes, []);
    assert.deepEqual(outs.contained[compromised[0]!.key]?.entries, [
      { kind: "group", id: group, cutOff: entries[0]?.since, settling: [] },
    ]);
  });
});

describe("denials, whichever way DPS matches a disabled entry", () => {
  for (const disabledIndividualDenies of ["registration-id", "certificate"] as const) {
    it(`hold where the certificate is at hand, when it matches by ${disabledIndividualDenies}`, async () => {
      const stage = await Stage.open(undefined, { disabledIndividualDenies });
      try {
        const root = await TestCa.root("Yard root");
        await new CaCertificatesClient(stage.connection).upload("yard", root.pem, {
          selfAttested: true,
        });
        await stage.putGroup("yard", { primary: "yard" });
        const deny = async (id: string, fields: object): Promise<void> => {
          await stage.listening(() =>
            handler.create({
              connection: stage.connection,
              enrollmentId: id,
              provisioningStatus: "disabled",
              reprovisionPolicy: "migrate",
              compromised: [],
              denied: "sold",
              ...fields,
            }),
          );
        };
        const known = await root.leaf("van-a");
        await deny("van-a", { primary: slot(known) });
        assert.match(await failure(stage.register("van-a", known)), /Unauthorized/);
        // By the ID alone it depends, and a warning (DPS-CERT-086) says so.
        await deny("van-b", {});
        const registered = stage.register("van-b", await root.leaf("van-b"));
        if (disabledIndividualDenies === "certificate") await registered;
        else assert.match(await failure(registered), /Unauthorized/);
      } finally {
        await stage.close();
      }
    });
  }
});
