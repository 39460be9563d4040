import assert from "node:assert/strict";
import { UNKNOWN } from "../../dynamic-providers/handler";
import type { EnrollmentInputs, EnrollmentOutputs } from "../../dynamic-providers/enrollment/live";
import { slotWords } from "../../dynamic-providers/enrollment/slots";
import { individualEnrollment } from "../../dynamic-providers/individual-enrollment/provider";
import { type Issued, TestCa } from "../support/test-ca";
import { afterNextRead, failure, slot, Stage, stolen, WITHOUT_HUBS } from "./stage";

describe("individual enrollments, as the engine calls them", () => {
  const handler = individualEnrollment;
  let stage: Stage;
  let first: Issued;
  let second: Issued;
  let third: Issued;
  let count = 0;
  let id: string;

  before(async () => {
    stage = await Stage.open(WITHOUT_HUBS);
    first = await TestCa.selfSigned("truck");
    second = await TestCa.selfSigned("truck");
    third = await TestCa.selfSigned("truck");
  });

  after(() => stage.close());

  beforeEach(() => {
    count += 1;
    id = `truck-${count}`;
    stage.reset();
  });

  function inputs(fields: Partial<EnrollmentInputs> = {}): EnrollmentInputs {
    return {
      connection: stage.connection,
      enrollmentId: id,
      provisioningStatus: "enabled",
      reprovisionPolicy: "migrate",
      compromised: [],
      ...fields,
    };
  }

  async function created(fields: Partial<EnrollmentInputs>): Promise<EnrollmentOutputs> {
    const { outs } = await stage.listening(() => handler.create(inputs(fields)));
    stage.reset();
    return outs;
  }

  function update(olds: EnrollmentOutputs, news: EnrollmentInputs): Promise<EnrollmentOutputs> {
    return stage.listening(async () => (await handler.update(id, olds, news)).outs);
  }

  /** An enabled entry with this certificate alone, as messages describe it. */
  const words = (certificate: Issued): string =>
    `enabled, primary ${slotWords(slot(certificate))}, secondary empty, reprovisioning migrate`;

  const thumbprints = async (): Promise<(string | undefined)[]> => {
    const record = await stage.enrollments.getIndividual(id);
    const { primary, secondary } = record?.attestation.x509?.clientCertificates ?? {};
    return [primary, secondary].map((one) => one?.info?.sha256Thumbprint);
  };

  it("creates what is declared and tells what is live", async () => {
    const { id: created, outs } = await handler.create(
      inputs({ primary: slot(first), secondary: slot(second), deviceId: "lorry" }),
    );
    assert.equal(created, id);
    assert.equal(outs.live.primary?.sha256Thumbprint, first.thumbprint);
    assert.equal(outs.live.secondary?.sha256Thumbprint, second.thumbprint);
    assert.equal(outs.live.deviceId, "lorry");
    assert.deepEqual(await thumbprints(), [first.thumbprint, second.thumbprint]);
    assert.equal((await handler.diff(id, outs, outs)).changes, false);
  });

  it("goes on from an entry that is already as declared, says so, and writes nothing", async () => {
    const before = await created({ primary: slot(first) });
    const again = await stage.listening(() => handler.create(inputs({ primary: slot(first) })));
    assert.deepEqual(again.outs.live, before.live);
    assert.deepEqual(stage.writes, []);
    assert.deepEqual(stage.said, [
      `individual enrollment "${id}" is already as declared; nothing was written.`,
    ]);
  });

  it("does not overwrite an entry that it did not make, and shows both sides", async () => {
    await stage.putIndividual(id, first.pem);
    stage.reset();
    const message = await failure(handler.create(inputs({ primary: slot(second) })));
    const since = (await stage.enrollments.getIndividual(id))?.lastUpdatedDateTimeUtc;
    assert.equal(
      message,
      `DPS-CERT-129 at individualEnrollments.${id}: found an entry that is in DPS already, not made by this stack: ` +
        `in DPS ${words(first)}, last changed ${since}; declared ${words(second)}; ` +
        "fix: take it over with adopt: true, or delete it in DPS",
    );
    assert.deepEqual(stage.writes, []);
    assert.deepEqual(await thumbprints(), [first.thumbprint, first.thumbprint]);
  });

  it("sends a certificate that is declared only as the secondary as the primary", async () => {
    const outs = await created({ secondary: slot(first) });
    assert.equal(outs.live.primary?.sha256Thumbprint, first.thumbprint);
    assert.equal(outs.live.secondary, undefined);
    assert.equal((await handler.diff(id, outs, inputs({ secondary: slot(first) }))).changes, false);
    // Retiring the primary of two moves the secondary, in one write.
    const both = await update(outs, inputs({ primary: slot(first), secondary: slot(second) }));
    stage.reset();
    await update(both, inputs({ secondary: slot(second) }));
    assert.equal(stage.writes.length, 1);
    assert.deepEqual(await thumbprints(), [second.thumbprint, second.thumbprint]);
  });

  it("goes on when somebody else writes in between what this stack does not manage", async () => {
    const before = await created({ primary: slot(first) });
    const restore = afterNextRead("getIndividual", () =>
      stage.byHand("individual", id, { optionalDeviceInformation: { model: "T2" } }),
    );
    try {
      await update(before, inputs({ primary: slot(first), secondary: slot(second) }));
    } finally {
      restore();
    }
    const record = await stage.enrollments.getIndividual(id);
    assert.deepEqual(record?.optionalDeviceInformation, { model: "T2" });
    assert.deepEqual(await thumbprints(), [first.thumbprint, second.thumbprint]);
  });

  it("stops when somebody else writes in between what it manages, and shows both sides", async () => {
    const before = await created({ primary: slot(first) });
    const restore = afterNextRead("getIndividual", () =>
      stage.byHand("individual", id, {
        attestation: {
          type: "x509",
          x509: { clientCertificates: { primary: { certificate: third.pem } } },
        },
      }),
    );
    let message: string;
    try {
      message = await failure(update(before, inputs({ primary: slot(second) })));
    } finally {
      restore();
    }
    const since = (await stage.enrollments.getIndividual(id))?.lastUpdatedDateTimeUtc;
    assert.equal(
      message,
      `DPS-CERT-128 at individualEnrollments.${id}: found an entry that somebody else changed: ` +
        `in DPS ${words(third)}, last changed ${since}; expected ${words(first)}; ` +
        "fix: run `pulumi refresh` to see the difference, then `pulumi up` again",
    );
    assert.deepEqual(await thumbprints(), [third.thumbprint, third.thumbprint]);
  });

  it("gives up when somebody else writes each time", async () => {
    const before = await created({ primary: slot(first) });
    let turn = 0;
    const restore = afterNextRead(
      "getIndividual",
      () => stage.byHand("individual", id, { optionalDeviceInformation: { turn: (turn += 1) } }),
      100,
    );
    try {
      await assert.rejects(update(before, inputs({ primary: slot(second) })), {
        code: "PreconditionFailed",
      });
    } finally {
      restore();
    }
    assert.equal(turn, 5);
    assert.deepEqual(await thumbprints(), [first.thumbprint, first.thumbprint]);
  });

  it("enables an entry that is declared disabled until then", async () => {
    const before = await created({ primary: slot(first), provisioningStatus: "disabled" });
    assert.equal(await stage.isEnabled("individual", id), false);
    const { live } = await update(before, inputs({ primary: slot(first) }));
    assert.equal(live.provisioningStatus, "enabled");
  });

  it("enables an entry that a containment disabled, with the update that takes the key out", async () => {
    const before = await created({ primary: slot(first) });
    await stage.byHand("individual", id, { provisioningStatus: "disabled" });
    const news = inputs({ primary: slot(second), compromised: stolen(first) });
    const checked = await handler.check(before, news);
    assert.match(checked.inputs?.roll ?? "", /breach/);
    const { live } = await update(before, checked.inputs!);
    assert.equal(live.provisioningStatus, "enabled");
    assert.deepEqual(await thumbprints(), [second.thumbprint, second.thumbprint]);
  });

  it("deletes only what still carries what it wrote; a disabled entry too", async () => {
    const before = await created({ primary: slot(first) });
    await stage.byHand("individual", id, { provisioningStatus: "disabled" });
    await handler.delete(id, before);
    assert.equal(await stage.enrollments.getIndividual(id), undefined);
    await handler.delete(id, before);

    await stage.putIndividual(id, third.pem);
    const message = await failure(handler.delete(id, before));
    assert.ok(message.includes(`in DPS ${words(third)}, last changed `), message);
    assert.ok(message.includes(`; expected ${words(first)}; fix: `), message);
    assert.deepEqual(await thumbprints(), [third.thumbprint, third.thumbprint]);
  });

  it("does not parse what is not known yet", async () => {
    const olds = await created({ primary: slot(first) });
    const unknown = { pem: UNKNOWN, certificate: UNKNOWN } as unknown as ReturnType<typeof slot>;
    const news = inputs({ primary: unknown, connection: UNKNOWN as never });
    const checked = await handler.check(olds, news);
    assert.equal(checked.failures, undefined);
    const diff = await handler.diff(id, olds, checked.inputs!);
    assert.deepEqual(diff, { changes: true, replaces: [] });
    const waiting = await handler.check(olds, inputs({ compromised: UNKNOWN as never }));
    assert.equal(waiting.inputs?.roll, "known when the update runs");
  });

  it("replaces when the registration ID or the service changes", async () => {
    const olds = await created({ primary: slot(first) });
    const renamed = inputs({ primary: slot(first), enrollmentId: "other" });
    assert.deepEqual((await handler.diff(id, olds, renamed)).replaces, ["enrollmentId"]);
    const moved = inputs({
      primary: slot(first),
      connection: { ...stage.connection, serviceHostName: "other.sandbox.test" },
    });
    assert.deepEqual((await handler.diff(id, olds, moved)).replaces, ["connection"]);
  });

  it("keeps the words of the last roll while nothing changes", async () => {
    const made = await handler.check({}, inputs({ primary: slot(first) }));
    assert.equal(made.inputs?.roll, `new individual enrollment \`${id}\``);
    const again = await handler.check(made.inputs, inputs({ primary: slot(first) }));
    assert.equal(again.inputs?.roll, made.inputs?.roll);
    const next = inputs({ primary: slot(first), secondary: slot(second) });
    const rolled = await handler.check(again.inputs, next);
    assert.match(rolled.inputs?.roll ?? "", /expiration roll .*: prepare/);
  });

  it("shows no key in the error when a key stands where a certificate belongs", async () => {
    const wrong = { ...slot(first), pem: first.key };
    const message = await failure(handler.create(inputs({ primary: wrong })));
    assert.match(message, /answered 400/);
    const body = first.key.split("\n").slice(1, -2);
    assert.ok(body.length > 0 && body.every((line) => !message.includes(line)));
    assert.equal(await stage.enrollments.getIndividual(id), undefined);
  });
});
