/** What TLS alone costs: a server that asks for a client certificate, says one byte and hangs up. */
const { constants } = require("node:crypto");
const { createServer } = require("node:tls");

const server = createServer(
  {
    key: process.env.BENCH_KEY,
    cert: process.env.BENCH_CERT,
    requestCert: true,
    rejectUnauthorized: false,
    // As the sandbox: nothing is resumed.
    secureOptions: constants.SSL_OP_NO_TICKET,
  },
  (socket) => {
    socket.on("error", () => undefined);
    socket.end("!");
  },
);
server.on("tlsClientError", () => undefined);
server.listen(0, "127.0.0.1", () => process.send(server.address().port));
process.on("disconnect", () => process.exit(0));
