/** A failure whose message is for the person at the terminal: one sentence that says what to do. */
export class ToolchainError extends Error {
  /** @param {string} message @param {unknown} [cause] */
  constructor(message, cause) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ToolchainError";
  }
}

/** @param {unknown} error */
export function sentenceOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Whether a file system call failed with one of these codes; the usual races end in one.
 * @param {unknown} error
 * @param {...string} codes
 */
export function failedWith(error, ...codes) {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
