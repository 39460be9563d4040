/** Rows about chains that hold or do not hold. */
import { KeyUsageFlags, TestCa } from "../../../support/test-ca";
import {
  ASSUMED,
  ca,
  CHAIN_PAGE,
  CLIENT_AUTH,
  DATES,
  fullChain,
  group,
  ID,
  rootGroup,
  SERVER_AUTH,
  type Case,
  type World,
} from "./world";

export async function chainCases(w: World): Promise<Case[]> {
  const chainOf = async (issuer: TestCa, options = {}) => [
    (await issuer.leaf(ID, { ...DATES, ...options })).der,
    ...issuer.intermediates.map(({ der }) => der),
  ];
  const notCa = await w.root.intermediate("Not a CA", { ...DATES, ca: false });
  const noBasic = await w.root.intermediate("No constraints", { ...DATES, ca: undefined });
  const cannotSign = await w.root.intermediate("Cannot sign", {
    ...DATES,
    keyUsage: KeyUsageFlags.digitalSignature,
  });
  const short = await w.root.intermediate("Short", { ...DATES, pathLength: 0 });
  const tooDeep = await short.intermediate("Too deep", DATES);
  const expiredCa = await w.root.intermediate("Expired CA", {
    ...DATES,
    notAfter: new Date("2026-05-01T00:00:00Z"),
  });
  const serverOnly = await w.root.intermediate("Server only", {
    ...DATES,
    extendedKeyUsage: [SERVER_AUTH],
  });
  const strange = await w.root.intermediate("Strange", {
    ...DATES,
    criticalExtension: "1.2.3.4.5",
  });
  const impostor = await TestCa.root("Root", DATES);
  const crossSigned = await w.otherRoot.intermediate("Factory", {
    ...DATES,
    keys: w.factory.certificate.keys,
  });
  const directLeaf = await w.factory.leaf(ID, DATES);
  const caLeaf = await TestCa.root(ID, DATES);

  return [
    // Groups: chains that do not hold.
    {
      name: "root not uploaded",
      source: "azure-iot-sdk-java#203",
      presented: fullChain(w),
      groups: [group("line", w.line)],
      cas: [],
      want: "no CA",
    },
    {
      name: "root uploaded, not verified",
      source: `${CHAIN_PAGE}; text assumed`,
      presented: fullChain(w),
      groups: [group("root", w.root)],
      cas: [ca(w.root, false)],
      want: "unverified CA",
    },
    {
      name: "an intermediate is missing",
      source: CHAIN_PAGE,
      presented: [w.leaf.der, w.line.der],
      groups: [group("line", w.line)],
      cas: [ca(w.root)],
      want: "no CA",
    },
    {
      name: "leaf alone, its issuer only in the slot",
      source: "azure-iot-sdk-c#1900, azure-iot-sdk-csharp#1040",
      presented: [directLeaf.der],
      groups: [group("factory", w.factory)],
      cas: [ca(w.root)],
      want: "no CA",
    },
    {
      name: "leaf alone, its issuer only in the slot, where slots complete chains",
      source: ASSUMED,
      presented: [directLeaf.der],
      groups: [group("factory", w.factory)],
      cas: [ca(w.root)],
      switches: { slotCompletesChain: true },
      want: "group factory",
    },
    {
      name: "an intermediate that is verified itself needs no root",
      source: CHAIN_PAGE,
      presented: [w.leaf.der, w.line.der],
      groups: [group("line", w.line)],
      cas: [ca(w.line)],
      want: "group line",
    },
    {
      name: "a verified intermediate below a group for its verified root",
      source: CHAIN_PAGE,
      presented: fullChain(w).slice(0, 3),
      groups: [group("root", w.root)],
      cas: [ca(w.line), ca(w.root)],
      want: "group root",
    },
    {
      name: "a root of the same name with another key",
      source: "RFC 5280 6.1.3",
      presented: fullChain(w),
      groups: [group("root", impostor)],
      cas: [ca(impostor)],
      want: "no CA",
    },
    {
      name: "an intermediate that is no CA",
      source: "RFC 5280 6.1.4 (k)",
      presented: await chainOf(notCa),
      ...rootGroup(w),
      want: "chain invalid",
    },
    {
      name: "an intermediate without basic constraints",
      source: "RFC 5280 6.1.4 (k)",
      presented: await chainOf(noBasic),
      ...rootGroup(w),
      want: "chain invalid",
    },
    {
      name: "a device's certificate that signed another",
      source: "RFC 5280 6.1.4 (k)",
      presented: await chainOf(notCa),
      groups: [group("notCa", notCa)],
      cas: [ca(w.root), ca(notCa)],
      want: "chain invalid",
    },
    {
      name: "an intermediate that may not sign certificates",
      source: "RFC 5280 4.2.1.3",
      presented: await chainOf(cannotSign),
      ...rootGroup(w),
      want: "no CA",
    },
    {
      name: "path length constraint kept",
      source: "RFC 5280 4.2.1.9",
      presented: await chainOf(short),
      ...rootGroup(w),
      want: "group root",
    },
    {
      name: "path length constraint broken",
      source: "RFC 5280 4.2.1.9",
      presented: await chainOf(tooDeep),
      ...rootGroup(w),
      want: "chain invalid",
    },
    {
      name: "expired intermediate",
      source: ASSUMED,
      presented: await chainOf(expiredCa),
      ...rootGroup(w),
      want: "chain invalid",
    },
    {
      name: "expired root",
      source: ASSUMED,
      presented: await chainOf(w.root, { notAfter: new Date("2028-01-01T00:00:00Z") }),
      ...rootGroup(w),
      now: new Date("2027-01-01T00:00:01Z"),
      want: "chain invalid",
    },
    {
      name: "expired leaf below a good chain",
      source: ASSUMED,
      presented: await chainOf(w.line, { notAfter: new Date("2026-06-01T00:00:00Z") }),
      ...rootGroup(w),
      want: "chain invalid",
      hub: "expired",
    },
    {
      name: "leaf for client authentication",
      source: "RFC 5280 4.2.1.12",
      presented: await chainOf(w.root, { extendedKeyUsage: [CLIENT_AUTH] }),
      ...rootGroup(w),
      want: "group root",
    },
    {
      name: "leaf for server authentication only",
      source: ASSUMED,
      presented: await chainOf(w.root, { extendedKeyUsage: [SERVER_AUTH] }),
      ...rootGroup(w),
      want: "chain invalid",
    },
    {
      name: "intermediate for server authentication only",
      source: ASSUMED,
      presented: await chainOf(serverOnly),
      ...rootGroup(w),
      want: "chain invalid",
    },
    {
      name: "critical extension that nobody understands",
      source: "RFC 5280 4.2",
      presented: await chainOf(strange),
      ...rootGroup(w),
      want: "chain invalid",
    },
    {
      name: "cross-signed intermediate, presented under the new root",
      source: CHAIN_PAGE,
      presented: [directLeaf.der, crossSigned.der],
      groups: [group("new", w.otherRoot)],
      cas: [ca(w.root), ca(w.otherRoot)],
      want: "group new",
    },
    {
      name: "cross-signed intermediate: the slot's certificate is not its twin",
      source: ASSUMED,
      presented: [directLeaf.der, crossSigned.der],
      groups: [group("old", w.factory)],
      cas: [ca(w.root), ca(w.otherRoot)],
      want: "no enrollment",
    },
    {
      name: "self-signed leaf and no individual enrollment",
      source: "azure-iot-sdk-c#1900",
      presented: [w.selfSigned.der],
      ...rootGroup(w),
      want: "no CA",
    },
    {
      name: "a verified CA certificate that registers as a device",
      source: ASSUMED,
      presented: [caLeaf.der],
      groups: [group("ca", caLeaf)],
      cas: [ca(caLeaf)],
      want: "no CA",
    },
    {
      name: "a group whose CA reference leads nowhere",
      source: "azure-docs#74403",
      presented: fullChain(w),
      groups: [{ id: "root", enabled: true, certificates: [] }],
      cas: [],
      want: "no CA",
    },
  ];
}
