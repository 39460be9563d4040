/** What the toolchain tells the user while it works; always on stderr, so stdout stays a command's. */
import { clearInterval, setInterval } from "node:timers";

/**
 * @typedef {(text: string) => void} Log
 */

const prefix = "toolchain: ";
/** Without a terminal each report is a line of its own, so they come seldom. */
const plainSeconds = 15;

/** @param {NodeJS.WriteStream} [stream] @returns {Log} */
export function createLog(stream = process.stderr) {
  return (text) => void stream.write(`${prefix}${text}\n`);
}

/**
 * Reports how far a long step is, with the time it has taken, until `stop` is called.
 * @param {Log} log
 * @param {() => string} describe
 * @returns {{ seconds: () => number, stop: () => void }}
 */
export function reportProgress(log, describe, everySeconds = plainSeconds) {
  const start = Date.now();
  const seconds = () => Math.round((Date.now() - start) / 1000);
  const timer = setInterval(
    () => log(`${describe()}, ${duration(seconds())}`),
    everySeconds * 1000,
  );
  return { seconds, stop: () => clearInterval(timer) };
}

/** @param {number} seconds */
export function duration(seconds) {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
