/** A refused change, as the plan is given it. */
import type { Declared, KnownFacts } from "../../../certificates/declared";
import type { Fault, FaultCode } from "../../../certificates/faults";
import type { Issued } from "../../support/test-ca";
import type { Scene, SceneDevice } from "../scene";

/** What the program refuses: a stack's configuration with one mistake, and the files it names. */
export interface ProgramRefusal {
  code: FaultCode;
  /** Changes the configuration, and the contents of its files by their names. */
  configure: (
    raw: RawConfiguration,
    files: Record<string, string | Buffer>,
    certificates: Record<string, Issued>,
  ) => void;
}

/** A stack's configuration as it is written. */
export interface RawConfiguration {
  service: Record<string, unknown>;
  hubs: Record<string, unknown>[];
  certificates: Record<string, object>;
  caCertificates: Record<string, object>;
  enrollmentGroups: Record<string, object>;
  individualEnrollments: Record<string, object>;
  [property: string]: unknown;
}

/** What is refused in view of what was declared before, or of the service and its devices. */
export interface ChangeRefusal {
  code: FaultCode;
  /** What was carried out last. Default: the scene as it is. */
  before?: (base: Declared, all: Scene) => void;
  change: (copy: Declared, all: Scene) => void;
  devices?: (all: SceneDevice[]) => SceneDevice[];
  known?: (all: Scene) => KnownFacts;
  /** The program does not see it: a certificate is made in the stack, or the program is another one. */
  isPastProgram?: true;
  /** What the live service says beside its devices. */
  live?: (all: Scene) => LiveScene;
}

export interface LiveScene {
  /** More CA certificates that somebody has uploaded. */
  caCertificates?: { name: string; sha1Thumbprint: string; subject: string }[];
  /** Of entries that become part of the stack. */
  joining?: Fault[];
  /** When DPS last wrote all entries. */
  lastWritten?: string;
  /** Keys of entries whose devices could not be counted, and why. */
  uncounted?: Record<string, string>;
}
