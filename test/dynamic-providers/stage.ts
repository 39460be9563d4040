/** A real sandbox for the handlers, and what their tests look at: writes, words, inputs. */
import { Registry } from "azure-iothub";
import { compromisedKeys, type CompromisedKey } from "../../certificates/compromised-keys";
import { summarize } from "../../certificates/summary";
import { EnrollmentsClient } from "../../clients/enrollments";
import type { Connection } from "../../clients/target";
import type { Slot } from "../../dynamic-providers/enrollment/slots";
import { OffsetClock } from "../../sandbox/common/clock";
import type { Switches } from "../../sandbox/common/switches";
import type { LoggedRequest } from "../../sandbox/common/request-log";
import type { Fronts } from "../../sandbox/fronts";
import { startProvisioningFront } from "../../sandbox/dps-service/front";
import { declared } from "../certificates/fixtures";
import { type AttachedSandbox, openAttached } from "../clients/attached-sandbox";
import { ARM_ONLY } from "../support/sandbox";
import { register } from "../support/register";
import type { Issued, TestCa } from "../support/test-ca";

/** DPS without hubs: enough for everything but registrations. */
export const WITHOUT_HUBS: Fronts = { ...ARM_ONLY, provisioningService: startProvisioningFront };

export class Stage {
  readonly enrollments: EnrollmentsClient;
  /** What handlers told the person at the terminal since `reset`. */
  said: string[] = [];
  private writesSoFar: LoggedRequest[] = [];

  private constructor(
    readonly sandbox: AttachedSandbox,
    readonly clock: OffsetClock,
  ) {
    this.enrollments = new EnrollmentsClient(sandbox.connection);
    sandbox.sandbox.log.on("request", (request) => {
      if (isWrite(request)) this.writesSoFar.push(request);
    });
  }

  /**
   * @param fronts default: the real ones, with hubs
   * @param switches what is not known about Azure; default: as assumed
   */
  static async open(fronts?: Fronts, switches: Partial<Switches> = {}): Promise<Stage> {
    const clock = new OffsetClock();
    return new Stage(await openAttached({ clock, switches, ...(fronts && { fronts }) }), clock);
  }

  get connection(): Connection {
    return this.sandbox.connection;
  }

  close(): Promise<void> {
    return this.sandbox.close();
  }

  /** Forgets what was written and said, and hears from now on what handlers say. */
  reset(): void {
    this.said = [];
    this.writesSoFar = [];
  }

  /** `METHOD path` of every write since `reset`, in order. */
  get writes(): string[] {
    return this.writesSoFar.map(({ method, path }) => `${method} ${path}`);
  }

  /** Runs with what handlers say gathered in `said` instead of printed. */
  async listening<T>(run: () => Promise<T>): Promise<T> {
    const print = console.log;
    console.log = (text: string) => this.said.push(text);
    try {
      return await run();
    } finally {
      console.log = print;
    }
  }

  /** Admits devices below the CA certificate of this name. */
  async putGroup(id: string, slots: { primary: string; secondary?: string }): Promise<void> {
    await this.enrollments.putGroup({
      enrollmentGroupId: id,
      attestation: { type: "x509", x509: { caReferences: slots } },
    });
  }

  /** Registers as a device does, but polls at once. Throws when it is not assigned. */
  async register(id: string, leaf: Issued): Promise<void> {
    await register(this.sandbox, id, leaf);
  }

  /** Registers and answers whether DPS admitted the device. */
  async admits(id: string, leaf: Issued): Promise<boolean> {
    try {
      await this.register(id, leaf);
      return true;
    } catch (error) {
      if (/"errorCode":401002/.test((error as Error).message)) return false;
      throw error;
    }
  }

  /**
   * Looks after each write to an enrollment, before it is answered: between two writes nothing changes,
   * so these are all the instants there are. Answers how many there were.
   */
  async atEachWrite(look: () => Promise<void>, run: () => Promise<unknown>): Promise<number> {
    let writes = 0;
    const failures: unknown[] = [];
    const release = this.sandbox.sandbox.log.hold(async (request) => {
      if (request.service !== "dps-service" || !isWrite(request)) return;
      writes += 1;
      await look().catch((error: unknown) => failures.push(error));
    });
    try {
      await run();
    } finally {
      release();
    }
    if (failures.length > 0) throw failures[0];
    return writes;
  }

