/** Rows about lengths, dates, renewals and detours of a chain. */
import { TestCa, type CertificateOptions } from "../../../support/test-ca";
import {
  ASSUMED,
  ca,
  CHAIN_PAGE,
  DATES,
  fullChain,
  group,
  ID,
  rootGroup,
  type Case,
  type World,
} from "./world";

/** What `MAX_CERTIFICATES` of the sandbox lets through, leaf and root included. */
const LONGEST = 12;

export async function pathCases(w: World): Promise<Case[]> {
  const chainBelow = async (issuer: TestCa, options: CertificateOptions = {}) => [
    (await issuer.leaf(ID, { ...DATES, ...options })).der,
    ...issuer.intermediates.map(({ der }) => der),
  ];
  const deep = async (certificates: number) => {
    let issuer = w.root;
    for (let at = 2; at < certificates; at++) {
      issuer = await issuer.intermediate(`Level ${at}`, DATES);
    }
    return [...(await chainBelow(issuer)), w.root.der];
  };
  const shortRoot = await TestCa.root("Short root", { ...DATES, pathLength: 0 });
  const oneBelow = await w.root.intermediate("One below", { ...DATES, pathLength: 1 });
  const rolledOver = await oneBelow.intermediate("One below", DATES);
  const late = await w.root.intermediate("Late", {
    ...DATES,
    notBefore: new Date("2026-07-01T00:00:00Z"),
  });
  const expired = await w.root.intermediate("Expired", {
    ...DATES,
    notAfter: new Date("2026-05-01T00:00:00Z"),
  });
  const renewedRoot = await TestCa.root("Root", { ...DATES, keys: w.root.certificate.keys });
  const renewedFactory = await w.root.intermediate("Factory", {
    ...DATES,
    keys: w.factory.certificate.keys,
  });
  const directLeaf = await w.factory.leaf(ID, DATES);
  const there = await w.otherRoot.intermediate("Root", { ...DATES, keys: w.root.certificate.keys });
  const back = await w.root.intermediate("Other root", {
    ...DATES,
    keys: w.otherRoot.certificate.keys,
  });
  const twins = await Promise.all(
    Array.from({ length: 10 }, () =>
      TestCa.root("Root", { ...DATES, keys: w.root.certificate.keys }),
    ),
  );
  const expiredRootDate = new Date("2027-01-01T00:00:01Z");
  const longLived = await w.line.leaf(ID, { ...DATES, notAfter: new Date("9999-12-31T23:59:59Z") });

  return [
    // Lengths.
    {
      name: `a chain of ${LONGEST} certificates`,
      source: ASSUMED,
      presented: await deep(LONGEST),
      ...rootGroup(w),
      want: "group root",
    },
    {
      name: `a chain of ${LONGEST + 1} certificates`,
      source: `${ASSUMED}; real ones have three or four`,
      presented: await deep(LONGEST + 1),
      ...rootGroup(w),
      want: "chain invalid",
    },
    {
      name: "a root with path length 0, and its leaf",
      source: "RFC 5280 4.2.1.9",
      presented: await chainBelow(shortRoot),
      groups: [group("short", shortRoot)],
      cas: [ca(shortRoot)],
      want: "group short",
    },
    {
      name: "a root with path length 0, and an intermediate below it",
      source: `${ASSUMED}: RFC 5280 6.1 leaves a trust anchor's constraints to the application`,
      presented: await chainBelow(await shortRoot.intermediate("Below", DATES)),
      groups: [group("short", shortRoot)],
      cas: [ca(shortRoot)],
      want: "chain invalid",
    },
    {
      name: "a self-issued intermediate does not count against the path length",
      source: "RFC 5280 4.2.1.9",
      presented: await chainBelow(await rolledOver.intermediate("Last", DATES)),
      ...rootGroup(w),
      want: "group root",
    },

    // Dates.
    {
      name: "an intermediate that is not valid yet",
      source: ASSUMED,
      presented: await chainBelow(late),
      ...rootGroup(w),
      want: "chain invalid",
    },
    {
      name: "a leaf that is not valid yet, below a good chain",
      source: ASSUMED,
      presented: await chainBelow(w.line, { notBefore: new Date("2026-07-01T00:00:00Z") }),
      ...rootGroup(w),
      want: "chain invalid",
      hub: "not valid yet",
    },
    {
      name: "a leaf that outlives everything above it",
      source: ASSUMED,
      presented: [longLived.der, ...fullChain(w).slice(1)],
      ...rootGroup(w),
      want: "group root",
    },
    {
      name: "the same leaf after everything above it expired",
      source: ASSUMED,
      presented: [longLived.der, ...fullChain(w).slice(1)],
      ...rootGroup(w),
      now: expiredRootDate,
      want: "chain invalid",
    },
    {
      name: "an expired root and a leaf below it that lives on, where the root's dates are ignored",
      source: ASSUMED,
      presented: [
        (await w.root.leaf(ID, { ...DATES, notAfter: new Date("2028-01-01T00:00:00Z") })).der,
      ],
      ...rootGroup(w),
      now: expiredRootDate,
      switches: { verifiedCaDates: "ignored" },
      want: "group root",
    },
    {
      name: "an expired intermediate that is verified itself",
      source: ASSUMED,
      presented: await chainBelow(expired),
      groups: [group("expired", expired)],
      cas: [ca(expired), ca(w.root)],
      want: "chain invalid",
    },

    // Renewals and detours.
    {
      name: "a renewed root with the same key: the group names the new one, the chain was made below the old",
      source: "RFC 5280 6.1.3: names and signatures decide",
      presented: fullChain(w).slice(0, 3),
      groups: [group("new", renewedRoot)],
      cas: [ca(renewedRoot)],
      want: "group new",
    },
    {
      name: "a renewed intermediate with the same key: the slot holds the old one, which is not presented",
      source: `${ASSUMED}: slots are compared byte by byte`,
      presented: [directLeaf.der, renewedFactory.der],
      groups: [group("old", w.factory)],
      cas: [ca(w.root)],
      want: "no enrollment",
    },
    {
      name: "old and renewed intermediate presented together, the slot holds the old one",
      source: `${ASSUMED}: any path that an enrollment is for`,
      presented: [directLeaf.der, renewedFactory.der, w.factory.der],
      groups: [group("old", w.factory)],
      cas: [ca(w.root)],
      want: "group old",
    },
    {
      name: "two roots that signed each other, neither uploaded",
      source: "RFC 5280 6.1: no path ends at a trust anchor",
      presented: [w.rootLeaf.der, there.der, back.der],
      groups: [group("line", w.line)],
      cas: [],
      want: "no CA",
    },
    {
      name: "a detour over another root that is verified",
      source: "RFC 5280 6.1",
      presented: [w.rootLeaf.der, there.der],
      groups: [group("other", w.otherRoot)],
      cas: [ca(w.otherRoot)],
      want: "group other",
    },
    {
      name: "the leaf itself as the group's signing certificate",
      source: ASSUMED,
      presented: fullChain(w),
      groups: [group("leaf", w.leaf.der)],
      cas: [ca(w.root)],
      want: "no enrollment",
    },
    {
      name: "a certificate that has nothing to do with the chain",
      source: `RFC 8446 4.4.2 asks to be ready for it; ${ASSUMED}`,
      presented: [...fullChain(w), w.otherRoot.der],
      ...rootGroup(w),
      want: "group root",
    },
    {
      name: "ten roots of one name and one key, any of which could issue the others",
      source: `${ASSUMED}; the search for paths has an end`,
      presented: [w.rootLeaf.der, ...twins.map(({ der }) => der)],
      groups: [group("other", w.otherRoot)],
      cas: [ca(w.otherRoot)],
      want: "chain invalid",
    },
    {
      name: "every certificate twice",
      source: ASSUMED,
      presented: fullChain(w).flatMap((one) => [one, one]),
      ...rootGroup(w),
      want: "group root",
    },
    {
      name: "one root under two names, one of them verified",
      source: `${CHAIN_PAGE}; stored twice: recorded by the Azure CLI`,
      presented: fullChain(w),
      groups: [group("root", w.root)],
      cas: [ca(w.root, false), ca(w.root)],
      want: "group root",
    },
  ];
}
