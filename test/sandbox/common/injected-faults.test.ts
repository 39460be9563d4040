/** Faults on order, as Microsoft's service SDK and a plain MQTT client meet them. */
import assert from "node:assert/strict";
import { ProvisioningServiceClient } from "azure-iot-provisioning-service";
import mqtt from "mqtt";
import { InjectedFaults } from "../../../sandbox/common/injected-faults";
import { type AttachedSandbox, openAttached } from "../../clients/attached-sandbox";
import { TestCa } from "../../support/test-ca";

describe("faults on order", () => {
  let sandbox: AttachedSandbox;
  let client: ProvisioningServiceClient;
  let certificate: string;

  before(async () => {
    sandbox = await openAttached();
    const { connectionString } = sandbox.endpoints().provisioningServices[0]!;
    client = ProvisioningServiceClient.fromConnectionString(connectionString);
    certificate = (await TestCa.selfSigned("pump-1")).pem;
  });

  after(() => sandbox.close());
  afterEach(() => sandbox.sandbox.faults.clear());

  const order = (kind: Parameters<InjectedFaults["add"]>[0]["kind"], on: string, more = {}) =>
    sandbox.sandbox.faults.add({ kind, on, ...more });

  async function put(registrationId: string, etag?: string) {
    const { responseBody } = await client.createOrUpdateIndividualEnrollment({
      registrationId,
      attestation: { type: "x509", x509: { clientCertificates: { primary: { certificate } } } },
      ...(etag !== undefined && { etag }),
    } as Parameters<ProvisioningServiceClient["createOrUpdateIndividualEnrollment"]>[0]);
    return responseBody;
  }

  async function exists(id: string): Promise<boolean> {
    return client.getIndividualEnrollment(id).then(
      () => true,
      () => false,
    );
  }

  it("answer the nth request alone with an error, and nothing was done", async () => {
    order("error", "PUT enrollments/*", { nth: 2 });
    await put("error-1");
    await assert.rejects(put("error-2"), (error: Error & { responseBody: string }) => {
      assert.match(error.responseBody, /"errorCode":500000.*injected fault \d+: error/);
      return true;
    });
    assert.equal(await exists("error-2"), false);
    await put("error-2");
  });

  it("throttle with the time to wait", async () => {
    order("throttle", "PUT enrollments/*", { wait: 7 });
    await assert.rejects(put("throttle-1"), (error: Error & { response: Response }) => {
      const { headers } = error.response as unknown as { headers: Record<string, string> };
      assert.equal(error.name, "ThrottlingError");
      assert.equal(headers["retry-after"], "7");
      return true;
    });
    assert.equal(await exists("throttle-1"), false);
  });

  it("end the connection before anything was done, or after everything was", async () => {
    order("reset", "PUT enrollments/reset-1");
    order("lost-response", "PUT enrollments/lost-1");
    for (const id of ["reset-1", "lost-1"]) {
      await assert.rejects(put(id), { code: "ECONNRESET" });
    }
    assert.equal(await exists("reset-1"), false);
    assert.equal(await exists("lost-1"), true);
  });

  it("let the service refuse an etag as out of date, once", async () => {
    const { etag } = await put("etag-1");
    order("etag-conflict", "PUT enrollments/*");
    await put("etag-2");
    await assert.rejects(put("etag-1", etag), { name: "InvalidEtagError" });
    await put("etag-1", etag);
  });

  it("delay an answer", async () => {
    const fault = order("latency", "GET enrollments/*", { wait: 1 });
    await exists("nobody");
    assert.equal(fault.struck, 1);
  });

  it("meet devices over MQTT: a late registration, a throttled and a lost one, and none at all", async () => {
    const { device, idScope } = sandbox.endpoints().provisioningServices[0]!;
    const { pem, key } = await TestCa.selfSigned("mqtt-1");
    const connect = () =>
      mqtt.connectAsync(`mqtts://${device.mqtt}`, {
        clientId: "mqtt-1",
        username: `${idScope}/registrations/mqtt-1/api-version=2019-03-31&ClientVersion=test`,
        cert: pem,
        key,
        protocolVersion: 4,
        reconnectPeriod: 0,
      });
    const register = async (): Promise<string> => {
      const connected = await connect();
      const over = new Promise<string>((tell) => {
        connected.on("message", (topic) => tell(topic.replace(/\$rid=\w+/, "")));
        connected.on("close", () => tell("closed"));
        connected.on("error", () => undefined);
      });
      await connected.subscribeAsync("$dps/registrations/res/#", { qos: 1 });
      connected.publish("$dps/registrations/PUT/iotdps-register/?$rid=1", "{}", { qos: 1 });
      const seen = await over;
      connected.end(true);
      return seen;
    };
    const plain = await register();
    assert.match(plain, /^\$dps\/registrations\/res\/401\//);
    const on = "PUBLISH iotdps-register/*";
    order("latency", on, { wait: 1 });
    assert.equal(await register(), plain);
    sandbox.sandbox.faults.clear();
    order("throttle", on, { wait: 9 });
    assert.equal(await register(), "$dps/registrations/res/429/?&retry-after=9");
    sandbox.sandbox.faults.clear();
    order("lost-response", on);
    assert.equal(await register(), "closed");
    sandbox.sandbox.faults.clear();
    order("error", "CONNECT **");
    await assert.rejects(connect(), { code: 3 });
  });

  it("are counted, listed, and taken back one by one or all", () => {
    const faults = new InjectedFaults();
    const first = faults.add({ on: "* certificates/**", kind: "error", times: 2 });
    faults.add({ on: "DELETE /devices/truck-*", kind: "reset", service: "iot-hub" });
    const arm = { service: "arm", method: "PUT", path: "/x/certificates/root/verify" } as const;
    assert.deepEqual(
      [1, 2, 3].map(() => faults.strike(arm)?.id),
      [first.id, first.id, undefined],
    );
    assert.deepEqual({ matched: first.matched, struck: first.struck }, { matched: 3, struck: 2 });
    const hub = { service: "iot-hub", method: "delete", path: "/devices/TRUCK-7" } as const;
    assert.equal(faults.strike({ ...hub, service: "dps-service" }), undefined);
    assert.equal(faults.strike({ ...hub, path: "/devices/truck-7/modules" }), undefined);
    assert.equal(faults.strike(hub)?.kind, "reset");
    assert.equal(faults.clear(first.id), 1);
    assert.equal(faults.clear(first.id), 0);
    assert.equal(faults.clear(), 1);
    assert.deepEqual(faults.list(), []);
  });

  it("are refused when they cannot be understood", () => {
    const faults = new InjectedFaults();
    for (const [order, message] of [
      [
        { on: "enrollments/*", kind: "error" },
        /^on is "enrollments\/\*": write a method and a path/,
      ],
      [{ on: "PUT *", kind: "fire" }, /^kind is "fire": it is one of error, throttle, latency/],
      [{ on: "PUT *", kind: "error", nth: 0 }, /^nth and times are whole numbers from 1/],
      [{ on: "PUT *", kind: "latency", wait: -1 }, /^wait is a number from 0/],
    ] as const) {
      assert.throws(() => faults.add(order as Parameters<InjectedFaults["add"]>[0]), { message });
    }
  });
});
