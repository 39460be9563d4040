/** The sandbox after each write, for the judgement of the order in which things were done. */
import type { LoggedRequest } from "../sandbox/common/request-log";
import type { Sandbox } from "../sandbox/common/model";
import type { Switches } from "../sandbox/common/switches";
import { Directory, type EnrollmentRecord } from "../sandbox/dps-service/records";

/** An enrollment as it admits devices. */
export interface EntryView {
  kind: "individual" | "group";
  id: string;
  enabled: boolean;
  /** What its slots hold, the primary one first: a CA certificate's name, or a certificate (DER). */
  slots: (string | Buffer)[];
  /** Is something in the primary slot? */
  hasPrimary: boolean;
}

export interface CaView {
  name: string;
  der: Buffer;
  isVerified: boolean;
}

/** What DPS admits, just after a write. */
export interface Moment {
  /** The write. */
  request: LoggedRequest;
  entries: EntryView[];
  caCertificates: CaView[];
  /** What is assumed about Azure where it is not known. */
  switches: Pick<
    Switches,
    "disabledIndividualDenies" | "disabledGroupDenies" | "groupsWithOneCertificate"
  >;
}

/**
 * Does the request change what DPS admits, or which devices hubs know? Verification codes, twins and
 * queries do not.
 */
export function isWrite({ service, method, path, status }: LoggedRequest): boolean {
  if (status >= 300 || method === "GET") {
    return false;
  }
  switch (service) {
    case "dps-service":
      return (
        /^\/(enrollments|enrollmentGroups|registrations)\/[^/]*$/i.test(path) &&
        !/\/query$/i.test(path)
      );
    case "arm":
      return /\/certificates\/[^/]+(\/verify)?$/i.test(path);
    case "iot-hub":
      return /^\/devices(\/(?!query$)[^/]*)?$/i.test(path);
    case "dps-device":
    case "iot-hub-device":
    case "control":
    case "token":
      return false;
  }
}

/** Keeps every request, and a moment for each write, from now on. */
export class Observer {
  readonly requests: LoggedRequest[] = [];
  readonly moments: Moment[] = [];
  /** Names of DPS instances that are none of the stack's. */
  private readonly others = new Set<string>();
  private readonly see = (request: LoggedRequest): void => {
    if (this.isOthers(request)) {
      return;
    }
    this.requests.push(request);
    if (isWrite(request)) {
      this.moments.push({ request, ...look(this.sandbox, this.others) });
    }
  };

  constructor(private readonly sandbox: Sandbox) {
    sandbox.log.on("request", this.see);
  }

  /** From now on nothing is seen of a DPS instance, which is none of the stack's. */
  leaveOut(service: string): void {
    this.others.add(service);
  }

  private isOthers({ instance, path }: LoggedRequest): boolean {
    return (
      this.others.has(instance) ||
      [...this.others].some((name) => path.includes(`/provisioningServices/${name}/`))
    );
  }

  /** What comes after this mark is one procedure's. */
  mark(): Mark {
    const time = this.sandbox.clock.now().toISOString();
    return { time, moments: this.moments.length, requests: this.requests.length };
  }

  since(mark: Mark): Window {
    return {
      began: mark.time,
      before: this.moments[mark.moments - 1],
      moments: this.moments.slice(mark.moments),
      requests: this.requests.slice(mark.requests),
    };
  }

  /** Index of the last moment; -1: there was none yet. */
  get latest(): number {
    return this.moments.length - 1;
  }

  /**
   * Calls `look` after each write, before it is answered: nobody who waits for that answer goes on
   * until `look` is done. Until the function that is returned is called.
   */
  atEachWrite(look: (request: LoggedRequest) => Promise<void> | void): () => void {
    return this.sandbox.log.hold((request) =>
      isWrite(request) && !this.isOthers(request) ? look(request) : undefined,
    );
  }

  /** As `atEachWrite`, at every request. */
  atEachRequest(look: (request: LoggedRequest) => Promise<void> | void): () => void {
    return this.sandbox.log.hold((request) => (this.isOthers(request) ? undefined : look(request)));
  }

  /** Calls `hear` for each request, until the function that is returned is called. */
  listen(hear: (request: LoggedRequest) => void): () => void {
    this.sandbox.log.on("request", hear);
    return () => void this.sandbox.log.off("request", hear);
  }

  close(): void {
    this.sandbox.log.off("request", this.see);
  }
}

interface Mark {
  time: string;
  moments: number;
  requests: number;
}

/** A procedure, as the sandbox saw it. */
export interface Window {
  /** ISO 8601. */
  began: string;
  /** The last moment before it. */
  before: Moment | undefined;
  moments: Moment[];
  requests: LoggedRequest[];
}

function look(sandbox: Sandbox, others: ReadonlySet<string>): Omit<Moment, "request"> {
  const directories = sandbox.services
    .list()
    .filter(({ name }) => !others.has(name))
    .map((service) => new Directory(sandbox, service));
  return {
    entries: directories.flatMap((directory) =>
      [...directory.entries("individual"), ...directory.entries("group")].map(entryView),
    ),
    caCertificates: directories.flatMap((directory) => directory.caCertificates()),
    switches: sandbox.switches,
  };
}

function entryView({ kind, id, settings, attestation }: EnrollmentRecord): EntryView {
  const slots =
    attestation.form === "symmetricKey" ? [] : [attestation.primary, attestation.secondary];
  const [primary] = slots;
  return {
    kind,
    id,
    enabled: settings.provisioningStatus !== "disabled",
    slots: slots.flatMap((slot) =>
      slot === undefined ? [] : [typeof slot === "string" ? slot : Buffer.from(slot.der, "base64")],
    ),
    hasPrimary: primary !== undefined,
  };
}
