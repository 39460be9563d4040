/** The mark on what was built here: what it was built from, and which files it consists of. */
import { createHash } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { failedWith } from "./failure.mjs";

/** A folder without this file was not built here, so it is never changed. */
export const markerName = "built-from-go-modules.json";

/**
 * @typedef {object} Marker
 * @property {string} inputs hash of the Go modules, the sources and the versions asked for
 * @property {string} go version of the Go that compiled it
 * @property {Record<string, number>} files name, relative to the marker, and size in bytes
 */

/**
 * @param {string} sources the folder of the Go modules
 * @param {import("./versions.mjs").Versions} versions
 */
export async function hashInputs(sources, versions) {
  const hash = createHash("sha256").update(JSON.stringify(versions));
  const entries = await readdir(sources, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  for (const file of files) {
    hash.update(`\0${relative(sources, file)}\0`).update(await readFile(file));
  }
  return hash.digest("hex");
}

/**
 * Marks a folder that is finished but not in place yet.
 * @param {string} folder
 * @param {Omit<Marker, "files">} made
 */
export async function writeMarker(folder, made) {
  /** @type {Record<string, number>} */
  const files = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    files[relative(folder, path)] = (await stat(path)).size;
  }
  await writeFile(join(folder, markerName), `${JSON.stringify({ ...made, files }, null, 2)}\n`);
}

/** @param {string} folder @returns {Promise<Marker | undefined>} */
export async function readMarker(folder) {
  try {
    return JSON.parse(await readFile(join(folder, markerName), "utf8"));
  } catch (error) {
    if (failedWith(error, "ENOENT", "ENOTDIR")) return undefined;
    // Unreadable, but it is our file: what it marks is ours and out of date.
    if (error instanceof SyntaxError) return { inputs: "", go: "", files: {} };
    throw error;
  }
}

/**
 * What is at a place: nothing, somebody else's, ours as it would be built now, or ours but of other
 * inputs or incomplete.
 * @param {string} folder
 * @param {{ inputs: string, go: string | undefined }} now without Go there is nothing to rebuild
 *   with, so only the inputs are compared
 * @returns {Promise<"absent" | "foreign" | "fresh" | "stale">}
 */
export async function stateOf(folder, now) {
  const marker = await readMarker(folder);
  if (!marker) return (await isEmpty(folder)) ? "absent" : "foreign";
  if (marker.inputs !== now.inputs || (now.go && marker.go !== now.go)) return "stale";
  for (const [name, size] of Object.entries(marker.files)) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found?.size !== size) return "stale";
  }
  return "fresh";
}

/** True for a folder that is missing or holds no file at any depth. @param {string} folder */
async function isEmpty(folder) {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.every((entry) => entry.isDirectory());
  } catch (error) {
    if (failedWith(error, "ENOENT")) return true;
    throw error;
  }
}
