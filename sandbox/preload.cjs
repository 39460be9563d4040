"use strict";
/*
 * Loaded with `node --require`: leads connections to the sandbox's host names to its local ports.
 * Microsoft's service SDKs always use port 443 and take no other; the names are under "sandbox.test",
 * which no name server knows. TLS still checks the certificate against the original name.
 *
 * DPS_SANDBOX_ENDPOINTS names the sandbox's endpoints.json, which is read when a connection is made,
 * because services come and go.
 */
const fs = require("node:fs");
const net = require("node:net");

const VARIABLE = "DPS_SANDBOX_ENDPOINTS";
const DOMAIN = ".sandbox.test";
const connect = net.Socket.prototype.connect;

/** What was read, and of which version of the file. */
let cached = { version: "", hosts: new Map() };

/** Host name to { 443: "host:port", 8883: "host:port" }. */
function hosts(file) {
  const stat = fs.statSync(file, { bigint: true });
  const version = `${file} ${stat.ino} ${stat.mtimeNs} ${stat.size}`;
  if (cached.version !== version) {
    const { provisioningServices, iotHubs } = JSON.parse(fs.readFileSync(file, "utf8"));
    const found = new Map();
    for (const one of provisioningServices) {
      const https = addressOf(one.serviceEndpoint);
      found.set(one.serviceHostName.toLowerCase(), { 443: https, 8883: one.device.mqtt });
    }
    for (const one of iotHubs) {
      found.set(one.hostName.toLowerCase(), { 443: addressOf(one.endpoint), 8883: one.mqtt });
    }
    cached = { version, hosts: found };
  }
  return cached.hosts;
}

/** "host:port"; a URL leaves out 443. */
function addressOf(url) {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || 443}`;
}

function notFound(host, why) {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}: ${why}`), {
    code: "ENOTFOUND",
    syscall: "getaddrinfo",
    hostname: host,
  });
}

/** { host, port } to connect to instead; undefined: none of the sandbox's business. Throws. */
function destination(host, port) {
  const name = host.toLowerCase().replace(/\.$/, "");
  const ours = name.endsWith(DOMAIN);
  const file = process.env[VARIABLE];
  // An address of its own, with standard ports: port 443 may not have been permitted.
  const own = !ours && file && name.startsWith("127.") && (port === 443 || port === 8883);
  if (!ours && !own) {
    return undefined;
  }
  let known;
  try {
    if (!file) {
      throw new Error(`${VARIABLE} is not set`);
    }
    known = hosts(file);
  } catch (error) {
    if (own) {
      return undefined;
    }
    throw notFound(host, `the sandbox's endpoints cannot be read (${error.message}). Does it run?`);
  }
  const addresses = known.get(name);
  if (addresses === undefined) {
    if (own) {
      return undefined;
    }
    const names = [...known.keys()].join(", ") || "no services";
    throw notFound(host, `the sandbox has no such service; ${file} has ${names}.`);
  }
  const address = addresses[port];
  if (address === undefined) {
    throw Object.assign(
      new Error(`connect ECONNREFUSED ${host}:${port}: the sandbox has ports 443 and 8883 only.`),
      { code: "ECONNREFUSED", syscall: "connect", address: host, port },
    );
  }
  const at = address.lastIndexOf(":");
  return { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
}

/** The options of connect() with another destination. The caller's object stays as it is: TLS reads
 * the name to check from it. */
function redirected(options, to) {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(options)), options);
  return Object.assign(copy, to);
}

net.Socket.prototype.connect = function (...args) {
  const [first, second] = args;
  // connect([options, callback]) is how Node calls itself; the array carries a symbol.
  const list = Array.isArray(first);
  const options = list ? first[0] : first;
  const isObject = typeof options === "object" && options !== null;
  const host = isObject ? options.host : second;
  const port = Number(isObject ? options.port : options);
  if (typeof host !== "string" || (isObject && options.path)) {
    return connect.apply(this, args);
  }
  let to;
  try {
    to = destination(host, port);
  } catch (error) {
    process.nextTick(() => this.destroy(error));
    return this;
  }
  if (to === undefined) {
    return connect.apply(this, args);
  }
  if (list) {
    const copy = Object.assign(first.slice(), { 0: redirected(options, to) });
    for (const symbol of Object.getOwnPropertySymbols(first)) {
      copy[symbol] = first[symbol];
    }
    return connect.call(this, copy);
  }
  return isObject
    ? connect.call(this, redirected(options, to), ...args.slice(1))
    : connect.call(this, to.port, to.host, ...args.slice(2));
};
