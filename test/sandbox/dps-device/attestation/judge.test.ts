import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { judge } from "../../../../sandbox/dps-device/attestation/judge";
import { DEFAULT_SWITCHES } from "../../../../sandbox/common/switches";
import { TestCa } from "../../../support/test-ca";
import { DATES, ID, individual, NOW } from "./world";
import { exhibits, outcomeOf, zooPage, type Exhibit } from "./zoo";

describe("judging the certificates of a device", () => {
  let all: Exhibit[];
  before(async () => {
    all = await exhibits();
  });

  // The certificates are made asynchronously, so the rows are known only when the suite runs.
  it("decides every row of the zoo, at DPS and at the hub", () => {
    assert.ok(all.length >= 100, `only ${all.length} rows`);
    assert.equal(new Set(all.map(({ row }) => row.name)).size, all.length, "a name is used twice");
    const wrong = all.flatMap(({ row, verdict, hub }) => {
      const got = `${outcomeOf(verdict)}; ${hub}`;
      const want = `${row.want}; ${row.hub ?? "connects"}`;
      const detail = verdict.admitted ? "" : ` (${verdict.detail})`;
      return got === want ? [] : [`${row.name}: ${got}${detail} instead of ${want}`];
    });
    assert.deepEqual(wrong, []);
  });

  it("agrees with docs/reference/certificate-zoo.md", async () => {
    const page = readFileSync(
      join(__dirname, "../../../../docs/reference/certificate-zoo.md"),
      "utf8",
    );
    const now = await zooPage(all);
    assert.equal(page, now, "run: npx tsx docs/reference/write-certificate-zoo.ts");
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
      const { verdict } = all.find(({ row }) => row.name === name)!;
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