  async putIndividual(id: string, primary: string, secondary?: string): Promise<void> {
    await this.enrollments.putIndividual({
      registrationId: id,
      attestation: {
        type: "x509",
        x509: {
          clientCertificates: {
            primary: { certificate: primary },
            ...(secondary !== undefined && { secondary: { certificate: secondary } }),
          },
        },
      },
    });
  }

  /** Writes these fields of a device's twin, as a back end does. */
  async writeTwin(
    deviceId: string,
    { tags, desired }: { tags: object; desired: object },
  ): Promise<void> {
    const [hub] = this.sandbox.endpoints().iotHubs;
    const sdk = Registry.fromConnectionString(hub?.connectionString ?? "");
    await sdk.updateTwin(deviceId, { tags, properties: { desired } }, "*");
  }

  /** IDs of the groups that are enabled. */
  async openGroups(): Promise<string[]> {
    return (await this.enrollments.queryGroups())
      .filter(({ provisioningStatus }) => provisioningStatus !== "disabled")
      .map(({ enrollmentGroupId }) => enrollmentGroupId);
  }

  /** Is the entry enabled? Throws when it is gone. */
  async isEnabled(kind: "group" | "individual", id: string): Promise<boolean> {
    const { enrollments } = this;
    const entry = await (kind === "group"
      ? enrollments.getGroup(id)
      : enrollments.getIndividual(id));
    if (entry === undefined) throw new Error(`There is no ${kind} "${id}".`);
    return entry.provisioningStatus !== "disabled";
  }

  /** Enables or disables by hand, as a person in the portal does; `fields` are changed as well. */
  async byHand(
    kind: "group" | "individual",
    id: string,
    fields: Record<string, unknown>,
  ): Promise<void> {
    const { enrollments } = this;
    if (kind === "group") {
      const record = await enrollments.getGroup(id);
      await enrollments.putGroup({ ...record!, ...fields }, record!.etag);
    } else {
      const record = await enrollments.getIndividual(id);
      await enrollments.putIndividual({ ...record!, ...fields }, record!.etag);
    }
  }
}

/** Opens a sandbox without hubs for the tests of the `describe` around it. */
export function withStage(use: (stage: Stage) => void): void {
  let stage: Stage;
  before(async () => {
    stage = await Stage.open(WITHOUT_HUBS);
    use(stage);
  });
  after(() => stage.close());
}

/** A slot that holds this certificate. */
export function slot(certificate: { pem: string }): Slot {
  return { pem: certificate.pem, certificate: summarize(certificate.pem) };
}

/** A slot of a group that refers to a CA certificate by name. */
export function reference(name: string, ca: TestCa): Slot {
  return { ca: name, certificate: summarize(ca.pem) };
}

/** These certificates, each as a compromised key. */
export function stolen(...certificates: { pem: string }[]): CompromisedKey[] {
  const named = Object.fromEntries(certificates.map((one, index) => [`stolen-${index + 1}`, one]));
  return compromisedKeys(
    declared(named, {
      compromised: Object.keys(named).map((certificate) => ({ certificate, reason: "stolen" })),
    }),
  );
}

/**
 * Lets somebody else act right after the next read of one enrollment, before what was read is used:
 * the write that follows meets a newer etag.
 */
export function afterNextRead(
  method: "getGroup" | "getIndividual",
  act: () => Promise<void>,
  times = 1,
): () => void {
  const prototype = EnrollmentsClient.prototype;
  const real = Object.getOwnPropertyDescriptor(prototype, method)!;
  const read = real.value as (this: EnrollmentsClient, id: string) => Promise<unknown>;
  let left = times;
  let acting = false;
  Object.defineProperty(prototype, method, {
    ...real,
    async value(this: EnrollmentsClient, id: string) {
      const found = await read.call(this, id);
      if (!acting && left > 0) {
        left -= 1;
        acting = true;
        try {
          await act();
        } finally {
          acting = false;
        }
      }
      return found;
    },
  });
  return () => Object.defineProperty(prototype, method, real);
}

/** Message of the error with which it fails. Throws when it succeeds. */
export async function failure(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("It succeeded.");
}

function isWrite({ method, path, service }: LoggedRequest): boolean {
  const asks = /\/query$|\/listkeys$|\/listKeys/i.test(path);
  return (
    service !== "token" && method !== "GET" && method !== "HEAD" && !(method === "POST" && asks)
  );
}
