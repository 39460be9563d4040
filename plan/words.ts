/** Procedures and phases for somebody who has never seen DPS. */
import type { Phase, Procedure } from "../certificates/declared";
import type { Fate } from "./lock-out";

const BREACH: ReadonlySet<Procedure> = new Set<Procedure>(["P4", "P6", "P7"]);

export function isBreach(procedure: Procedure): boolean {
  return BREACH.has(procedure);
}

export const PROCEDURES: Record<Procedure, string> = {
  P2: "New device certificate on the device",
  P3: "New device certificate below a CA that stays",
  P4: "Breach: a single device's certificate",
  P5: "Renewal of a single device's certificate",
  P6: "Breach: the root CA of a group of devices",
  P7: "Breach: the intermediate CA of a group of devices",
  P8: "Renewal of the root CA of a group of devices",
  P9: "Renewal of the intermediate CA of a group of devices",
  P10: "Devices are told to register again",
  P11: "A CA certificate for the service",
  P12: "Denial of a device or of a CA",
  enroll: "New entry",
  none: "Change without a roll",
};

const PHASES: Record<Phase, string> = {
  prepare: "prepare: the new certificate is accepted beside the old one",
  activate: "activate: the two certificates change places",
  retire: "retire: the old certificate is accepted no more",
  contain: "contain: what admits the compromised certificate is closed; no new one takes its place",
  replace: "replace: the old certificate is accepted no more, the new one is",
  remove: "remove: the entry is taken away",
  enroll: "enroll: devices with this certificate can register",
  enable: "enable: devices can register again",
  disable: "disable: no device can register",
  deny: "deny: shut out until the denial is lifted",
  readmit: "readmit: the denial is lifted",
  none: "nothing changes in DPS",
};

/** Of a breach, which has no phase of its own: one run has them all. */
export function phaseWords(procedure: Procedure, phase: Phase): string {
  if (!isBreach(procedure)) return PHASES[phase];
  if (phase === "replace")
    return "contain, replace and remove: the old certificate is accepted no more, the new one is";
  return phase === "contain"
    ? "contain and remove: what admits the compromised certificate is closed; no new one takes its place"
    : PHASES[phase];
}

/** "3 devices …": what becomes of them at their next registration. */
export const FATES: Record<Fate, string> = {
  same: "admitted as before",
  other: "admitted by another entry than now",
  refused: "cut off: admitted now, refused after this change",
  "shut out": "shut out as it is meant: their certificate is compromised, or they are denied",
  "let in": "let in: refused now, admitted after this change",
  "stays refused": "refused before and after",
  "not known": "not known: there is no evidence of the certificate they have",
  "not touched":
    "not known which certificate they have, but what admits the certificates of their group stays as it is",
};
