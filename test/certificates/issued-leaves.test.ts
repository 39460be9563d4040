import assert from "node:assert/strict";
import { compromisedKeys } from "../../certificates/compromised-keys";
import { formatFault } from "../../certificates/faults";
import {
  goodIssuers,
  type IssuedLeaf,
  LeafEvidence,
  parseIssuedLeaves,
  unknownIssuers,
} from "../../certificates/issued-leaves";
import { summarize } from "../../certificates/summary";
import type { Issued, TestCa } from "../support/test-ca";
import { below, declared, leaf, root, shown } from "./fixtures";

const LEAF = "AB".repeat(32);
const ISSUER = "CD".repeat(32);
const row = { registrationId: "d-1", leafSha256: LEAF, issuerThumbprint: ISSUER };
const PATH = "remove.issuedLeaves";

function faults(rows: unknown): string[] {
  const text = typeof rows === "string" ? rows : JSON.stringify(rows);
  return parseIssuedLeaves(text, PATH).faults.map(formatFault);
}

describe("the manifest of issued leaves", () => {
  it("takes thumbprints as tools print them", () => {
    const { leaves, faults } = parseIssuedLeaves(
      JSON.stringify([
        { ...row, leafSha256: LEAF.toLowerCase().replace(/..(?=.)/g, "$&:") },
        { ...row, registrationId: "d-2", leafSha256: ISSUER, issuerThumbprint: "ef".repeat(20) },
      ]),
      PATH,
    );
    assert.deepEqual(faults, []);
    assert.deepEqual(leaves, [
      row,
      { registrationId: "d-2", leafSha256: ISSUER, issuerThumbprint: "EF".repeat(20) },
    ]);
  });

  const list =
    'give a JSON list of { "registrationId": …, "leafSha256": …, "issuerThumbprint": … }, one for each leaf';
  const sha256 = "give the SHA-256 of the leaf (64 hexadecimal digits): that is what IoT hubs keep";
  const issuer =
    "give the SHA-256 (64 hexadecimal digits) or SHA-1 (40) of the issuing CA certificate";
  const rows: [string, unknown, string, string, string][] = [
    ["text that is no JSON", "registrationId,leaf", "", "what is not JSON", list],
    ["an object", {}, "", "JSON that is not a list", list],
    ["a text in the list", ["d-1"], "[0]", "what is not an object", list],
    ["a misspelt property", [{ ...row, leaf: "x" }], "[0]", "the unknown property leaf", list],
    ["an empty ID", [{ ...row, registrationId: "" }], "[0]", "no text in registrationId", list],
    [
      "a SHA-1 where the hub has a SHA-256",
      [row, { ...row, leafSha256: "AB".repeat(20) }],
      "[1]",
      "a leafSha256 of the length of a SHA-1 thumbprint",
      sha256,
    ],
    [
      "a leaf that is no thumbprint",
      [{ ...row, leafSha256: "xyz" }],
      "[0]",
      "a leafSha256 that is no SHA-256 thumbprint",
      sha256,
    ],
    [
      "an issuer by name",
      [{ ...row, issuerThumbprint: "CN=Root" }],
      "[0]",
      "an issuerThumbprint that is no thumbprint",
      issuer,
    ],
    [
      "one leaf with two issuers",
      [row, { ...row, issuerThumbprint: LEAF }],
      "[1]",
      "the leaf ABABABAB…, which an earlier row has with another device or issuer",
      "keep the row that is right",
    ],
  ];
  for (const [name, broken, at, found, fix] of rows) {
    it(`refuses ${name}`, () => {
      assert.deepEqual(faults(broken), [
        `DPS-CERT-100 at ${PATH}${at}: found ${found}; fix: ${fix}`,
      ]);
    });
  }

  it("says ten faults and how many more there are", () => {
    const said = faults(Array.from({ length: 13 }, () => "d-1"));
    assert.equal(said.length, 11);
    assert.equal(
      said.at(-1),
      `DPS-CERT-100 at ${PATH}: found 3 more rows like these; fix: ${list}`,
    );
  });
});

