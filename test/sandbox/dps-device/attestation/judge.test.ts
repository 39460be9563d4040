import assert from "node:assert/strict";
import { judge } from "../../../../sandbox/dps-device/attestation/judge";
import { DEFAULT_SWITCHES } from "../../../../sandbox/common/switches";
import { TestCa } from "../../../support/test-ca";
import { chainCases } from "./chain-cases";
import { groupCases } from "./group-cases";
import { individualCases } from "./individual-cases";
import { DATES, ID, individual, NOW, world, type Case } from "./world";

describe("judging the certificates of a device", () => {
  let all: Case[];
  before(async () => {
    const w = await world();
    all = [...(await individualCases(w)), ...groupCases(w), ...(await chainCases(w))];
  });

  // The certificates are made asynchronously, so the rows are known only when the suite runs.
  it("decides every row of the table", () => {
    assert.ok(all.length >= 25, `only ${all.length} rows`);
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length, "a name is used twice");
    const wrong = all.flatMap((row) => {
      const verdict = judge({
        presented: row.presented,
        registrationId: row.registrationId ?? ID,
        individuals: row.individuals ?? [],
        groups: row.groups ?? [],
        caCertificates: row.cas ?? [],
        now: row.now ?? NOW,
        switches: { ...DEFAULT_SWITCHES, ...row.switches },
      });
      const got = verdict.admitted ? `${verdict.by.kind} ${verdict.by.id}` : verdict.refusal;
      const detail = verdict.admitted ? "" : ` (${verdict.detail})`;
      return got === row.want ? [] : [`${row.name}: ${got}${detail} instead of ${row.want}`];
    });
    assert.deepEqual(wrong, []);
  });

  it("names the SHA-256 thumbprint of the leaf, in upper case", async () => {
    const leaf = await TestCa.selfSigned(ID, DATES);
    const verdict = judge({
      presented: [leaf.der],
      registrationId: ID,
      individuals: [individual([leaf])],
      groups: [],
      caCertificates: [],
      now: NOW,
      switches: DEFAULT_SWITCHES,
    });
    assert.equal(verdict.admitted && verdict.thumbprint, leaf.thumbprint);
  });

  it("words refusals as the service does", () => {
    const told = (name: string) => {
      const row = all.find((one) => one.name === name)!;
      const verdict = judge({
        presented: row.presented,
        registrationId: ID,
        individuals: row.individuals ?? [],
        groups: row.groups ?? [],
        caCertificates: row.cas ?? [],
        now: NOW,
        switches: { ...DEFAULT_SWITCHES, ...row.switches },
      });
      return verdict.admitted ? "admitted" : verdict.message;
    };
    assert.equal(told("root not uploaded"), "CA certificate not found.");
    assert.equal(told("first entry disabled, root's group enabled"), "Unauthorized");
    assert.equal(
      told("same key and name, other certificate: compared byte by byte"),
      "Invalid certificate",
    );
  });
});
