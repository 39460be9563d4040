/** Rows about which enrollment group decides. */
import {
  ASSUMED,
  ca,
  CHAIN_PAGE,
  fullChain,
  group,
  REVOKE_PAGE,
  rootGroup,
  type Case,
  type World,
} from "./world";

export function groupCases(w: World): Case[] {
  return [
    // Groups: which entry decides.
    {
      name: "leaf signed by the verified root itself, root not presented",
      source: ASSUMED,
      presented: [w.rootLeaf.der],
      ...rootGroup(w),
      want: "group root",
    },
    {
      name: "the same, where verified certificates must be presented",
      source: `${CHAIN_PAGE}, by its pictures`,
      presented: [w.rootLeaf.der],
      ...rootGroup(w),
      switches: { verifiedCaEndsChain: false },
      want: "no CA",
    },
    {
      name: "the same, root presented",
      source: CHAIN_PAGE,
      presented: [w.rootLeaf.der, w.root.der],
      ...rootGroup(w),
      switches: { verifiedCaEndsChain: false },
      want: "group root",
    },
    {
      name: "two intermediates up to the group's root",
      source: CHAIN_PAGE,
      presented: fullChain(w),
      ...rootGroup(w),
      want: "group root",
    },
    {
      name: "presented in another order",
      source: "OpenSSL hands over a linked path",
      presented: [w.leaf.der, w.root.der, w.factory.der, w.line.der],
      ...rootGroup(w),
      want: "group root",
    },
    {
      name: "the group of the first intermediate before that of the root",
      source: CHAIN_PAGE,
      presented: fullChain(w),
      groups: [group("a-root", w.root), group("b-line", w.line), group("a-factory", w.factory)],
      cas: [ca(w.root)],
      want: "group b-line",
    },
    {
      name: "first entry disabled, root's group enabled",
      source: CHAIN_PAGE,
      presented: fullChain(w),
      groups: [group("root", w.root), group("line", w.line, false)],
      cas: [ca(w.root)],
      want: "group disabled",
    },
    {
      name: "first entry enabled, root's group disabled",
      source: CHAIN_PAGE,
      presented: fullChain(w),
      groups: [group("root", w.root, false), group("line", w.line)],
      cas: [ca(w.root)],
      want: "group line",
    },
    {
      name: "first entry enabled, root's group disabled, where any disabled group denies",
      source: REVOKE_PAGE,
      presented: fullChain(w),
      groups: [group("root", w.root, false), group("line", w.line)],
      cas: [ca(w.root)],
      switches: { disabledGroupDenies: "anywhere" },
      want: "group disabled",
    },
    {
      name: "two groups with one certificate, one of them disabled",
      source: ASSUMED,
      presented: fullChain(w),
      groups: [group("a", w.line), group("b", w.line, false)],
      cas: [ca(w.root)],
      want: "group disabled",
    },
    {
      name: "a chain that no group is for",
      source: "the CLI extension's integration tests",
      presented: fullChain(w),
      groups: [group("other", w.otherRoot)],
      cas: [ca(w.root), ca(w.otherRoot)],
      want: "no enrollment",
    },
  ];
}
