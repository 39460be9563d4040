/** The two slots of an entry, as the configuration has them. */
import type { Path } from "./configuration";
import type { Identity } from "./factory";
import type { Rehearsal } from "./rehearsal";
import type { Member } from "./setting";

export type Section = "individualEnrollments" | "enrollmentGroups";

export interface Slot {
  name: "primary" | "secondary";
  /** Name of the certificate in it; of a CA reference the CA's certificate. */
  certificate: string;
  /** Name of the CA certificate that is referred to. */
  ca?: string;
}

type Configured = Pick<Rehearsal, "configured">;

/** The slots that are filled, the primary first. */
export function slotsOf(rehearsal: Configured, section: Section, id: string): Slot[] {
  return (["primary", "secondary"] as const).flatMap((name) => {
    const slot = rehearsal.configured(section, id, name) as
      { ca: string } | { certificate: string } | undefined;
    if (slot === undefined) {
      return [];
    }
    return "ca" in slot
      ? [{ name, ca: slot.ca, certificate: certificateOfCa(rehearsal, slot.ca) }]
      : [{ name, certificate: slot.certificate }];
  });
}

/** The one slot that is filled, or the first. Throws when there is none. */
export function mainSlot(rehearsal: Configured, section: Section, id: string): Slot {
  const [slot] = slotsOf(rehearsal, section, id);
  if (slot === undefined) {
    throw new Error(`${section}.${id} has no certificate.`);
  }
  return slot;
}

/** Where the other certificate of a roll goes. */
export function freeSlot(rehearsal: Configured, section: Section, id: string): Path {
  const { name } = mainSlot(rehearsal, section, id);
  return [section, id, name === "primary" ? "secondary" : "primary"];
}

/** Name of the certificate of a CA. */
export function certificateOfCa(rehearsal: Configured, ca: string): string {
  return rehearsal.configured("caCertificates", ca, "certificate") as string;
}

/** What a device begins with, for the certificate that its enrollment has. */
export async function firstIdentity(
  rehearsal: Pick<Rehearsal, "configured" | "pki">,
  { registrationId, enrollment }: Member,
): Promise<Identity> {
  const { pki } = rehearsal;
  if (enrollment === "individual") {
    return pki.identity(mainSlot(rehearsal, "individualEnrollments", registrationId).certificate);
  }
  const { certificate } = mainSlot(rehearsal, "enrollmentGroups", enrollment);
  return pki.leafBelow(certificate, registrationId);
}