describe("evidence of who issued a leaf", () => {
  let bad: TestCa;
  let under: TestCa;
  let good: TestCa;
  let goodLeaf: Issued;
  let badLeaf: Issued;
  let evidence: (leaves: IssuedLeaf[]) => LeafEvidence;

  const sha256 = (one: { pem: string }) => summarize(one.pem).sha256Thumbprint;
  const sha1 = (one: { pem: string }) => summarize(one.pem).sha1Thumbprint;
  const issued = (leaf: { pem: string }, issuerThumbprint: string, registrationId = "d-1") => ({
    registrationId,
    leafSha256: sha256(leaf),
    issuerThumbprint,
  });

  before(async () => {
    bad = await root("Bad root");
    under = await below(bad, "Under it");
    good = await root("Good root");
    goodLeaf = await leaf(good, "d-1");
    badLeaf = await leaf(under, "d-1");
    const all = declared(
      { bad, under, good, idle: await root("Idle root") },
      {
        caCertificates: { good: { certificate: "good" } },
        enrollmentGroups: { plant: { primary: { ca: "good" }, status: "enabled" } },
        compromised: [{ certificate: "bad", reason: "stolen" }],
      },
    );
    const [key] = compromisedKeys(all);
    evidence = (leaves) => new LeafEvidence(key!, goodIssuers(all), leaves);
  });

  it("is good only when a CA that is admitted and not reached issued it to this very device", () => {
    const good256 = sha256(good);
    const proven = [issued(goodLeaf, good256)];
    assert.equal(evidence(proven).of("D-1", [sha256(goodLeaf)]), "good");
    assert.equal(evidence(proven).of("d-2", [sha256(goodLeaf)]), "unknown");
    assert.equal(evidence([issued(goodLeaf, sha1(good))]).of("d-1", [sha256(goodLeaf)]), "good");
    assert.equal(evidence(proven).of("d-1", []), "unknown");
    assert.equal(evidence([]).of("d-1", [sha256(goodLeaf)]), "unknown");
    assert.equal(evidence([issued(goodLeaf, ISSUER)]).of("d-1", [sha256(goodLeaf)]), "unknown");
  });

  it("is compromised below the compromised CA, also by way of an intermediate", () => {
    assert.equal(
      evidence([issued(badLeaf, sha256(bad))]).of("d-1", [sha256(badLeaf)]),
      "compromised",
    );
    assert.equal(
      evidence([issued(badLeaf, sha1(under))]).of("d-1", [sha256(badLeaf)]),
      "compromised",
    );
  });

  it("takes one bad slot for bad, and wants all to be good", () => {
    const leaves = [issued(goodLeaf, sha256(good)), issued(badLeaf, sha256(bad))];
    const both = [sha256(goodLeaf), sha256(badLeaf)];
    assert.equal(evidence(leaves).of("d-1", both), "compromised");
    assert.equal(evidence(leaves.slice(0, 1)).of("d-1", both), "unknown");
  });

  it("finds the stolen leaf by either hash, and never takes one hash for the other", () => {
    const [key] = compromisedKeys(
      declared({ stolen: goodLeaf }, { compromised: [{ certificate: "stolen", reason: "lost" }] }),
    );
    const of = (thumbprint: string) => new LeafEvidence(key!, [], []).of("d-1", [thumbprint]);
    assert.equal(of(sha256(goodLeaf)), "stolen");
    // A hub identity that somebody wrote by hand may hold a SHA-1.
    assert.equal(of(sha1(goodLeaf)), "stolen");
    // What a comparison with the wrong hash would find: the beginning of the SHA-256.
    assert.equal(of(sha256(goodLeaf).slice(0, 40)), "unknown");
    const onlySha1 = new LeafEvidence({ ...key!, thumbprints: [sha1(goodLeaf)] }, [], []);
    assert.equal(onlySha1.of("d-1", [sha256(goodLeaf)]), "unknown");
  });

  it("calls no CA good that nothing admits, and names issuers that are not declared", async () => {
    const intermediate = await below(good, "Good intermediate");
    const all = declared(
      { good, intermediate, bad },
      { enrollmentGroups: { plant: { primary: { certificate: "good" }, status: "enabled" } } },
    );
    assert.deepEqual(
      goodIssuers(all),
      [sha1(good), sha256(good), sha1(intermediate), sha256(intermediate)].sort(),
      shown(bad),
    );
    assert.deepEqual(
      unknownIssuers([row, issued(goodLeaf, sha1(good))], all, PATH).map(formatFault),
      [
        `DPS-CERT-101 at ${PATH}: found 1 leaf from the issuer ${ISSUER}, which is not in certificates; fix: declare its certificate, so that it is known whether a compromised CA stands above it`,
      ],
    );
  });
});
