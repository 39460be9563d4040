/** Which stacks deny a device: written as the reason of its disabled hub identity, where each of them reads it. */
import { createHash } from "node:crypto";
import type { HubIdentity } from "../../clients/hub-registry";

const WORDS = "dps-certificates: denied by ";
/** IoT Hub's identity registry: `statusReason` is a text of at most 128 characters. */
const LONGEST_REASON = 128;
/** So that four stacks have room in one reason. */
const LONGEST_NAME = 23;

/** A stack in such a reason: `project/stack`, cut and made unique where it is long. */
export function markOf(stack: string): string {
  if (stack.length <= LONGEST_NAME) return stack;
  const digest = createHash("sha256").update(stack).digest("hex").slice(0, 6);
  return `${stack.slice(0, LONGEST_NAME - digest.length - 1)}~${digest}`;
}

/** Who denies it; empty: it is enabled, or somebody disabled it for another reason. */
export function deniersOf({
  status,
  statusReason,
}: Pick<HubIdentity, "status" | "statusReason">): string[] {
  const isDenied = status === "disabled" && statusReason?.startsWith(WORDS) === true;
  return isDenied ? statusReason.slice(WORDS.length).split(", ") : [];
}

/** The reason that names them; undefined: they are too many for one. */
export function denialReason(marks: string[]): string | undefined {
  const reason = `${WORDS}${marks.join(", ")}`;
  return reason.length > LONGEST_REASON ? undefined : reason;
}
