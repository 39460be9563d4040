import type { Rehearsal } from "../rehearsal";
import type { Setting } from "../setting";

/** A procedure of the design, or a variant of one. */
export interface Procedure {
  /** What it is called on the command line: `P4`, or `P4-both-slots`. */
  name: string;
  /** Of which of P1 to P12 it is a part. */
  of: string[];
  title: string;
  /** Registration IDs of the devices of the setting that it needs; one more is a bystander. */
  members: string[];
  /** Default: the standard one. */
  setting?: Setting;
  carryOut(rehearsal: Rehearsal): Promise<void>;
}
