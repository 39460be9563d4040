import assert from "node:assert/strict";
import mqtt from "mqtt";
import { WebSocket } from "ws";
import type { ServiceEndpoint } from "../../../sandbox/common/model";
import { startProvisioningFront } from "../../../sandbox/dps-service/front";
import { TestCa, type Issued } from "../../support/test-ca";
import { GOOD_TOKEN } from "../sandbox-parts";
import {
  ID_SCOPE,
  request,
  SERVICE,
  smallSandbox,
  type SmallSandbox,
} from "../dps-service/small-sandbox";
import { ID, individualBody, type Json } from "./fixture";
import { refusalOf, registerWithMicrosoft, SANDBOX_HOST } from "./microsofts-device";

const RESULTS = "$dps/registrations/res/#";
const REGISTER = "$dps/registrations/PUT/iotdps-register/?$rid=1";

describe("a provisioning service's front", () => {
  let small: SmallSandbox;
  let front: ServiceEndpoint;
  let leaf: Issued;

  beforeEach(async () => {
    small = await smallSandbox();
    small.change({ serviceHostName: SANDBOX_HOST });
    front = await startProvisioningFront(small.sandbox, SERVICE, {
      address: "127.0.0.1",
      httpsPort: 0,
      mqttPort: 0,
    });
    leaf = await TestCa.selfSigned(ID);
    await enroll(leaf);
  });

  afterEach(async () => {
    await front.close();
    await small.close();
  });

  const enroll = async (one: Issued, more: Json = {}, ifMatch?: string) => {
    const { status } = await request(small, front.httpsPort, {
      method: "PUT",
      path: `/enrollments/${ID}?api-version=2021-10-01`,
      headers: {
        authorization: `Bearer ${GOOD_TOKEN}`,
        ...(ifMatch === undefined ? {} : { "if-match": ifMatch }),
      },
      body: individualBody(one, more),
    });
    assert.equal(status, 200);
  };

  const connect = (options: { id?: string; username?: string; one?: Issued }) =>
    mqtt.connectAsync(
      `mqtts://localhost:${front.mqttPort}`,
      {
        protocolVersion: 4,
        clientId: options.id ?? ID,
        username:
          options.username ??
          `${ID_SCOPE}/registrations/${ID}/api-version=2019-03-31&ClientVersion=a`,
        ca: small.tlsRoot,
        ...(options.one === undefined ? {} : { cert: options.one.chainPem, key: options.one.key }),
        reconnectPeriod: 0,
      },
      false,
    );

  const answerTo = async (client: mqtt.MqttClient, topic: string, payload: string) => {
    await client.subscribeAsync(RESULTS, { qos: 1 });
    const answer = new Promise<{ topic: string; body: Json }>((resolve) =>
      client.once("message", (from, body) =>
        resolve({ topic: from, body: JSON.parse(body.toString()) as Json }),
      ),
    );
    await client.publishAsync(topic, payload, { qos: 1 });
    return answer;
  };

  it("assigns and refuses Microsoft's device client over every transport", async () => {
    const transports = ["mqtt", "mqtt-ws", "http"] as const;
    const x509 = ({ chainPem: cert, key }: Issued) => ({ cert, key });
    const other = await TestCa.selfSigned(ID);
    const jobs = [leaf, other].flatMap((one) =>
      transports.map((transport) => ({ transport, id: ID, x509: x509(one) })),
    );
    const outcomes = await registerWithMicrosoft(small, front, jobs);
    for (const { result, error } of outcomes.slice(0, 3)) {
      assert.equal(error, undefined);
      assert.equal(result!["assignedHub"], "alpha.azure-devices.net");
      assert.equal(result!["deviceId"], ID);
    }
    // azure-iot-sdk-python#177, -node#547.
    for (const refused of outcomes.slice(3)) {
      assert.equal(refused.error!.name, "UnauthorizedError");
      assert.equal(refusalOf(refused)["errorCode"], 401002);
      assert.equal(refusalOf(refused)["message"], "Invalid certificate");
    }
    assert.deepEqual(
      small.hubs.calls,
      transports.map(() => `assign alpha.azure-devices.net/${ID} ${leaf.thumbprint}`),
    );
  });

  it("answers other upgrades than MQTT's, and writes them down", async () => {
    const upgrade = (path: string, protocol: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const socket = new WebSocket(`wss://localhost:${front.httpsPort}${path}`, protocol, {
          ca: small.tlsRoot,
        });
        socket.on("unexpected-response", (_request, { statusCode }) => {
          resolve(statusCode);
          socket.terminate();
        });
        socket.on("error", reject);
        socket.on("open", () => reject(new Error("opened")));
      });
    assert.equal(await upgrade("/elsewhere", "mqtt"), 404);
    assert.equal(await upgrade("/$iothub/websocket", "soap"), 400);
    const logged = small.requests.filter(({ method }) => method === "UPGRADE");
    assert.deepEqual(
      logged.map(({ path, status }) => [path, status]),
      [
        ["/elsewhere", 404],
        ["/$iothub/websocket", 400],
      ],
    );
  });

  it("sees the intermediates that a device presents over MQTT", async () => {
    const root = await TestCa.root("Root");
    const line = await (await root.intermediate("Factory")).intermediate("Line");
    small.addCa("root", root.der);
    const { status } = await request(small, front.httpsPort, {
      method: "PUT",
      path: "/enrollmentGroups/trucks?api-version=2021-10-01",
      headers: { authorization: `Bearer ${GOOD_TOKEN}` },
      body: {
        enrollmentGroupId: "trucks",
        attestation: {
          type: "x509",
          x509: { signingCertificates: { primary: { certificate: line.pem } } },
        },
      },
    });
    assert.equal(status, 200);
    const member = await line.leaf("truck-8");
    const client = await connect({
      id: "truck-8",
      username: `${ID_SCOPE}/registrations/truck-8/api-version=2019-03-31`,
      one: member,
    });
    const { topic } = await answerTo(client, REGISTER, '{"registrationId":"truck-8"}');
    await client.endAsync();
    assert.equal(topic, "$dps/registrations/res/202/?$rid=1&retry-after=3");
  });

  it("connects a device that it refuses, and answers its registration with 401", async () => {
    const client = await connect({ one: await TestCa.selfSigned(ID) });
    const { topic, body } = await answerTo(client, REGISTER, `{"registrationId":"${ID}"}`);
    await client.endAsync();
    assert.equal(topic, "$dps/registrations/res/401/?$rid=1");
    assert.equal(body["errorCode"], 401002);
    assert.ok(body["trackingId"] && body["timestampUtc"]);
  });

  it("answers a payload that is not JSON with 400, and an unknown operation with 404", async () => {
    const client = await connect({ one: leaf });
    assert.match((await answerTo(client, REGISTER, "{")).topic, /\/res\/400\//);
    const poll = "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId=5.0.0";
    assert.equal((await answerTo(client, poll, " ")).topic, "$dps/registrations/res/404/?$rid=2");
    await client.endAsync();
  });

  it("refuses other scopes, other client IDs, usernames without api-version", async () => {
    const scoped = `${ID_SCOPE}/registrations/${ID}`;
    for (const options of [
      { one: leaf, username: `0ne00000000/registrations/${ID}/api-version=2019-03-31` },
      { one: leaf, id: "truck-8" },
      { one: leaf, username: `${scoped}/ClientVersion=a` },
      { one: leaf, username: scoped },
    ]) {
      await assert.rejects(connect(options), ({ code }: { code?: number }) => code === 5);
    }
  });

  it("lets a device subscribe to its answers only", async () => {
    const client = await connect({ one: leaf });
    await assert.rejects(client.subscribeAsync("$dps/registrations/#", { qos: 1 }));
    await client.endAsync();
  });

  it("ends the connection of a device that publishes elsewhere", async () => {
    const client = await connect({ one: leaf });
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    client.publish("devices/truck-7/messages/events/", "{}", { qos: 0 });
    await closed;
    await client.endAsync();
  });

  it("serves many devices at once, each with its own answer", async () => {
    const leaves = await Promise.all(
      Array.from({ length: 8 }, (_, at) => TestCa.selfSigned(`device-${at}`)),
    );
    const answers = await Promise.all(
      leaves.map(async (one, at) => {
        const id = `device-${at}`;
        const client = await connect({
          id,
          username: `${ID_SCOPE}/registrations/${id}/api-version=2019-03-31`,
          one,
        });
        const topic = `$dps/registrations/PUT/iotdps-register/?$rid=${id}`;
        const answer = await answerTo(client, topic, JSON.stringify({ registrationId: id }));
        await client.endAsync();
        return answer.topic;
      }),
    );
    assert.deepEqual(
      answers,
      leaves.map((_, at) => `$dps/registrations/res/401/?$rid=device-${at}`),
    );
  });

  it("does not start for a service that does not exist, or on a port that is taken", async () => {
    const listen = { address: "127.0.0.1", httpsPort: 0, mqttPort: 0 };
    await assert.rejects(startProvisioningFront(small.sandbox, "nobody", listen), /"nobody"/);
    const taken = { ...listen, mqttPort: front.mqttPort };
    await assert.rejects(startProvisioningFront(small.sandbox, SERVICE, taken), /EADDRINUSE/);
  });
});
