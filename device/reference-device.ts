/** A device that provisions itself, sends telemetry, and lives through every roll of its certificate. */
import { EventEmitter } from "node:events";
import { Backoff, type BackoffOptions, type Clock, systemClock } from "./backoff";
import { CertificateFiles, type CertificatePair } from "./certificate-files";
import { Counters } from "./counters";
import { DeviceError, hubFailure } from "./failure";
import { HubConnection } from "./hub-connection";
import { type Assignment, type ProvisioningOptions, register } from "./provisioning";

/**
 * What a device does first with a new certificate. "register": DPS, then the hub; never refused.
 * "connect": the hub, which does not know the certificate yet and refuses it once, then DPS.
 */
export type RollFirst = "register" | "connect";

export interface ReferenceDeviceOptions extends ProvisioningOptions {
  /** PEM: the leaf, then its intermediates. */
  chainFile: string;
  /** PEM: the leaf's private key. */
  keyFile: string;
  /** Between two messages, milliseconds. Default 60,000. */
  telemetryIntervalMs?: number;
  /** Between two looks at the files, milliseconds. Default 5,000. */
  watchIntervalMs?: number;
  /** Default "register". */
  rollFirst?: RollFirst;
  backoff?: Partial<BackoffOptions>;
  /** Between 0 (included) and 1 (excluded). Default `Math.random`. */
  random?: () => number;
  clock?: Clock;
}

/** Thumbprints are SHA-256, upper-case hex. */
export interface ReferenceDeviceEvents {
  registered: [{ hub: string; deviceId: string; thumbprint: string }];
  connected: [{ hub: string; deviceId: string; thumbprint: string }];
  /** DPS or the hub said no. */
  refused: [{ where: "dps" | "hub"; reason: string }];
  /** DPS or the hub could not be reached, or did not do what was asked. */
  fault: [{ where: "dps" | "hub"; reason: string }];
  /** The connection to the hub ended; `reason` says how. */
  disconnected: [{ reason: string }];
  /** A message that the hub has acknowledged. */
  telemetry: [{ message: number }];
  /** Connected with another certificate than before. */
  rolled: [{ from: string; to: string; first: RollFirst }];
}

/** The direct method with which a back end asks the device to register again: docs/guides/reprovision.md. */
export const REPROVISION_METHOD = "reprovision";

/**
 * What the device says of its certificate in its twin: evidence of who has rolled, and of who issued its
 * leaf, which neither DPS nor the hub can tell.
 */
export function reportedProperties({ thumbprint, expires, issuer }: CertificatePair): object {
  return {
    dps: {
      leaf: { sha256: thumbprint, notAfter: expires },
      // null takes away what an earlier chain has left there.
      issuer: issuer === undefined ? null : { sha256: issuer.thumbprint, notAfter: issuer.expires },
    },
  };
}

export class ReferenceDevice extends EventEmitter<ReferenceDeviceEvents> {
  readonly counters: Counters;
  private readonly clock: Clock;
  private readonly backoff: Backoff;
  private readonly files: CertificateFiles;
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  /** Thumbprint of the last connection's certificate. */
  private connectedWith: string | undefined;

  constructor(private readonly options: ReferenceDeviceOptions) {
    super();
    this.clock = options.clock ?? systemClock;
    this.counters = new Counters(this.clock);
    this.backoff = this.newBackoff();
    this.files = new CertificateFiles(options.chainFile, options.keyFile);
  }

  /** Begins. Throws when there is no certificate with its key; everything later is an event. */
  async start(): Promise<void> {
    await this.files.latest();
    this.running ??= this.run();
  }

  /**
   * Ends the connection and everything else. A stopped device is not started again. Takes as long
   * as the SDK needs to give up on a host that is silent: up to a minute.
   */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** DPS names a hub; the hub is used until it refuses; then DPS is asked again. */
  private async run(): Promise<void> {
    let assignment: Assignment | undefined;
    while (!this.stopping.signal.aborted) {
      try {
        assignment ??= await this.register();
        const next = await this.useHub(assignment);
        if (next === undefined) {
          await this.pause();
        } else {
          assignment = next;
        }
      } catch (error) {
        const { failure } = this.expected(error);
        if (failure.where === "hub" && failure.kind === "refused") {
          assignment = undefined;
        }
        await this.pause(failure.retryAfterMs);
      }
    }
  }

