/** A lock between processes, as a file; the lock of a process that died is taken over. */
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { link, mkdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { clearInterval, setInterval } from "node:timers";
import { failedWith } from "./failure.mjs";

const pollMilliseconds = 200;
/** Of a holder on another machine or in another container only the lock's age can be seen. */
const beatMilliseconds = 5_000;
const silentMilliseconds = 60_000;

/**
 * @typedef {{ id: string, pid: number, host: string, born: string }} Holder
 */

/**
 * Does `work` while no other process does work under the same lock.
 * @template T
 * @param {string} path the lock's file
 * @param {() => Promise<T>} work
 * @param {(holder: Holder) => void} [waiting] called once if another process holds the lock
 * @returns {Promise<T>}
 */
export async function withLock(path, work, waiting = () => {}) {
  await mkdir(dirname(path), { recursive: true });
  /** @type {Holder} */
  const holder = { id: randomUUID(), pid: process.pid, host: hostname(), born: birth(process.pid) };
  for (let told = false; ;) {
    const other = await tryLock(path, holder);
    if (!other) break;
    if (!told) waiting(other);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
  }
  const beat = setInterval(() => void touch(path), beatMilliseconds);
  beat.unref();
  const release = () => rmSync(path, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    process.removeListener("exit", release);
    release();
  }
}

/**
 * Takes the lock, or answers who has it.
 * @param {string} path
 * @param {Holder} holder
 * @returns {Promise<Holder | undefined>}
 */
async function tryLock(path, holder) {
  for (;;) {
    if (await place(path, holder)) return undefined;
    const other = await readHolder(path);
    if (!other) continue;
    if (await isAlive(path, other)) return other;
    // Of several that see the same dead holder, one alone may remove its file, or the second would
    // remove the first one's new lock. The right to remove is a lock too, named after the dead one.
    const right = `${path}.${other.id}`;
    const remover = await tryLock(right, holder);
    if (remover) return remover;
    if ((await readHolder(path))?.id === other.id) await rm(path, { force: true });
    await rm(right, { force: true });
  }
}

/**
 * Creates the file with its content in one step, so no reader ever sees a half-written one.
 * @param {string} path
 * @param {Holder} holder
 */
async function place(path, holder) {
  const draft = `${path}.${holder.id}.draft`;
  await writeFile(draft, JSON.stringify(holder));
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (failedWith(error, "EEXIST")) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** @param {string} path @returns {Promise<Holder | undefined>} undefined when it is free by now */
async function readHolder(path) {
  let text;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (failedWith(error, "ENOENT")) return undefined;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch {
    // A full disk or a crashed machine leaves an empty file: nobody holds it.
    return { id: "unreadable", pid: 0, host: hostname(), born: "" };
  }
}

/** @param {string} path @param {Holder} other */
async function isAlive(path, other) {
  if (other.host !== hostname()) {
    const age = await stat(path).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    );
    return age < silentMilliseconds;
  }
  if (other.pid <= 0) return false;
  try {
    process.kill(other.pid, 0);
  } catch (error) {
    return !failedWith(error, "ESRCH");
  }
  // A number is given again after a while; the time of birth tells two processes apart.
  const born = birth(other.pid);
  return born === "" || other.born === "" || born === other.born;
}

/** When a process was started, in the kernel's own count; "" where it does not say. @param {number} pid */
function birth(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Field 22; the second field, the name in brackets, may hold spaces.
    return status.slice(status.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

/** @param {string} path */
async function touch(path) {
  const now = new Date();
  await utimes(path, now, now).catch(() => {});
}
