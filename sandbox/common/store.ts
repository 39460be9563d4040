import { open, TransactionFlags, type RootDatabase } from "lmdb";

/** As of a single `putSync`, but nothing of it stays when it throws. */
const ABORTABLE =
  TransactionFlags.ABORTABLE | TransactionFlags.SYNCHRONOUS_COMMIT | TransactionFlags.NO_SYNC_FLUSH;

/**
 * Where every record of the sandbox lives: an embedded key-value database. Reads and writes are
 * synchronous, so a request handler that does not `await` between reading and writing is atomic.
 */
export class Store {
  private readonly db: RootDatabase;
  private inside = false;

  /**
   * @param path folder of the database, created when missing
   * @param durable true: a write that has returned survives kill -9, and is flushed to disk soon after;
   *   when the machine itself goes down the last moments may be lost, and what is found is what was
   *   true a moment before. false: never flushed, for a sandbox whose state is thrown away
   */
  constructor(path: string, durable: boolean) {
    this.db = open({ path, noSync: !durable, compression: false });
  }

  /** The collection called `name`; records in it are keyed case-insensitively, as Azure's are. */
  collection<T extends object>(name: string): Collection<T> {
    return new Collection<T>(this.db, name);
  }

  /**
   * Removes, from every collection whose name starts with `collections`, the records whose key starts
   * with `keys` (case-insensitive): what a deleted service has stored.
   */
  purge(collections: string, keys: string): void {
    const prefix = keys.toLowerCase();
    const doomed: string[][] = [];
    for (const key of this.db.getKeys({ start: [collections] })) {
      const [collection = "", record = ""] = key as unknown as string[];
      if (!collection.startsWith(collections)) {
        break;
      }
      if (record.startsWith(prefix)) {
        doomed.push([collection, record]);
      }
    }
    this.atomically(() => doomed.forEach((key) => this.db.removeSync(key)));
  }

  /**
   * Carries out `run` so that all it writes is stored, or, when it throws or the process is killed, none
   * of it. `run` is synchronous. Inside another one it is part of that.
   */
  atomically<T>(run: () => T): T {
    if (this.inside) return run();
    this.inside = true;
    try {
      return this.db.transactionSync(run, ABORTABLE);
    } finally {
      this.inside = false;
    }
  }

  async close(): Promise<void> {
    await this.db.close();
  }
}

/** A named set of records of one kind, in key order. */
export class Collection<T extends object> {
  constructor(
    private readonly db: RootDatabase,
    private readonly name: string,
  ) {}

  get(key: string): T | undefined {
    return this.db.get([this.name, key.toLowerCase()]) as T | undefined;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  put(key: string, record: T): T {
    this.db.putSync([this.name, key.toLowerCase()], record);
    return record;
  }

  /** Removes the record; false when there was none. */
  delete(key: string): boolean {
    return this.db.removeSync([this.name, key.toLowerCase()]);
  }

  /**
   * All records whose key starts with `prefix` (case-insensitive), in key order.
   * @param after only those whose key is beyond this one. Default: all
   */
  list(prefix = "", after = ""): T[] {
    const wanted = prefix.toLowerCase();
    const found: T[] = [];
    const from = after.toLowerCase();
    const range = this.db.getRange({
      start: [this.name, from > wanted ? from : wanted],
      end: [this.name, `${wanted}\uffff`],
    });
    for (const { key, value } of range) {
      if (String((key as unknown as string[])[1]).startsWith(wanted)) {
        found.push(value as T);
      }
    }
    return found;
  }
}
