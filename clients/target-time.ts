/**
 * What time it is where the certificates are judged. A machine's clock may be wrong, and the sandbox's
 * may have been moved; each answer of the target says its own time (header Date, RFC 9110 section 6.6.1).
 */
import { attachedSandbox, type Connection } from "./target";

/** Answers everybody, also without a token. */
const METADATA = "metadata/endpoints?api-version=2022-09-01";
const AZURE = "https://management.azure.com/";
const WAIT_MS = 5000;
/** The header has whole seconds, and the answer was on its way for a while. */
const TOLERANCE_MS = 5000;

/** Ahead of this machine's clock, as the target said last. */
let aheadMs = 0;

/** The target's time, as far as `askTargetTime` knows it; before it was asked, the machine's. */
export function targetNow(): Date {
  return new Date(Date.now() + aheadMs);
}

/**
 * Asks the target for its time, for `targetNow`. The result is what a person should know: that the two
 * clocks differ, or that the target did not answer, when the machine's time counts: a breach must not
 * wait for a clock. A sandbox that is not attached is not asked; whoever needs it says so.
 */
export async function askTargetTime(
  target: Connection["target"],
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  aheadMs = 0;
  const sandbox = target === "sandbox" ? attachedSandbox(env) : undefined;
  // Nor is a target that the configuration may not name.
  if (target !== "azure" && sandbox === undefined) return undefined;
  const place = sandbox === undefined ? "Azure" : "the sandbox";
  try {
    const response = await fetch(new URL(METADATA, sandbox?.arm.endpoint ?? AZURE), {
      method: "HEAD",
      signal: AbortSignal.timeout(WAIT_MS),
    });
    const theirs = Date.parse(response.headers.get("date") ?? "");
    if (Number.isNaN(theirs)) throw new Error("its answer has no date");
    const ahead = theirs - Date.now();
    if (Math.abs(ahead) <= TOLERANCE_MS) return undefined;
    aheadMs = ahead;
    return `certificates are judged by the time of ${place}, ${new Date(theirs).toISOString()}, not by that of this machine`;
  } catch (error) {
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? cause.message : message;
    return `certificates are judged by this machine's time, because ${place} did not say its own (${reason})`;
  }
}
