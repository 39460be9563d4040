/** What the answers that DPS gave to canaries show about the order of a roll. Pure. */
import type { Moment } from "./moments";
import { admits } from "./admission";
import type { Ruling } from "./order-rules";

/** A canary's registration, and how DPS met it. */
export interface Trial {
  registrationId: string;
  /** PEM: what it presented. */
  chain: string;
  role: "old" | "new";
  accepted: boolean;
  answer: string;
  /** Index of the last moment before it, and of the last one when it was answered; -1: none. */
  from: number;
  to: number;
}

/** DPS does what its records say: what is judged from them alone is what a device lives through. */
export function judgeTruth(trials: Trial[], moments: Moment[]): Ruling {
  const untrue = trials.filter(
    ({ registrationId, chain, accepted, from, to }) =>
      from >= 0 &&
      !moments
        .slice(from, to + 1)
        .some((moment) => admits(moment, { registrationId, chain }) === accepted),
  );
  const judged = trials.filter(({ from }) => from >= 0);
  return {
    rule: "DPS answers canaries as its records say",
    held: judged.length > 0 && untrue.length === 0,
    evidence: untrue.length === 0 ? counted(trials) : untrue.slice(0, 3).map(words).join("; "),
  };
}

/** At an expiration a device that holds the old certificate and the new one is never shut out. */
export function judgeNoGap(trials: Trial[]): Ruling {
  const gaps = [...new Set(trials.map(({ from }) => from))].filter((at) =>
    trials.filter(({ from }) => from === at).every(({ accepted }) => !accepted),
  );
  return {
    rule: "after each write DPS accepts canaries with the old chain, the new one, or both (tried)",
    held: trials.length > 0 && gaps.length === 0,
    evidence:
      gaps.length === 0
        ? counted(trials)
        : gaps.map((at) => `none accepted after write ${at}`).join("; "),
  };
}

/** The old certificate is accepted until it is retired, the new one from its first acceptance on. */
export function judgeOneWay(trials: Trial[]): Ruling {
  const back = [
    ...changes(trials, "old").filter(({ accepted }) => accepted),
    ...changes(trials, "new").filter(({ accepted }) => !accepted),
  ];
  const began = trials.find(({ role }) => role === "old");
  const ended = trials.findLast(({ role }) => role === "new");
  return {
    rule: "canaries are accepted with the old chain at first, with the new one at last, and neither changes twice (tried)",
    held: began?.accepted === true && ended?.accepted === true && back.length === 0,
    evidence: back.slice(0, 3).map(words).join("; ") || counted(trials),
  };
}

/** From the cut-off on nobody with the compromised key comes in, however often it is tried. */
export function judgeClosedTried(trials: Trial[], cutOff: number): Ruling {
  const after = trials.filter(({ role, from }) => role === "old" && from >= cutOff);
  const admitted = after.filter(({ accepted }) => accepted);
  const before = trials.filter(({ role, from }) => role === "old" && from < cutOff);
  return {
    rule: "DPS refuses canaries with the compromised key from the cut-off on (tried)",
    held:
      cutOff >= 0 &&
      after.length > 0 &&
      admitted.length === 0 &&
      before.some(({ accepted }) => accepted),
    evidence:
      admitted.length > 0
        ? admitted.slice(0, 3).map(words).join("; ")
        : `${after.length} × ${[...new Set(after.map(({ answer }) => answer))].join(", ")}`,
  };
}

/** Tries whose answer differs from that of the same canary's try before. */
function changes(trials: Trial[], role: Trial["role"]): Trial[] {
  const own = trials.filter((trial) => trial.role === role);
  return own.flatMap((trial, at) => {
    const before = own
      .slice(0, at)
      .findLast(({ registrationId }) => registrationId === trial.registrationId);
    return before !== undefined && before.accepted !== trial.accepted ? [trial] : [];
  });
}

/** `old: 5 × accepted, 2 × refused; new: …`. */
function counted(trials: Trial[]): string {
  return (["old", "new"] as const)
    .flatMap((role) => {
      const own = trials.filter((trial) => trial.role === role);
      const accepted = own.filter((trial) => trial.accepted).length;
      return own.length === 0
        ? []
        : [`${role}: ${accepted} × accepted, ${own.length - accepted} × refused`];
    })
    .join("; ");
}

function words({ registrationId, role, accepted, answer, from }: Trial): string {
  return `${registrationId} (${role}) ${accepted ? "accepted" : "refused"} after write ${from}: ${answer}`;
}
