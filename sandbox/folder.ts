/** The folder of a sandbox: who has it, what lies in it, and what of it may be thrown away. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readJson, writeJson } from "./endpoints";

/** A sentence for the person at the terminal. */
export class SandboxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SandboxError";
  }
}

/** Says that the folder is a sandbox's, so that no other folder is ever emptied. */
interface Marker {
  version: 1;
  /** true: what is in it is to be found again by the next run. */
  keep: boolean;
}

/** Folders that this very process has; a process id alone cannot tell. */
const claimedHere = new Set<string>();

/** All paths absolute. */
export class SandboxFolder {
  readonly path: string;
  readonly endpointsFile: string;
  readonly environmentFile: string;
  readonly caFile: string;
  /** `caFile`, and the CA certificates that an attached shell trusted before. */
  readonly trustFile: string;
  readonly requestsFile: string;
  /** The embedded database. */
  readonly records: string;
  /** Pulumi's state, when it is kept in the sandbox. */
  readonly state: string;
  private readonly marker: string;
  private readonly lock: string;

  constructor(dir: string) {
    this.path = resolve(dir);
    this.endpointsFile = join(this.path, "endpoints.json");
    this.environmentFile = join(this.path, "environment.json");
    this.caFile = join(this.path, "ca.pem");
    this.trustFile = join(this.path, "trust.pem");
    this.requestsFile = join(this.path, "requests.jsonl");
    this.records = join(this.path, "records");
    this.state = join(this.path, "state");
    this.marker = join(this.path, "sandbox-folder.json");
    this.lock = join(this.path, "sandbox.lock");
  }

  /**
   * Takes the folder for this process. Throws `SandboxError` when a living sandbox has it, when it is
   * not a sandbox's folder, or when it holds a kept sandbox and `keep` is false.
   */
  claim(keep: boolean): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    const marker = readJson<Marker>(this.marker);
    if (marker === undefined && readdirSync(this.path).length > 0) {
      throw new SandboxError(
        `${this.path} holds files that are not a sandbox's: choose an empty folder with --dir.`,
      );
    }
    this.takeLock();
    if (marker?.keep === true && !keep) {
      this.release();
      throw new SandboxError(
        `${this.path} holds a sandbox that is kept: start it with --keep, or delete the folder.`,
      );
    }
    if (marker?.keep !== true) {
      // What a sandbox that was not kept left behind when it was killed.
      this.empty();
      rmSync(this.requestsFile, { force: true });
    }
    rmSync(this.endpointsFile, { force: true });
    this.mark(keep);
    mkdirSync(this.records, { recursive: true, mode: 0o700 });
    mkdirSync(this.state, { recursive: true, mode: 0o700 });
  }

  /** What is in it is to be found again. */
  keep(): void {
    this.mark(true);
  }

  get isKept(): boolean {
    return readJson<Marker>(this.marker)?.keep === true;
  }

  /** Removes what tells others that a sandbox runs here. */
  withdraw(): void {
    rmSync(this.endpointsFile, { force: true });
    rmSync(this.environmentFile, { force: true });
  }

  /** Removes everything that belongs to one sandbox, but not the log of its requests. */
  empty(): void {
    this.withdraw();
    rmSync(this.caFile, { force: true });
    rmSync(this.trustFile, { force: true });
    rmSync(this.records, { recursive: true, force: true });
    rmSync(this.state, { recursive: true, force: true });
  }

  /** Gives the folder back. */
  release(): void {
    claimedHere.delete(this.path);
    rmSync(this.lock, { force: true });
  }

  private mark(keep: boolean): void {
    writeJson(this.marker, { version: 1, keep } satisfies Marker);
  }

  private takeLock(): void {
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        writeFileSync(this.lock, String(process.pid), { flag: "wx", mode: 0o600 });
        claimedHere.add(this.path);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
          throw error;
        }
      }
      const pid = Number(readFileSync(this.lock, "utf8"));
      if (claimedHere.has(this.path) || (pid !== process.pid && isAlive(pid))) {
        throw new SandboxError(
          `A sandbox already runs in ${this.path} (process ${pid}): stop it, or choose another folder with --dir.`,
        );
      }
      rmSync(this.lock, { force: true });
    }
    throw new SandboxError(`Another sandbox is just starting in ${this.path}.`);
  }
}

/** Is there a process with this id? */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) {
    return false;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // There is one, and it is somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
