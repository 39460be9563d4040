/** Puts finished folders into place in one step, so a killed run leaves the old one or the new. */
import { chmod, cp, link, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { failedWith } from "./failure.mjs";
import { unfinishedPrefix } from "./places.mjs";

/**
 * Makes a folder beside the place something will have: in the same file system, so that it can be
 * renamed.
 * @param {string} target
 */
export async function createUnfinished(target) {
  await mkdir(dirname(target), { recursive: true });
  return mkdtemp(join(dirname(target), `${unfinishedPrefix}${basename(target)}-`));
}

/**
 * Renames a finished folder to its place; what is there, if anything, must be ours or empty.
 * @param {string} finished
 * @param {string} target
 */
export async function putInPlace(finished, target) {
  const old = await createUnfinished(target);
  try {
    await rename(target, join(old, "replaced"));
  } catch (error) {
    if (!failedWith(error, "ENOENT")) throw error;
  }
  // A temporary folder is for its owner's eyes only; an installed one is like any other.
  await chmod(finished, 0o755);
  await rename(finished, target);
  await rm(old, { recursive: true, force: true });
}

/**
 * Removes what killed runs left beside a place. Only the holder of the lock may do so.
 * @param {string} folder
 */
export async function sweep(folder) {
  const names = await readdir(folder).catch(() => []);
  await Promise.all(
    names
      .filter((name) => name.startsWith(unfinishedPrefix))
      .map((name) => rm(join(folder, name), { recursive: true, force: true })),
  );
}

/**
 * A second name for a file, or a copy where the file system has no second names.
 * @param {string} from
 * @param {string} to
 */
export async function linkOrCopy(from, to) {
  await link(from, to).catch(() => cp(from, to));
}
