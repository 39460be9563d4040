/** All connections of a listener, so that it can stop whoever is connected, and however far they have come. */
import type { Server } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Node's servers wait for every connection when they close. HTTP's own `closeAllConnections` leaves out those
 * that have not come as far as TLS, and those that were upgraded.
 */
export class Connections {
  private readonly open = new Set<Duplex>();
  private ended = false;

  constructor(server: Server) {
    server.on("connection", (socket) => this.add(socket));
  }

  /** Counts a connection in that came from another listener. */
  add(connection: Duplex): void {
    if (this.ended) {
      connection.destroy();
      return;
    }
    this.open.add(connection);
    connection.once("close", () => this.open.delete(connection));
  }

  /** Ends all of them, and from now on each that comes. */
  end(): void {
    this.ended = true;
    this.open.forEach((connection) => connection.destroy());
  }
}
