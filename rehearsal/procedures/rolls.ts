/** The new certificate of an entry, before anybody has it: what is edited, and who gets what. */
import type { Canary } from "../canaries";
import { type Edit, type Path, remove, set } from "../configuration";
import type { Identity } from "../factory";
import type { FleetDevice } from "../fleet";
import type { Rehearsal } from "../rehearsal";
import { TWIN_ENTRY } from "../setting";
import { freeSlot, mainSlot, type Slot } from "../slots";

export interface Roll {
  /** What it is a roll of, as Pulumi says it. */
  entries: string[];
  /** The new certificates, declared. */
  declare: Edit[];
  /** They go into the free slots. */
  add: Edit[];
  /** The old ones leave the slots. */
  release: Edit[];
  /** Nothing declares the old ones any more. */
  forget: Edit[];
  /** New certificates of the devices. */
  identities: Map<FleetDevice, Identity>;
  canaries: Canary[];
  /** Names of the old certificates. */
  old: string[];
  /** Names of CA certificates that nothing refers to once the old ones have gone. */
  oldCas: string[];
  /** Those of them that were taken over: an expiration lets go of them as they are, a breach does not. */
  adoptedCas: string[];
}

/** A certificate that a group's slot can name. */
export interface Target {
  /** What stands in the slot. */
  slot: { ca: string } | { certificate: string };
  certificate: string;
  declare: Edit[];
}

/** Each individual enrollment that has a device, and its twin, get another leaf. */
export async function individualRoll(rehearsal: Rehearsal): Promise<Roll> {
  const section = "individualEnrollments";
  const roll = emptyRoll();
  const devices = rehearsal.members("individual");
  for (const id of [...devices.map((device) => device.id), ...twinEntry(rehearsal)]) {
    const old = mainSlot(rehearsal, section, id);
    const next = await newLeaf(rehearsal, id);
    roll.entries.push(`individual enrollment \`${id}\``);
    roll.declare.push(next.declare);
    roll.add.push(set(freeSlot(rehearsal, section, id), { certificate: next.name }));
    roll.release.push(remove(section, id, old.name));
    roll.forget.push(remove("certificates", old.certificate));
    roll.old.push(old.certificate);
    const device = devices.find((one) => one.id === id);
    if (device !== undefined) {
      roll.identities.set(device, rehearsal.pki.identity(next.name));
    } else {
      roll.canaries.push(
        twinCanary(rehearsal, "old", old.certificate),
        twinCanary(rehearsal, "new", next.name),
      );
    }
  }
  return roll;
}

/** A group gets another certificate beside the one it has. Old CAs stay when `keepCa`. */
export async function groupRoll(
  rehearsal: Rehearsal,
  id: string,
  target: Target,
  { keepCa = false } = {},
): Promise<Roll> {
  const section = "enrollmentGroups";
  const old = mainSlot(rehearsal, section, id);
  const goes = keepCa || old.ca === undefined ? [] : [old.ca];
  const identities = await Promise.all(
    rehearsal
      .members(id)
      .map(async (device) => [device, await leafOf(rehearsal, target, device.id)] as const),
  );
  return {
    entries: [`enrollment group \`${id}\``],
    declare: target.declare,
    add: [set(freeSlot(rehearsal, section, id), target.slot)],
    release: [remove(section, id, old.name)],
    forget: forgetting(old, goes),
    identities: new Map(identities),
    canaries: [
      await groupCanary(rehearsal, "old", old.certificate),
      await groupCanary(rehearsal, "new", target.certificate),
    ],
    old: [old.certificate],
    oldCas: goes,
    adoptedCas: goes.filter((ca) => rehearsal.configured("caCertificates", ca, "adopt") === true),
  };
}

/** Several rolls in one change. */
export function together(rolls: Roll[]): Roll {
  return {
    entries: rolls.flatMap((roll) => roll.entries),
    declare: rolls.flatMap((roll) => roll.declare),
    add: rolls.flatMap((roll) => roll.add),
    release: rolls.flatMap((roll) => roll.release),
    forget: rolls.flatMap((roll) => roll.forget),
    identities: new Map(rolls.flatMap((roll) => [...roll.identities])),
    canaries: rolls.flatMap((roll) => roll.canaries),
    old: rolls.flatMap((roll) => roll.old),
    oldCas: rolls.flatMap((roll) => roll.oldCas),
    adoptedCas: rolls.flatMap((roll) => roll.adoptedCas),
  };
}

/**
 * A new root from a CA outside the stack, which is to be uploaded and verified.
 *
 * @param proofOf how its key is proved, by the root's name. Default: the key is at hand
 */
export async function newRoot(
  rehearsal: Rehearsal,
  proofOf?: (name: string) => object,
): Promise<Target> {
  const { pki } = rehearsal;
  const name = pki.nextName("root");
  await pki.root(name, titled(name));
  return {
    slot: { ca: name },
    certificate: name,
    declare: [
      set(["certificates", name], { file: pki.file(name) }),
      set(["caCertificates", name], {
        certificate: name,
        proof: proofOf?.(name) ?? { keyFile: pki.keyFile(name) },
      }),
    ],
  };
}

/** A new intermediate below a CA. */
export async function newIntermediate(rehearsal: Rehearsal, issuer: string): Promise<Target> {
  const { pki } = rehearsal;
  const name = pki.nextName("intermediate");
  await pki.intermediate(name, titled(name), issuer);
  return {
    slot: { certificate: name },
    certificate: name,
    declare: [set(["certificates", name], { file: pki.file(name) })],
  };
}

/** What is declared at a place, so that it can be declared again. */
export function declarationOf(rehearsal: Rehearsal, path: Path): Edit {
  return set(path, rehearsal.configured(...path));
}

export async function newLeaf(
  rehearsal: Rehearsal,
  id: string,
): Promise<{ name: string; declare: Edit }> {
  const { pki } = rehearsal;
  const name = pki.nextName(id);
  await pki.selfSignedLeaf(name, id);
  return { name, declare: set(["certificates", name], { file: pki.file(name) }) };
}

/** The twin entry, where the stack declares it. */
export function twinEntry(rehearsal: Rehearsal): string[] {
  return rehearsal.configured("individualEnrollments", TWIN_ENTRY) === undefined
    ? []
    : [TWIN_ENTRY];
}

export function twinCanary(rehearsal: Rehearsal, role: Canary["role"], name: string): Canary {
  return { registrationId: TWIN_ENTRY, role, identity: rehearsal.pki.identity(name) };
}

/** Somebody with a certificate below a CA, whom nobody else knows. */
export async function groupCanary(
  rehearsal: Rehearsal,
  role: Canary["role"],
  issuer: string,
): Promise<Canary> {
  const registrationId = `canary-${issuer}`;
  const identity = await rehearsal.pki.leafBelow(issuer, registrationId);
  return { registrationId, role, identity };
}

function leafOf(rehearsal: Rehearsal, { certificate }: Target, id: string): Promise<Identity> {
  return rehearsal.pki.leafBelow(certificate, id);
}

function forgetting(old: Slot, cas: string[]): Edit[] {
  const keeps = old.ca !== undefined && cas.length === 0;
  return [
    ...cas.map((ca) => remove("caCertificates", ca)),
    ...(keeps ? [] : [remove("certificates", old.certificate)]),
  ];
}

function emptyRoll(): Roll {
  return {
    entries: [],
    declare: [],
    add: [],
    release: [],
    forget: [],
    identities: new Map(),
    canaries: [],
    old: [],
    oldCas: [],
    adoptedCas: [],
  };
}

/** `root-b` is `Root B`. */
function titled(name: string): string {
  return name
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(" ");
}
