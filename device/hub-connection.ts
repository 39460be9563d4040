/** One connection to the hub, from its opening to its end. */
import { promisify } from "node:util";
import { NoRetry } from "azure-iot-common";
import { Client, type DeviceMethodResponse, Message } from "azure-iot-device";
import { Mqtt } from "azure-iot-device-mqtt";
import { DeviceError, hubFailure } from "./failure";
import type { Assignment } from "./provisioning";

/** Closing waits for the hub; a connection that is half open would never answer. */
const CLOSE_MS = 5000;

/** The SDK's twin is untyped. */
interface TwinProperties {
  reported: { update(patch: object, done: (error: Error | null) => void): void };
}

/**
 * The SDK's own retries are off. With them a client whose hub refuses it goes on asking, or stays
 * silent without a word, and the device would never get to DPS. So a connection lives once: when it
 * has ended, a new one is made.
 */
export class HubConnection {
  /** Why the connection ended, once it has. */
  readonly ended: Promise<string>;
  /** Aborted when the connection has ended. */
  readonly signal: AbortSignal;
  private readonly over = new AbortController();

  private constructor(private readonly client: Client) {
    this.signal = this.over.signal;
    this.ended = new Promise((resolve) => {
      this.signal.addEventListener("abort", () => resolve(String(this.signal.reason)));
    });
    client.on("disconnect", (result?: { transportObj?: Error }) => {
      this.end(result?.transportObj?.message ?? "the hub ended the connection");
    });
    client.on("error", (error: Error) => this.end(error.message));
  }

  /** Connects once. Throws `DeviceError`. */
  static async open({ hub, deviceId, pair }: Assignment): Promise<HubConnection> {
    const client = Client.fromConnectionString(
      `HostName=${hub};DeviceId=${deviceId};x509=true`,
      Mqtt,
    );
    client.setRetryPolicy(new NoRetry());
    try {
      await client.setOptions({ cert: pair.chain, key: pair.key });
      await client.open();
    } catch (error) {
      await close(client);
      throw new DeviceError(hubFailure(error));
    }
    return new HubConnection(client);
  }

  /** Sends one message and waits for the hub's acknowledgement, which shows that the connection lives. */
  async send(body: object): Promise<void> {
    const message = new Message(JSON.stringify(body));
    message.contentType = "application/json";
    message.contentEncoding = "utf-8";
    await this.whileOpen(this.client.sendEvent(message));
  }

  /** Writes reported properties of the twin. */
  async report(reported: object): Promise<void> {
    const twin = await this.whileOpen(this.client.getTwin());
    const { properties } = twin as unknown as { properties: TwinProperties };
    const update = promisify(properties.reported.update.bind(properties.reported));
    await this.whileOpen(update(reported));
  }

  /** Calls `handler` when a direct method of that name comes, and answers 202. */
  onMethod(name: string, handler: () => void): void {
    this.client.onDeviceMethod(name, (_request, response: DeviceMethodResponse) => {
      response.send(202).then(handler, handler);
    });
  }

  /** The SDK leaves what is on its way to the twin without an answer when the connection ends. */
  private whileOpen<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => reject(new Error(String(this.signal.reason)));
      if (this.signal.aborted) {
        end();
      }
      this.signal.addEventListener("abort", end);
      void work.then(resolve, reject).finally(() => this.signal.removeEventListener("abort", end));
    });
  }

  /** Marks the connection as ended; the first reason counts. */
  end(reason: string): void {
    this.over.abort(reason);
  }

  async close(): Promise<void> {
    this.end("closed by the device");
    await close(this.client);
  }
}

async function close(client: Client): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_MS);
  });
  // A connection that is gone cannot be closed; that is as good.
  await Promise.race([client.close().catch(() => undefined), late]);
  clearTimeout(timer);
}
