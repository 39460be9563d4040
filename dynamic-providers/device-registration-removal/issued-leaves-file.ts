/** Reads the manifest of issued leaves: by the program, to judge it, and by the handlers, to use it. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fault, type Fault, faultError } from "../../certificates/faults";
import { type IssuedLeaf, parseIssuedLeaves } from "../../certificates/issued-leaves";
import type { IssuedLeavesFile } from "./scope";

/** Path of the file's name in the configuration. */
const PATH = "remove.issuedLeaves";

export interface ReadIssuedLeaves {
  leaves: IssuedLeaf[];
  faults: Fault[];
  source?: IssuedLeavesFile;
}

/** @param file relative to `folder` */
export function readIssuedLeaves(file: string, folder: string): ReadIssuedLeaves {
  let bytes: Buffer;
  try {
    bytes = readFileSync(resolve(folder, file));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    const found = `${file}, which ${code === "ENOENT" ? "does not exist" : `cannot be read (${code})`}`;
    const fix = "give the path of a JSON file, relative to the folder of the program";
    return { leaves: [], faults: [fault("DPS-CERT-100", PATH, found, fix)] };
  }
  const source = { file, sha256: createHash("sha256").update(bytes).digest("hex").toUpperCase() };
  return { ...parseIssuedLeaves(bytes.toString("utf8"), PATH), source };
}

/** The rows that the program has judged; throws when the file has changed since. */
export function issuedLeavesOf(source: IssuedLeavesFile | undefined): IssuedLeaf[] {
  if (source === undefined) {
    return [];
  }
  const read = readIssuedLeaves(source.file, process.cwd());
  if (read.faults.length > 0 || read.source?.sha256 !== source.sha256) {
    throw faultError(
      "DPS-CERT-100",
      PATH,
      `${source.file}, which has changed since this run began, so nobody is removed by it`,
      "run `pulumi up` again",
    );
  }
  return read.leaves;
}
