/**
 * The simulation of DPS's matching, held against the sandbox's own judgement, which shares no code with
 * it: two readings of the same documents have to agree on thousands of services.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  Admission,
  type Answer,
  ASSUMED,
  type Assumptions,
  type Outcome,
  type PresentingDevice,
  type ServiceHoldings,
} from "../../certificates/admission";
import { type ChainCertificate, chainCertificate } from "../../certificates/chain-certificate";
import { DEFAULT_SWITCHES } from "../../sandbox/common/switches";
import { judge, type Refusal, type Verdict } from "../../sandbox/dps-device/attestation/judge";
import { makePool, NOW, type Pool, type RandomDevice, type Trial, trials } from "./admission-pool";

const REASONS: Record<Exclude<Outcome, { admitted: true }>["reason"], Refusal[]> = {
  "common name": ["common name"],
  "individual enrollment disabled": ["individual disabled"],
  "not in its individual enrollment": ["individual unmatched"],
  "leaf not valid": ["individual invalid"],
  "chain sent with an individual enrollment": ["individual with chain"],
  // A chain that is broken at one place and open at another: which of the two is said is a matter of words.
  "no chain to a verified CA": ["no CA", "unverified CA", "chain invalid"],
  "chain not valid": ["chain invalid", "unverified CA"],
  "no enrollment": ["no enrollment"],
  "enrollment group disabled": ["group disabled"],
};

describe("DPS's matching, simulated", function () {
  this.timeout(120_000);
  let pool: Pool;
  let all: Map<string, ChainCertificate>;

  before(async () => {
    pool = await makePool();
    all = new Map(
      [...pool.cas, ...pool.leaves].map(({ pem }) => {
        const read = chainCertificate(pem);
        return [read.id, read];
      }),
    );
  });

  function holdings({ service }: Trial): ServiceHoldings {
    const leafIds = (holds: number[]) => holds.map((index) => pool.leaves[index]!.thumbprint);
    const caIds = (holds: number[]) => holds.map((index) => pool.cas[index]!.thumbprint);
    return {
      individuals: service.individuals.map(({ id, enabled, holds }) => ({
        id,
        enabled,
        certificates: leafIds(holds),
      })),
      groups: service.groups.map(({ id, enabled, holds }) => ({
        id,
        enabled,
        certificates: caIds(holds),
      })),
      cas: service.cas.map(({ index, verified }) => ({
        id: pool.cas[index]!.thumbprint,
        verified,
      })),
    };
  }

  function presenting({ registrationId, leaf, above }: RandomDevice): PresentingDevice {
    return {
      registrationId,
      leaf: pool.leaves[leaf]!.thumbprint,
      above: above.map((index) => pool.cas[index]!.thumbprint),
    };
  }

  function sandboxSays({ service, switches }: Trial, device: RandomDevice): Verdict {
    const ca = (index: number) => pool.cas[index]!.der;
    return judge({
      presented: [pool.leaves[device.leaf]!.der, ...device.above.map(ca)],
      registrationId: device.registrationId,
      individuals: service.individuals.map(({ id, enabled, holds }) => ({
        registrationId: id,
        enabled,
        certificates: holds.map((index) => pool.leaves[index]!.der),
      })),
      groups: service.groups.map(({ id, enabled, holds }) => ({
        id,
        enabled,
        certificates: holds.map(ca),
      })),
      caCertificates: service.cas.map(({ index, verified }) => ({
        der: ca(index),
        isVerified: verified,
      })),
      now: NOW,
      switches: { ...DEFAULT_SWITCHES, ...switches },
    });
  }

  function isSame(outcome: Outcome, verdict: Verdict): boolean {
    return outcome.admitted
      ? verdict.admitted && outcome.kind === verdict.by.kind && outcome.id === verdict.by.id
      : !verdict.admitted && REASONS[outcome.reason].includes(verdict.refusal);
  }

  function admission(trial: Trial, certificates = all, names?: Map<string, string>): Admission {
    const assumptions = { ...ASSUMED, ...(trial.switches as Partial<Assumptions>) };
    const options = { now: NOW, certificates, assumptions };
    return new Admission(holdings(trial), names ? { ...options, commonNames: names } : options);
  }

  function includes(answer: Answer, verdict: Verdict): boolean {
    return !answer.known || answer.outcomes.some((outcome) => isSame(outcome, verdict));
  }

  it("comes to the sandbox's answer for every device of thousands of random services", () => {
    const seen: Record<string, number> = {};
    fc.assert(
      fc.property(trials(pool), (trial) => {
        const simulated = admission(trial);
        // With one certificate in several groups, or a cross-signed twin, DPS has a choice.
        const held = trial.service.groups.flatMap(({ holds }) => [...new Set(holds)]);
        const isPlain = new Set(held).size === held.length;
        for (const device of trial.devices) {
          const verdict = sandboxSays(trial, device);
          const answer = simulated.of(presenting(device));
          assert.ok(answer.known);
          assert.ok(includes(answer, verdict), JSON.stringify({ answer, verdict }));
          const hasTwins = [
            ...device.above,
            ...held,
            ...trial.service.cas.map(({ index }) => index),
          ];
          const isCertain = isPlain && !(hasTwins.includes(3) && hasTwins.includes(4));
          if (isCertain && trial.switches.disabledGroupDenies === "first-hit") {
            assert.equal(answer.outcomes.length, 1, JSON.stringify(answer));
          }
          const what = verdict.admitted ? `by ${verdict.by.kind}` : verdict.refusal;
          seen[what] = (seen[what] ?? 0) + 1;
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
    // The random services come to every kind of answer, or the property would say little.
    assert.deepEqual(
      Object.keys(seen).sort(),
      [
        "by group",
        "by individual",
        "chain invalid",
        "common name",
        "group disabled",
        "individual disabled",
        "individual invalid",
        "individual unmatched",
        "individual with chain",
        "no CA",
        "no enrollment",
        "unverified CA",
      ],
      JSON.stringify(seen),
    );
    assert.ok((seen["by group"] ?? 0) > 400, JSON.stringify(seen));
  });

  it("needs only the issuer's thumbprint of a sound leaf that it does not have", () => {
    const cas = new Map(
      [...all].filter(([id]) => pool.cas.some(({ thumbprint }) => thumbprint === id)),
    );
    fc.assert(
      fc.property(trials(pool), (trial) => {
        const simulated = admission(trial, cas);
        for (const device of trial.devices) {
          const { issuer, isSound, commonName } = pool.leaves[device.leaf]!;
          if (!isSound || issuer === undefined || commonName !== device.registrationId) continue;
          const answer = simulated.of({
            ...presenting(device),
            issuer: pool.cas[issuer]!.thumbprint,
          });
          assert.ok(answer.known);
          const verdict = sandboxSays(trial, device);
          // Of an issuer that may not sign the two say different things; both refuse.
          const isRefused = !verdict.admitted && answer.outcomes.some(({ admitted }) => !admitted);
          assert.ok(isRefused || includes(answer, verdict), JSON.stringify({ answer, verdict }));
        }
      }),
      { numRuns: 400, seed: 2 },
    );
  });

  it("says that it does not know, and nothing wrong, when certificates are not known to it", () => {
    let notKnown = 0;
    fc.assert(
      fc.property(
        trials(pool),
        fc.subarray([0, 1, 2, 3, 4, 5, 6]),
        fc.boolean(),
        (trial, gaps, named) => {
          const missing = new Set(gaps.map((index) => pool.cas[index]!.thumbprint));
          const rest = new Map([...all].filter(([id]) => !missing.has(id)));
          const names = new Map(
            [...all].map(([id, { summary }]) => [id, summary.subjectCommonName]),
          );
          const simulated = admission(trial, rest, named ? names : undefined);
          for (const device of trial.devices) {
            const answer = simulated.of(presenting(device));
            if (!answer.known) notKnown += 1;
            const verdict = sandboxSays(trial, device);
            assert.ok(includes(answer, verdict), JSON.stringify({ answer, verdict }));
          }
        },
      ),
      { numRuns: 400, seed: 3 },
    );
    assert.ok(notKnown > 50, String(notKnown));
  });

  it("does not know a device without an issuer", () => {
    const service = { individuals: [], groups: [], cas: [] };
    const simulated = new Admission(service, { now: NOW, certificates: new Map() });
    assert.deepEqual(simulated.of({ registrationId: "device-1", leaf: "00", above: [] }), {
      known: false,
      why: "who issued its leaf is not known",
    });
  });
});
