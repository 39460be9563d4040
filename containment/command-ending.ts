/** How a command ends: its exit code, and what is said of an error. */
import { CommanderError } from "commander";

/** Mistakes of ours, of which the place says more than the message. */
const MISTAKES = [TypeError, RangeError, ReferenceError];

/**
 * Runs a command and sets the exit code of this process. An error is said by its message; of a mistake of the
 * program by its stack, which has no values in it, as an error's other properties may.
 *
 * @param command resolves to the exit code
 * @param exit codes for what was given and cannot be understood, and for everything else that fails
 * @param usage kinds of errors that mean the former
 */
export function endWith(
  command: Promise<number>,
  exit: { usage: number; failed: number },
  usage: readonly (new (...args: never[]) => Error)[],
): void {
  command.then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      if (error instanceof CommanderError) {
        // Commander has printed its help, or what is wrong.
        process.exitCode = error.exitCode === 0 ? 0 : exit.usage;
        return;
      }
      console.error(wordsOf(error));
      process.exitCode = usage.some((kind) => error instanceof kind) ? exit.usage : exit.failed;
    },
  );
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return MISTAKES.some((kind) => error instanceof kind)
    ? (error.stack ?? error.message)
    : error.message;
}
