/** Rows about common names and individual enrollments. */
import { TestCa } from "../../../support/test-ca";
import {
  ASSUMED,
  ca,
  CHAIN_PAGE,
  DATES,
  fullChain,
  group,
  ID,
  individual,
  REVOKE_PAGE,
  rootGroup,
  type Case,
  type World,
} from "./world";

export async function individualCases(w: World): Promise<Case[]> {
  const twoNames = await w.root.leaf(ID, { ...DATES, subject: `CN=${ID}, CN=second` });
  const noName = await w.root.leaf(ID, { ...DATES, subject: "O=Trucks" });
  const upper = await w.root.leaf(ID.toUpperCase(), DATES);
  const other = await w.root.leaf("truck-8", DATES);
  const caLeaf = await TestCa.root(ID, DATES);
  const expired = await TestCa.selfSigned(ID, {
    ...DATES,
    notAfter: new Date("2026-06-15T11:59:59Z"),
  });

  return [
    // Common names.
    {
      name: "no client certificate",
      source: ASSUMED,
      presented: [],
      ...rootGroup(w),
      want: "no certificate",
      hub: "no certificate",
    },
    {
      name: "a certificate that cannot be read",
      source: ASSUMED,
      presented: [Buffer.from("3003020101", "hex")],
      ...rootGroup(w),
      want: "unreadable certificate",
      hub: "no handshake",
    },
    {
      name: "CN is another registration ID",
      source: CHAIN_PAGE,
      presented: [other.der],
      ...rootGroup(w),
      want: "common name",
    },
    {
      name: "CN differs only by case",
      source: CHAIN_PAGE,
      presented: [upper.der],
      ...rootGroup(w),
      want: "group root",
    },
    {
      name: "two CNs",
      source: ASSUMED,
      presented: [twoNames.der],
      ...rootGroup(w),
      want: "common name",
    },
    {
      name: "no CN",
      source: CHAIN_PAGE,
      presented: [noName.der],
      ...rootGroup(w),
      want: "common name",
    },

    // Individual enrollments.
    {
      name: "leaf in the primary slot",
      source: CHAIN_PAGE,
      presented: [w.leaf.der],
      individuals: [individual([w.leaf, w.nextLeaf])],
      want: `individual ${ID}`,
    },
    {
      name: "leaf in the secondary slot",
      source: "the CLI extension's integration tests",
      presented: [w.nextLeaf.der],
      individuals: [individual([w.leaf, w.nextLeaf])],
      want: `individual ${ID}`,
    },
    {
      name: "self-signed leaf without any CA",
      source: CHAIN_PAGE,
      presented: [w.selfSigned.der],
      individuals: [individual([w.selfSigned])],
      want: `individual ${ID}`,
    },
    {
      name: "self-signed CA certificate as a device's leaf",
      source: "made by `openssl req -x509`; assumed accepted",
      presented: [caLeaf.der],
      individuals: [individual([caLeaf.certificate])],
      want: `individual ${ID}`,
    },
    {
      name: "same key and name, other certificate: compared byte by byte",
      source: ASSUMED,
      presented: [(await TestCa.selfSigned(ID, { ...DATES, keys: w.selfSigned.keys })).der],
      individuals: [individual([w.selfSigned])],
      want: "individual unmatched",
    },
    {
      name: "an enabled individual enrollment shadows the group",
      source: CHAIN_PAGE,
      presented: fullChain(w),
      individuals: [individual([w.nextLeaf])],
      ...rootGroup(w),
      want: "individual unmatched",
    },
    {
      name: "an individual enrollment admits what a disabled group would deny",
      source: CHAIN_PAGE,
      presented: fullChain(w),
      individuals: [individual([w.leaf])],
      groups: [group("root", w.root, false)],
      cas: [ca(w.root)],
      want: `individual ${ID}`,
    },
    {
      name: "individual enrollment, leaf presented with its chain",
      source: ASSUMED,
      presented: fullChain(w),
      individuals: [individual([w.leaf])],
      want: `individual ${ID}`,
    },
    {
      name: "individual enrollment, leaf presented with its chain, refused by the switch",
      source: "azure-iot-sdk-node#547, azure-iot-sdk-python#177",
      presented: fullChain(w),
      individuals: [individual([w.leaf])],
      switches: { individualWithChain: "refused" },
      want: "individual with chain",
    },
    {
      name: "expired leaf in the slot",
      source: ASSUMED,
      presented: [expired.der],
      individuals: [individual([expired])],
      want: "individual invalid",
      hub: "expired",
    },
    {
      name: "the same leaf one second before it expires",
      source: ASSUMED,
      presented: [expired.der],
      individuals: [individual([expired])],
      now: new Date("2026-06-15T11:59:59Z"),
      want: `individual ${ID}`,
    },
    {
      name: "leaf that is not valid yet",
      source: ASSUMED,
      presented: [w.leaf.der],
      individuals: [individual([w.leaf])],
      now: new Date("2025-12-31T23:59:59Z"),
      want: "individual invalid",
      hub: "not valid yet",
    },
    {
      name: "a disabled individual enrollment denies its own certificate in an enabled group",
      source: REVOKE_PAGE,
      presented: fullChain(w),
      individuals: [individual([w.leaf], false)],
      ...rootGroup(w),
      want: "individual disabled",
    },
    {
      name: "a disabled individual enrollment denies another certificate of the same ID",
      source: ASSUMED,
      presented: fullChain(w),
      individuals: [individual([w.nextLeaf], false)],
      ...rootGroup(w),
      want: "individual disabled",
    },
    {
      name: "by certificate, a disabled individual enrollment denies its own certificate",
      source: REVOKE_PAGE,
      presented: fullChain(w),
      individuals: [individual([w.leaf], false)],
      ...rootGroup(w),
      switches: { disabledIndividualDenies: "certificate" },
      want: "individual disabled",
    },
    {
      name: "by certificate, a disabled individual enrollment lets another certificate through",
      source: ASSUMED,
      presented: fullChain(w),
      individuals: [individual([w.nextLeaf], false)],
      ...rootGroup(w),
      switches: { disabledIndividualDenies: "certificate" },
      want: "group root",
    },
  ];
}
