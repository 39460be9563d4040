import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { FastifyInstance } from "fastify";
import { OffsetClock } from "../../../sandbox/common/clock";
import { createApp, listen } from "../../../sandbox/common/http";
import { RequestLog } from "../../../sandbox/common/request-log";
import { TlsRoot } from "../../../sandbox/common/tls";

const PRELOAD = resolve(__dirname, "../../../sandbox/preload.cjs");
const HUB = "hub.azure-devices.sandbox.test";

describe("the preload that leads sandbox names to local ports", () => {
  const dir = mkdtempSync(join(tmpdir(), "dps-preload-"));
  const endpoints = join(dir, "endpoints.json");
  const caFile = join(dir, "ca.pem");
  let app: FastifyInstance;
  let plain: Server;
  let port: number;

  before(async () => {
    const root = await TlsRoot.create();
    writeFileSync(caFile, root.certificatePem);
    const log = new RequestLog(undefined, () => new Date());
    app = createApp(
      { log, clock: new OffsetClock() },
      {
        service: "iot-hub",
        instance: "hub",
        identity: await root.serverIdentity([HUB]),
        clientCertificates: false,
      },
    );
    app.get("/host", async (request) => ({ host: request.headers.host }));
    port = await listen(app, "127.0.0.1", 0);
    plain = createServer((socket) => socket.end("plain"));
    await new Promise<void>((done) => plain.listen(0, "127.0.0.1", done));
    publish([HUB]);
  });

  after(async () => {
    await app.close();
    await new Promise((done) => plain.close(done));
    rmSync(dir, { recursive: true, force: true });
  });

  it("reaches port 443 of a name by every way in, with TLS checked against the name", async () => {
    const result = await run(`
      const https = require("node:https"), tls = require("node:tls"), net = require("node:net");
      const get = (options) => new Promise((ok, no) => https.get(options, (res) => {
        let text = ""; res.on("data", (d) => (text += d)); res.on("end", () => ok(JSON.parse(text).host));
      }).on("error", no));
      const name = "${HUB}";
      const agent = new https.Agent({ keepAlive: true });
      const seen = [
        await get({ host: name, path: "/host" }),
        await get({ host: name, path: "/host", agent }),
        await get({ host: name.toUpperCase(), path: "/host", agent }),
        await get("https://" + name + "/host"),
        (await (await fetch("https://" + name + "/host")).json()).host,
      ];
      agent.destroy();
      const secure = (...args) => new Promise((ok, no) => {
        const s = tls.connect(...args, () => { ok(s.authorized); s.end(); }).on("error", no);
      });
      seen.push(await secure(443, name, { servername: name }), await secure({ host: name, port: "8883" }));
      const socket = net.connect(443, name);
      seen.push(await new Promise((ok, no) => socket.on("connect", () => ok(socket.remotePort)).on("error", no)));
      socket.destroy();
      return seen;
    `);
    assert.deepEqual(result, [HUB, HUB, HUB.toUpperCase(), HUB, HUB, true, true, port]);
  });

  it("does not let one name pass for another", async () => {
    publish([HUB, "other.azure-devices.sandbox.test"]);
    const result = await run(failing("other.azure-devices.sandbox.test", 443));
    publish([HUB]);
    assert.match(String(result), /^ERR_TLS_CERT_ALTNAME_INVALID/);
  });

  it("says what it looked for when the sandbox has no such service", async () => {
    const result = String(await run(failing("none.azure-devices.sandbox.test", 443)));
    assert.match(result, /^ENOTFOUND getaddrinfo ENOTFOUND none\.azure-devices\.sandbox\.test: /);
    assert.ok(result.includes(endpoints) && result.includes(HUB));
  });

  it("says so when no sandbox runs, when none is named, and when the port is not there", async () => {
    const missing = join(dir, "missing.json");
    const gone = String(await run(failing(HUB, 443), { DPS_SANDBOX_ENDPOINTS: missing }));
    assert.match(gone, /^ENOTFOUND .*cannot be read \(ENOENT.*Does it run\?$/);
    const unset = String(await run(failing(HUB, 443), { DPS_SANDBOX_ENDPOINTS: "" }));
    assert.match(unset, /^ENOTFOUND .*DPS_SANDBOX_ENDPOINTS is not set/);
    assert.match(String(await run(failing(HUB, 5671))), /^ECONNREFUSED .*443 and 8883 only/);
  });

  it("reaches port 443 of an address too, which its URL does not name", async () => {
    // Nothing listens at this address of loopback.
    publish([HUB], "https://127.64.32.16:443");
    const result = String(await run(failing(HUB, 443)));
    publish([HUB]);
    assert.equal(result, "ECONNREFUSED connect ECONNREFUSED 127.64.32.16:443");
  });

  it("sees services that come while the process runs", async () => {
    const later = "later.azure-devices.sandbox.test";
    const result = await run(`
      const { readFileSync, writeFileSync, renameSync } = require("node:fs");
      const net = require("node:net");
      const attempt = () => new Promise((ok) => {
        const socket = net.connect(8883, "${later}");
        socket.on("connect", () => { socket.destroy(); ok("connected"); });
        socket.on("error", (error) => ok(error.code));
      });
      const file = process.env.DPS_SANDBOX_ENDPOINTS;
      const before = await attempt();
      const content = JSON.parse(readFileSync(file, "utf8"));
      content.iotHubs.push({ ...content.iotHubs[0], hostName: "${later}" });
      writeFileSync(file + ".tmp", JSON.stringify(content));
      renameSync(file + ".tmp", file);
      return [before, await attempt()];
    `);
    publish([HUB]);
    assert.deepEqual(result, ["ENOTFOUND", "connected"]);
  });

  it("leaves every other connection alone", async () => {
    const { port: other } = plain.address() as AddressInfo;
    const result = await run(`
      const net = require("node:net");
      const text = (...args) => new Promise((ok, no) => {
        let all = "";
        net.connect(...args).on("data", (d) => (all += d)).on("end", () => ok(all)).on("error", no);
      });
      return [
        await text(${other}, "127.0.0.1"),
        await text({ port: ${other}, host: "127.0.0.1" }),
        await text({ port: ${other}, host: "localhost" }),
        await text(${other}),
      ];
    `);
    assert.deepEqual(result, ["plain", "plain", "plain", "plain"]);
  });

  function publish(hostNames: string[], url = `https://127.0.0.1:${port}`): void {
    const endpoint = new URL(url).href;
    const iotHubs = hostNames.map((hostName) => ({
      hostName,
      endpoint,
      mqtt: `127.0.0.1:${port}`,
    }));
    writeFileSync(endpoints, JSON.stringify({ provisioningServices: [], iotHubs }));
  }

  function failing(host: string, toPort: number): string {
    return `
      const tls = require("node:tls");
      return new Promise((ok) => {
        tls.connect({ host: "${host}", port: ${toPort}, servername: "${host}" }, () => ok("connected"))
          .on("error", (error) => ok(error.code + " " + error.message));
      });
    `;
  }

  /** Runs `body` in a Node process with the preload; returns what it returns. */
  function run(body: string, variables: Record<string, string> = {}): Promise<unknown> {
    const script = `(async () => { ${body} })().then(
      (value) => console.log(JSON.stringify(value)),
      (error) => { console.error(error); process.exit(1); });`;
    const child = spawn(process.execPath, ["--require", PRELOAD, "-e", script], {
      env: {
        ...process.env,
        NODE_OPTIONS: "",
        NODE_EXTRA_CA_CERTS: caFile,
        DPS_SANDBOX_ENDPOINTS: endpoints,
        ...variables,
      },
    });
    const parts = { stdout: "", stderr: "" };
    child.stdout.on("data", (data: Buffer) => (parts.stdout += data.toString()));
    child.stderr.on("data", (data: Buffer) => (parts.stderr += data.toString()));
    return new Promise((ok, no) => {
      child.on("error", no);
      child.on("close", (code) =>
        code === 0 ? ok(JSON.parse(parts.stdout)) : no(new Error(parts.stderr)),
      );
    });
  }
});
