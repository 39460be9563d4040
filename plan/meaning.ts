/** What a change means for the devices, said to somebody who has never seen DPS. */
import type { Phase, Procedure } from "../certificates/declared";
import type { PlanDevices } from "./model";

export interface Meaning {
  procedure: Procedure;
  phase: Phase;
  isGroup: boolean;
  /** Certificates by name, in words; empty: none. */
  arriving: string;
  leaving: string;
  /** All that are accepted afterwards. */
  staying: string;
  /** Null: not read, or a new entry. */
  devices: PlanDevices | null;
}

const BREACH: ReadonlySet<Procedure> = new Set<Procedure>(["P4", "P6", "P7"]);

export function meaningOf(change: Meaning): string[] {
  return BREACH.has(change.procedure) ? ofBreach(change) : ofPhase(change);
}

function ofBreach({ phase, isGroup, arriving, staying, devices }: Meaning): string[] {
  const out = isGroup
    ? `${whom(devices, true)} lose connection, hub identity and registration, because nobody can tell a thief's device from a real one; a manifest of issued leaves could, and the table of hub identities counts whom it spares.`
    : "The device loses its connection, its hub identity and its registration.";
  if (phase === "contain" || staying === "") {
    const stays = "Nothing takes the place of what is closed";
    return [out, `${stays}: who is out stays out until a new certificate is put in.`];
  }
  const accepted = arriving === "" ? staying : arriving;
  return [
    out,
    isGroup
      ? `A device that has a certificate below ${accepted} registers again by itself and comes back. One that has only the compromised CA's stays out until somebody gives it a new one.`
      : `It comes back by itself when it has the new certificate (${accepted}). Until somebody gives it that, it stays out.`,
  ];
}

function ofPhase(change: Meaning): string[] {
  const { phase, isGroup, arriving, leaving, staying, devices, procedure } = change;
  switch (phase) {
    case "prepare":
      return [
        `Nobody is cut off: what was accepted stays accepted. From now on ${below(arriving, isGroup)} is accepted as well, so devices can be given one.`,
      ];
    case "activate":
      return ["No device notices: both certificates stay accepted."];
    case "retire":
    case "replace":
      return [
        `A device that has only ${below(leaving, isGroup)} cannot register any more. It stays connected until its hub refuses it or it has to register again, and then it is out.`,
        `A device that has ${below(staying, isGroup)} is not touched.`,
      ];
    case "enroll":
      return procedure === "P11"
        ? ["No device is touched: an enrollment group has to refer to it first."]
        : [`Devices with ${below(arriving, isGroup)} can register from now on.`];
    case "remove":
      return [
        `${whom(devices, isGroup)} cannot register by this entry any more, and stay in their hub; the table of devices says whether another entry admits them.`,
      ];
    case "disable":
      return [
        `${whom(devices, isGroup)} cannot register any more; who is connected stays connected.`,
      ];
    case "enable":
    case "readmit":
      return ["What was shut out can register again."];
    case "deny":
      return ["What is denied cannot register, whatever else would admit it."];
    case "contain":
    case "none":
      return [];
  }
}

function whom(devices: PlanDevices | null, isGroup: boolean): string {
  if (!isGroup) return "The device";
  return devices === null
    ? "The devices of the group"
    : `All ${devices.onRecord} devices on record under it`;
}

function below(names: string, isGroup: boolean): string {
  if (names === "") return "no certificate";
  return isGroup ? `a certificate below ${names}` : `the certificate ${names}`;
}
