/** Loopback addresses and ports for services that want the standard ports of MQTT and HTTPS. */
import { createServer } from "node:net";
import { SandboxError } from "./folder";

export const MQTT_PORT = 8883;
export const HTTPS_PORT = 443;

/** 127.0.0.2 and up; 127.0.0.1 is left to everything else on the machine. */
const CANDIDATES = Array.from({ length: 60 }, (_, index) => `127.0.0.${index + 2}`);

export interface StandardAddresses {
  /** Addresses on which nobody listens on the MQTT port, in order. */
  free: string[];
  /** May this process listen on port 443? */
  httpsAllowed: boolean;
}

/** Tries what can be bound. Throws `SandboxError` when the machine has no such addresses. */
export async function standardAddresses(): Promise<StandardAddresses> {
  const free: string[] = [];
  for (const address of CANDIDATES) {
    const fault = await tryToBind(address, MQTT_PORT);
    if (fault === undefined) {
      free.push(address);
    } else if (fault === "EADDRNOTAVAIL") {
      throw new SandboxError(
        `This machine has no loopback address ${address}, which --standard-ports needs: add it (on macOS: sudo ifconfig lo0 alias ${address}).`,
      );
    }
  }
  if (free.length === 0) {
    throw new SandboxError(`Port ${MQTT_PORT} is taken on all of ${CANDIDATES[0]} and up.`);
  }
  return { free, httpsAllowed: (await tryToBind(free[0]!, HTTPS_PORT)) !== "EACCES" };
}

/** The error code of listening there; undefined when it went well. */
function tryToBind(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown"));
    server.listen(port, address, () => server.close(() => resolve(undefined)));
  });
}
