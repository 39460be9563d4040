/** What both resources of a removal are told. */
import type { CompromisedKey } from "../../certificates/compromised-keys";
import type { Connection } from "../../clients/target";
import type { Containment } from "../breach-containment/provider";
import type { EntryWrites } from "../enrollment/live";

export interface RemovalScope {
  connection: Connection;
  compromised: CompromisedKey[];
  /** Keys that each CA certificate name was ever declared to have; as in `BreachContainment`. */
  caKeys: Record<string, string[]>;
  /** Keys that each entry was ever declared to hold; as in `BreachContainment`. */
  slotKeys?: Record<string, string[]>;
  /** What was closed, by `CompromisedKey.key`. */
  contained: Record<string, Containment>;
  /** When each enrollment of the stack was written, by `group/sensors`, `individual/truck-7`. */
  writes?: Record<string, EntryWrites>;
  remove: RemovalSettings;
  /** Thumbprints of the CA certificates whose leaves are good (`goodIssuers`). */
  goodIssuers: string[];
}

/** As `remove` in the configuration's schema, which says what each of them means. */
export interface RemovalSettings {
  how: "now" | "waves" | "evidenced";
  keep: "delete" | "rekey";
  waves?: WaveSettings;
  issuedLeaves?: IssuedLeavesFile;
}

export interface WaveSettings {
  sizes?: number[];
  /** Percent. */
  share?: number;
  /** Percent. */
  returned: number;
  waitSeconds: number;
  pauseMinutes: number;
}

/** The file is not in the state; its digest is, so that a change of it is seen. */
export interface IssuedLeavesFile {
  /** Relative to the folder of the program. */
  file: string;
  /** SHA-256 of its bytes, upper-case hex. */
  sha256: string;
}

/** The keys that are declared compromised now. */
export function declaredKeys({ compromised }: Pick<RemovalScope, "compromised">): Set<string> {
  return new Set(compromised.map(({ key }) => key));
}
