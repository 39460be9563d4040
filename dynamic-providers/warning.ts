import { type Fault, formatFault } from "../certificates/faults";
import { say } from "./handler";
import { record } from "./judgement-record";

/** Says a warning to the person at the terminal, and to whoever shows the run in another form. */
export function warn(fault: Fault): void {
  say(`warning: ${formatFault(fault)}`);
  record({ by: "resource", faults: [fault] });
}

/** The same for what may also be a sentence that is no fault. */
export function warnOrSay(finding: string | Fault): void {
  if (typeof finding === "string") say(finding);
  else warn(finding);
}

/** The same for what was found in DPS and is no cause for alarm by itself: it is said without `warning:`. */
export function sayFound(finding: string | Fault): void {
  if (typeof finding === "string") return say(finding);
  say(formatFault(finding));
  record({ by: "resource", faults: [finding] });
}
