/** What a change means for the devices, said to somebody who has never seen DPS. */
import type { Phase, Procedure } from "../certificates/declared";
import type { PlanDevices } from "./model";
import { FATES, isBreach } from "./words";

type Devices = Omit<PlanDevices, "undecidedWords">;

export interface Meaning {
  /** "enrollment group `sensors`" */
  entry: string;
  procedure: Procedure;
  phase: Phase;
  isGroup: boolean;
  /** Registrations and hub identities go. */
  removes: boolean;
  /** Nobody registers by it afterwards: it is disabled, or gone. */
  isClosed: boolean;
  /** Certificates by name, in words; empty: none. */
  arriving: string;
  leaving: string;
  /** All that are accepted afterwards. */
  staying: string;
  /** Null: not read, or a new entry. */
  devices: Devices | null;
  /** What becomes of devices that nobody counts, in sentences. */
  stock: string[];
}

/** What a reviewer has to know first. */
export function summaryOf(change: Meaning): string[] {
  const { arriving, devices, entry, isClosed, leaving, phase, procedure } = change;
  if (isBreach(procedure)) {
    return [
      `${stolenWords(change)}.`,
      ...(devices === null || devices.onRecord === 0
        ? []
        : [`${disconnectedWords(devices, entry)}.`]),
      ...(isClosed
        ? [
            `Nothing replaces ${leaving}: no device can come back by ${entry} until a later change puts a new certificate in.`,
          ]
        : []),
      ...(devices === null ||
      isClosed ||
      devices.admitted + devices.shutOut + devices.undecided.count === 0
        ? []
        : [comeBack(devices)]),
    ];
  }
  if (procedure === "P12") return ofDenial(change);
  if (phase !== "retire" || devices === null || dependent(devices) > 0 || arriving !== "")
    return [];
  return [`No device on record depends on ${leaving}; no hub identity is removed for it.`];
}

function ofDenial({ entry, isGroup, phase, removes }: Meaning): string[] {
  if (phase === "replace" && removes)
    return [`The device of ${entry} is disconnected until it has the new certificate.`];
  return phase === "deny" && !isGroup
    ? [`The device of ${entry} is disconnected, and stays out until this is taken back.`]
    : [];
}

function stolenWords({ arriving, isClosed, isGroup, leaving }: Meaning): string {
  const isReplaced = !isClosed && arriving !== "";
  return isGroup
    ? `The key of ${leaving} counts as stolen: nothing admits it any more${isReplaced ? `, and ${arriving} takes its place` : ""}`
    : `The key of the device's certificate counts as stolen: nothing admits it any more${isReplaced ? ", and another certificate takes its place" : ""}`;
}

function disconnectedWords({ disconnected, onRecord }: Devices, entry: string): string {
  if (disconnected === 0) return `No device of ${entry} is disconnected`;
  if (onRecord === 1) return `The one device of ${entry} is disconnected`;
  return disconnected === onRecord
    ? `${allOf(onRecord)} devices of ${entry} are disconnected`
    : `${disconnected} of ${onRecord} devices of ${entry} ${disconnected === 1 ? "is" : "are"} disconnected`;
}

function comeBack({ admitted, disconnected, onRecord, shutOut, undecided }: Devices): string {
  const stay =
    onRecord === 1
      ? "It stays out until it is given a new certificate"
      : `${shutOut} ${shutOut === 1 ? "stays" : "stay"} out until given a new certificate`;
  const come = `${admitted} can register afterwards with what ${admitted === 1 ? "it has" : "they have"}`;
  if (undecided.count === 0) {
    const parts = [...(admitted > 0 ? [come] : []), ...(shutOut > 0 ? [stay] : [])];
    return `${parts.join("; ")}.`;
  }
  const can =
    disconnected === onRecord
      ? "can come back"
      : `of the ${onRecord} on record can register afterwards`;
  return `How many ${can} is not known: ${admitted} confirmed, ${undecided.count} without evidence${shutOut > 0 ? `; ${stay}` : ""}.`;
}

/** Those who may be out afterwards. */
function dependent({ cutOff, notKnown, onOld }: Devices): number {
  return cutOff + notKnown + onOld;
}