  private async register(): Promise<Assignment> {
    const pair = await this.files.latest();
    const assignment = await register(this.options, pair, this.stopping.signal);
    const { hub, deviceId } = assignment;
    this.counters.registrations += 1;
    this.emit("registered", { hub, deviceId, thumbprint: pair.thumbprint });
    return assignment;
  }

  /**
   * Connects and sends telemetry until the connection ends (undefined), or until there is something
   * to connect with instead: a new certificate, or what DPS answered.
   */
  private async useHub(assignment: Assignment): Promise<Assignment | undefined> {
    const connection = await HubConnection.open(assignment);
    this.connected(assignment);
    const session = AbortSignal.any([this.stopping.signal, connection.signal]);
    const telemetry = this.sendTelemetry(connection, assignment, session);
    try {
      return await this.untilReplaced(connection, assignment, session);
    } finally {
      await connection.close();
      await telemetry;
      this.counters.disconnected();
      this.emit("disconnected", { reason: await connection.ended });
    }
  }

  private connected({ hub, deviceId, pair: { thumbprint } }: Assignment): void {
    const from = this.connectedWith;
    this.connectedWith = thumbprint;
    this.counters.connected();
    this.emit("connected", { hub, deviceId, thumbprint });
    if (from !== undefined && from !== thumbprint) {
      this.emit("rolled", { from, to: thumbprint, first: this.rollFirst });
    }
  }

  private async sendTelemetry(
    connection: HubConnection,
    { pair }: Assignment,
    session: AbortSignal,
  ): Promise<void> {
    let reported = false;
    while (!session.aborted) {
      const message = this.counters.messages + 1;
      try {
        await connection.send({ message, thumbprint: pair.thumbprint });
      } catch (error) {
        connection.end(hubFailure(error).reason);
        return;
      }
      // Only now is it known that the hub not just let the device in, but also serves it.
      this.backoff.reset();
      this.counters.messages = message;
      this.emit("telemetry", { message });
      try {
        if (!reported && !session.aborted) {
          await connection.report(reportedProperties(pair));
          reported = true;
        }
      } catch (error) {
        // Tried again with the next message: what a twin says is not worth a connection.
        if (!session.aborted) {
          this.emit("fault", { where: "hub", reason: hubFailure(error).reason });
        }
      }
      await this.clock.sleep(this.options.telemetryIntervalMs ?? 60_000, session);
    }
  }

  /** Watches for a new certificate, and for a request to register again. */
  private async untilReplaced(
    connection: HubConnection,
    { hub, deviceId, pair: { thumbprint } }: Assignment,
    session: AbortSignal,
  ): Promise<Assignment | undefined> {
    const asked = new AbortController();
    connection.onMethod(REPROVISION_METHOD, () => asked.abort());
    const waiting = AbortSignal.any([session, asked.signal]);
    const backoff = this.newBackoff();
    while (!session.aborted) {
      const pair = await this.files.latest();
      const isNew = pair.thumbprint !== thumbprint;
      if (isNew && this.rollFirst === "connect" && !asked.signal.aborted) {
        return { hub, deviceId, pair };
      }
      if (isNew || asked.signal.aborted) {
        // While DPS does not take the new certificate, the connection with the old one goes on.
        try {
          return await this.register();
        } catch (error) {
          const { failure } = this.expected(error);
          await this.clock.sleep(backoff.next(failure.retryAfterMs), session);
        }
      } else {
        await this.clock.sleep(this.options.watchIntervalMs ?? 5000, waiting);
      }
    }
    return undefined;
  }

  /** Reports what can go wrong in the field; anything else is a bug and is thrown. */
  private expected(error: unknown): DeviceError {
    if (!(error instanceof DeviceError)) {
      throw error;
    }
    const { where, kind, reason } = error.failure;
    if (!this.stopping.signal.aborted) {
      if (kind === "refused") {
        this.counters.refused[where] += 1;
      }
      this.emit(kind, { where, reason });
    }
    return error;
  }

  private async pause(retryAfterMs?: number): Promise<void> {
    await this.clock.sleep(this.backoff.next(retryAfterMs), this.stopping.signal);
  }

  private newBackoff(): Backoff {
    const { backoff, random = Math.random } = this.options;
    return new Backoff({ firstMs: 1000, maximumMs: 300_000, ...backoff }, random);
  }

  private get rollFirst(): RollFirst {
    return this.options.rollFirst ?? "register";
  }
}
