/**
 * MQTT inside WebSockets on the HTTPS listener, as Azure IoT serves it on port 443.
 * Source: learn.microsoft.com/azure/iot/iot-mqtt-connect-to-iot-dps, "MQTT over WebSockets".
 */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";
import { createWebSocketStream, WebSocketServer } from "ws";
import { peerChain } from "./peer-chain";

const PATH = "/$iothub/websocket";
const SUBPROTOCOL = "mqtt";

/**
 * Hands each MQTT connection to `accept`, with the certificates that the client presented. Any other
 * upgrade is answered 404, a client that does not speak MQTT 400; not known: what Azure answers them.
 *
 * @param server of the HTTPS listener
 * @param refused told of what was answered otherwise, for the request log
 */
export function acceptMqttOverWebSockets(
  server: Server,
  accept: (connection: Duplex, presented: Buffer[]) => void,
  refused: (path: string, status: number) => void,
): void {
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => SUBPROTOCOL });
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const protocols = (request.headers["sec-websocket-protocol"] ?? "").split(/\s*,\s*/);
    const status = path !== PATH ? 404 : protocols.includes(SUBPROTOCOL) ? 101 : 400;
    if (status !== 101) {
      refused(path, status);
      socket.on("error", () => socket.destroy());
      socket.write(`HTTP/1.1 ${status} \r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      socket.destroySoon();
      return;
    }
    const presented = peerChain(socket);
    sockets.handleUpgrade(request, socket, head, (webSocket) =>
      accept(createWebSocketStream(webSocket), presented),
    );
  });
}
