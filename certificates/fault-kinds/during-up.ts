/** What a command meets while it works: 170-189. No preview has them. */
import type { FaultKind } from "./fault-kind";

export const DURING_UP = {
  "DPS-CERT-170": {
    title: "entry that is opened again each time it is closed",
    severity: "refusal",
    explanation:
      "A breach is contained when a read shows that nothing admits the key. Somebody else, a person or a program, goes on enabling the entry.",
  },
  "DPS-CERT-171": {
    title: "removal while an entry admits the compromised key",
    severity: "refusal",
    explanation:
      "A thief whose device is removed would register again at once. First nothing may admit the key any more.",
  },
  "DPS-CERT-172": {
    title: "removal that is not finished",
    severity: "refusal",
    explanation:
      "Some devices still have their access. What was done is in the state, and the next `pulumi up` goes on from there.",
  },
  "DPS-CERT-173": {
    title: "hub identity of a denied device that could not be written",
    severity: "refusal",
    explanation:
      "An identity is written only as the version that was read. Somebody else writes it each time in between.",
  },
  "DPS-CERT-174": {
    title: "CA certificate that is not in DPS as it was written",
    severity: "refusal",
    explanation:
      "What was written is read again. Somebody else has deleted the CA certificate in between, or changed whether it is verified.",
  },
  "DPS-CERT-175": {
    title: "state of another version",
    severity: "refusal",
    explanation:
      "The state of a stack names what carries its resources out. A version that does not have it cannot go on from that state.",
  },
  "DPS-CERT-176": {
    title: "entry that is gone after it was made",
    severity: "refusal",
    explanation:
      "A disabled entry shuts out what no entry held. It is read again after it was made, and somebody else has deleted it in between.",
  },
  "DPS-CERT-180": {
    title: "target that this shell does not lead to",
    severity: "refusal",
    explanation:
      "The sandbox and a subscription are never mixed: nobody should think they rehearse while they change a fleet, or the other way round.",
  },
  "DPS-CERT-181": {
    title: "access key that cannot be used",
    severity: "refusal",
    explanation:
      "With `auth: keys` the keys of the DPS and its hubs are listed when they are needed, and need certain rights.",
  },
  "DPS-CERT-182": {
    title: "answer that cannot be used",
    severity: "refusal",
    explanation:
      "The service answered, and not in the form that its documentation and Microsoft's client describe. Nothing is done on the strength of such an answer.",
  },
  "DPS-CERT-183": {
    title: "more than a run that only reads may do",
    severity: "refusal",
    explanation:
      "A preview of a pull request runs with an identity that may only read. It neither updates nor lists access keys.",
  },
  "DPS-CERT-184": {
    title: "entry that DPS refuses to disable",
    severity: "refusal",
    explanation:
      "DPS judges a write of an entry whole, and may refuse one that only disables it because of what the entry held before, such as a CA certificate or a hub that is gone. Everything else is closed; this entry is still open.",
  },
} as const satisfies Record<string, FaultKind>;
