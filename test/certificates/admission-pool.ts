/** Certificates of every kind, made once, and random services and devices that use them. */
import "reflect-metadata";
import { Extension } from "@peculiar/x509";
import fc from "fast-check";
import type { Switches } from "../../sandbox/common/switches";
import { type Issued, KeyUsageFlags, TestCa } from "../support/test-ca";

export const NOW = new Date("2026-06-01T00:00:00Z");
const VALID = {
  notBefore: new Date("2026-01-01T00:00:00Z"),
  notAfter: new Date("2027-01-01T00:00:00Z"),
};
const OVER = { ...VALID, notAfter: new Date("2026-05-31T00:00:00Z") };
const TO_COME = { ...VALID, notBefore: new Date("2026-06-02T00:00:00Z") };
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
export const IDS = ["device-1", "device-2", "device-3"] as const;

export interface PoolLeaf extends Issued {
  commonName: string;
  /** Index in `cas` of who issued it; undefined: self-signed. */
  issuer: number | undefined;
  /** Nothing is wrong with it. */
  isSound: boolean;
}

export interface Pool {
  cas: { name: string; der: Buffer; pem: string; thumbprint: string; issuers: number[] }[];
  leaves: PoolLeaf[];
}

export async function makePool(): Promise<Pool> {
  const a = await TestCa.root("Root A", VALID);
  const b = await TestCa.root("Root B", VALID);
  const old = await TestCa.root("Root Old", OVER);
  const low = await a.intermediate("Low", VALID);
  // The same key and name, signed by another root.
  const twin = await b.intermediate("Low", { ...VALID, keys: low.certificate.keys });
  const line = await low.intermediate("Line", VALID);
  const other = await b.intermediate("Other", VALID);
  const expired = await a.intermediate("Expired", OVER);
  const belowOld = await old.intermediate("Below Old", VALID);
  const short = await a.intermediate("Short", { ...VALID, pathLength: 0 });
  const belowShort = await short.intermediate("Below Short", VALID);
  const noCa = await a.intermediate("No CA", { ...VALID, ca: false });
  const noSigning = await a.intermediate("No signing", {
    ...VALID,
    keyUsage: KeyUsageFlags.digitalSignature,
  });
  const servers = await b.intermediate("Servers", { ...VALID, extendedKeyUsage: [SERVER_AUTH] });
  const constrained = await a.intermediate("Constrained", {
    ...VALID,
    extensions: [
      new Extension("2.5.29.30", true, Buffer.from("300ca00a300882066465766963652d", "hex")),
    ],
  });
  const authorities: [string, TestCa, number[]][] = [
    ["Root A", a, []],
    ["Root B", b, []],
    ["Root Old", old, []],
    ["Low", low, [0]],
    ["Low (twin)", twin, [1]],
    ["Line", line, [3, 4]],
    ["Other", other, [1]],
    ["Expired", expired, [0]],
    ["Below Old", belowOld, [2]],
    ["Short", short, [0]],
    ["Below Short", belowShort, [9]],
    ["No CA", noCa, [0]],
    ["No signing", noSigning, [0]],
    ["Servers", servers, [1]],
    ["Constrained", constrained, [0]],
  ];
  const leaves: PoolLeaf[] = [];
  const add = (issued: Issued, commonName: string, issuer: number | undefined, isSound = true) =>
    leaves.push({ ...issued, commonName, issuer, isSound });
  for (const id of IDS) {
    add(await TestCa.selfSigned(id, VALID), id, undefined);
    for (const [index, [, ca]] of authorities.entries()) add(await ca.leaf(id, VALID), id, index);
  }
  const [id] = IDS;
  add(await low.leaf(id, OVER), id, 3, false);
  add(await low.leaf(id, TO_COME), id, 3, false);
  add(await a.leaf(id, { ...VALID, extendedKeyUsage: [SERVER_AUTH] }), id, 0, false);
  add(await a.leaf(id, { ...VALID, extendedKeyUsage: [CLIENT_AUTH] }), id, 0);
  add(await a.leaf(id, { ...VALID, hash: "SHA-1" }), id, 0, false);
  add(await a.leaf(id, { ...VALID, criticalExtension: "1.2.3.4" }), id, 0, false);
  add(await a.leaf(id, { ...VALID, subject: `CN=${id}, CN=other` }), "two", 0, false);
  add(await a.leaf(id, { ...VALID, subject: "O=nobody" }), "none", 0, false);
  return {
    cas: authorities.map(([name, { certificate }, issuers]) => {
      const { der, pem, thumbprint } = certificate;
      return { name, der, pem, thumbprint, issuers };
    }),
    leaves,
  };
}

/** By index in the pool. */
export interface RandomEntry {
  id: string;
  enabled: boolean;
  holds: number[];
}

export interface RandomService {
  individuals: RandomEntry[];
  groups: RandomEntry[];
  cas: { index: number; verified: boolean }[];
}