/** What becomes of devices of which it is not known whether they are admitted afterwards. */
export function undecidedWords(change: Meaning): string {
  const { arriving, devices, isClosed, isGroup, procedure, staying } = change;
  if (!isBreach(procedure) || devices === null) return FATES["not known"];
  const out = devices.disconnected >= devices.onRecord ? "disconnected; " : "";
  if (isClosed) return `${out}nothing replaces what they came in by`;
  return `${out}come back only with ${below(arriving === "" ? staying : arriving, isGroup)}: no evidence that they have one`;
}

export function meaningOf(change: Meaning): string[] {
  return isBreach(change.procedure) ? ofBreach(change) : ofPhase(change);
}

const LOSS_OF_DEVICE = "The device loses its connection, its hub identity and its registration.";

function comesBackWith(certificate: string): string {
  return `It comes back by itself when it has the new certificate (${certificate}). Until somebody gives it that, it stays out.`;
}

function ofBreach({ isClosed, isGroup, arriving, staying, devices, stock }: Meaning): string[] {
  const out = isGroup ? lossOfGroup(devices) : LOSS_OF_DEVICE;
  if (isClosed || staying === "") {
    return [
      out,
      "Nothing takes the place of what is closed: who is out stays out until a later change puts a new certificate in.",
      ...stock,
    ];
  }
  const accepted = arriving === "" ? staying : arriving;
  return [
    out,
    isGroup
      ? `A device that has a certificate below ${accepted} registers again by itself and comes back. One whose only certificate comes from the compromised CA stays out until somebody gives it a new one.`
      : comesBackWith(accepted),
    ...stock,
  ];
}

function lossOfGroup(devices: Devices | null): string {
  const what = "connection, hub identity and registration";
  if (devices !== null && devices.disconnected < devices.onRecord) {
    const { disconnected, onRecord } = devices;
    return `${disconnected} of ${onRecord} devices on record under it ${disconnected === 1 ? "loses" : "lose"} ${what}; the table of hub identities counts those that are kept.`;
  }
  const loses = devices?.onRecord === 1 ? "loses" : "lose";
  return `${whom(devices, true)} ${loses} ${what}, because nobody can tell a thief's device from a real one. A manifest of issued leaves could: devices that it proves good are kept.`;
}

function ofPhase(change: Meaning): string[] {
  const { phase, isGroup, arriving, leaving, staying, devices, procedure, removes } = change;
  if (procedure === "P12" && phase === "replace") {
    return removes
      ? [LOSS_OF_DEVICE, comesBackWith(arriving)]
      : [
          `From now on only ${below(arriving, isGroup)} is accepted for this registration ID. Who has another one is refused at the next registration, and stays connected until then.`,
        ];
  }
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
        devices !== null && dependent(devices) === 0
          ? `No device on record has only ${below(leaving, isGroup)}. One that has never registered, and has only such a one, cannot register any more.`
          : `A device that has only ${below(leaving, isGroup)} cannot register any more. It stays connected until its hub refuses it or it has to register again, and then it is out.`,
        `A device that has ${below(staying, isGroup)} is not touched.`,
      ];
    case "enroll":
      return procedure === "P11"
        ? ["No device is touched: an enrollment group has to refer to it first."]
        : [`Devices with ${below(arriving, isGroup)} can register from now on.`];
    case "remove":
      return [
        `${whom(devices, isGroup)} cannot register by this entry any more; who is in a hub stays there. The table of devices says whether another entry admits them.`,
      ];
    case "disable":
      return [
        `${whom(devices, isGroup)} cannot register any more; who is connected stays connected.`,
      ];
    case "enable":
    case "readmit":
      return ["What was shut out can register again."];
    case "deny":
      return [
        "What is denied cannot register, whatever else would admit it.",
        ...(isGroup
          ? []
          : [
              removes
                ? LOSS_OF_DEVICE
                : "Its hub identity is disabled, which ends its connection; nothing of it is lost.",
            ]),
      ];
    case "contain":
    case "none":
      return [];
  }
}

function allOf(count: number): string {
  return count === 2 ? "Both" : `All ${count}`;
}

function whom(devices: Devices | null, isGroup: boolean): string {
  if (!isGroup) return "The device";
  if (devices === null || devices.onRecord === 0) return "The devices of the group";
  return devices.onRecord === 1
    ? "The one device on record under it"
    : `${allOf(devices.onRecord)} devices on record under it`;
}

export function below(names: string, isGroup: boolean): string {
  if (names === "") return "no certificate";
  return isGroup ? `a certificate below ${names}` : `the certificate ${names}`;
}