export interface RandomDevice {
  registrationId: string;
  leaf: number;
  above: number[];
}

export interface Trial {
  service: RandomService;
  devices: RandomDevice[];
  switches: Partial<Switches>;
}

/** How certificates above a leaf are chosen: what issued them, mostly; now and then anything. */
function aboveOf({ cas }: Pool, leaf: PoolLeaf): fc.Arbitrary<number[]> {
  const all: number[] = leaf.issuer === undefined ? [] : [leaf.issuer];
  for (const index of all) all.push(...cas[index]!.issuers.filter((one) => !all.includes(one)));
  return fc.oneof(
    { arbitrary: fc.constant(all), weight: 4 },
    { arbitrary: fc.subarray(all), weight: 2 },
    { arbitrary: fc.shuffledSubarray(cas.map((_, index) => index)), weight: 1 },
  );
}

export function trials(pool: Pool): fc.Arbitrary<Trial> {
  const mostly = fc.oneof({ arbitrary: fc.constant(true), weight: 3 }, fc.constant(false));
  const caIndex = fc.nat(pool.cas.length - 1);
  // Most of them plain, so that devices come in often enough to tell by which entry.
  const heldCa = fc.oneof({ arbitrary: fc.constantFrom(0, 1, 3, 5, 6), weight: 6 }, caIndex);
  const uploadedCa = fc.oneof({ arbitrary: fc.constantFrom(0, 1), weight: 6 }, caIndex);
  const entries = (
    ids: string[],
    heldBy: (id: string) => fc.Arbitrary<number>,
  ): fc.Arbitrary<RandomEntry[]> =>
    fc.subarray(ids, { minLength: 1 }).chain((some) =>
      fc.tuple(
        ...some.map((id) =>
          fc.record({
            id: fc.constant(id),
            enabled: mostly,
            holds: fc.array(heldBy(id), { minLength: 1, maxLength: 2, size: "max" }),
          }),
        ),
      ),
    );
  const leavesOf = (id: string): number[] =>
    pool.leaves.flatMap(({ commonName }, index) => (commonName === id ? [index] : []));
  // Few leaves for one ID, so that an individual enrollment now and then holds the one that is presented.
  const few = (id: string): number[] =>
    leavesOf(id).filter((index) => [undefined, 0, 1, 3, 5].includes(pool.leaves[index]!.issuer));
  const usual = IDS.flatMap(few);
  const anyLeaf = fc.oneof(
    { arbitrary: fc.constantFrom(...usual), weight: 4 },
    fc.nat(pool.leaves.length - 1),
  );
  const device = anyLeaf.chain((leaf) =>
    fc.record({
      leaf: fc.constant(leaf),
      registrationId: fc.oneof(
        { arbitrary: fc.constant(pool.leaves[leaf]!.commonName), weight: 6 },
        { arbitrary: fc.constant(pool.leaves[leaf]!.commonName.toUpperCase()), weight: 1 },
        { arbitrary: fc.constantFrom<string>(...IDS), weight: 1 },
      ),
      above: aboveOf(pool, pool.leaves[leaf]!),
    }),
  );
  const choice = <T>(usual: T, unusual: T) =>
    fc.oneof({ arbitrary: fc.constant(usual), weight: 5 }, fc.constant(unusual));
  return fc.record({
    service: fc.record({
      individuals: fc.oneof(
        { arbitrary: fc.constant<RandomEntry[]>([]), weight: 2 },
        entries([...IDS], (id) =>
          fc.oneof(
            { arbitrary: fc.constantFrom(...few(id)), weight: 4 },
            fc.nat(pool.leaves.length - 1),
          ),
        ),
      ),
      groups: entries(["g1", "g2", "g3", "g4"], () => heldCa),
      cas: fc.uniqueArray(fc.record({ index: uploadedCa, verified: mostly }), {
        minLength: 1,
        maxLength: 4,
        size: "max",
        selector: ({ index }) => index,
      }),
    }),
    devices: fc.array(device, { minLength: 2, maxLength: 2 }),
    switches: fc.record({
      disabledIndividualDenies: choice<Switches["disabledIndividualDenies"]>(
        "registration-id",
        "certificate",
      ),
      disabledGroupDenies: choice<Switches["disabledGroupDenies"]>("first-hit", "anywhere"),
      verifiedCaEndsChain: choice(true, false),
      slotCompletesChain: choice(false, true),
      individualWithChain: choice<Switches["individualWithChain"]>("admitted", "refused"),
      verifiedCaDates: choice<Switches["verifiedCaDates"]>("judged", "ignored"),
      extendedKeyUsage: choice<Switches["extendedKeyUsage"]>("judged", "ignored"),
      criticalNameConstraints: choice<Switches["criticalNameConstraints"]>("refused", "ignored"),
      weakSignatures: choice<Switches["weakSignatures"]>("admitted", "refused"),
    }),
  });
}
