import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client as DeviceClient, type DeviceMethodResponse } from "azure-iot-device";
import { Mqtt } from "azure-iot-device-mqtt";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { HubJobs } from "../../clients/hub-jobs";
import { ReferenceDevice } from "../../device/reference-device";
import {
  deviceReprovisioning,
  type DeviceReprovisioningInputs,
  type DeviceReprovisioningOutputs,
} from "../../dynamic-providers/device-reprovisioning/provider";
import type { LoggedRequest } from "../../sandbox/common/request-log";
import { type Issued, TestCa } from "../support/test-ca";
import { Stage } from "./stage";

const OLD = "CA certificate old";
const NEW = "CA certificate new";

describe("telling devices to register again, as the engine calls it", () => {
  let stage: Stage;
  let folder: string;
  let root: TestCa;
  let device: ReferenceDevice | undefined;
  const clients: DeviceClient[] = [];

  /** A device that does as docs/guides/reprovision.md says. */
  async function reference(deviceId: string): Promise<void> {
    const leaf = await root.leaf(deviceId);
    const files = { chainFile: join(folder, "chain.pem"), keyFile: join(folder, "key.pem") };
    writeFileSync(files.keyFile, leaf.key);
    writeFileSync(files.chainFile, leaf.chainPem);
    device = new ReferenceDevice({
      registrationId: deviceId,
      provisioningHost: stage.connection.serviceHostName,
      idScope: stage.sandbox.idScope,
      ...files,
      telemetryIntervalMs: 50,
      watchIntervalMs: 3_600_000,
    });
    const connected = once(device, "telemetry");
    await device.start();
    await connected;
  }

  /** Registers over HTTPS, without the pause that Microsoft's client makes before it polls. */
  async function register(id: string, { chainPem: cert, key }: Issued): Promise<string> {
    const [service] = stage.sandbox.endpoints().provisioningServices;
    const url = `${service?.device.https}/${stage.sandbox.idScope}/registrations/${id}`;
    const ask = (method: string, path: string, body?: object) =>
      stage.sandbox.http(method, `${url}/${path}?api-version=2019-03-31`, { cert, key, body });
    const begun = (await ask("PUT", "register", { registrationId: id })).body;
    const { operationId } = begun as unknown as { operationId: string };
    const { body } = await ask("GET", `operations/${operationId}`);
    const state = body as unknown as { registrationState: { assignedHub: string } };
    return state.registrationState.assignedHub;
  }

  /** Microsoft's bare client, registered; without a handler it is not connected. */
  async function bare(
    deviceId: string,
    onMethod?: (response: DeviceMethodResponse, leaf: Issued) => void,
  ): Promise<DeviceClient | undefined> {
    const leaf = await root.leaf(deviceId);
    const hub = await register(deviceId, leaf);
    if (onMethod === undefined) {
      return undefined;
    }
    const client = DeviceClient.fromConnectionString(
      `HostName=${hub};DeviceId=${deviceId};x509=true`,
      Mqtt,
    );
    clients.push(client);
    await client.setOptions({ cert: leaf.chainPem, key: leaf.key });
    await client.open();
    const subscribed = nextRequest(
      ({ path, note }) => path === "$iothub/methods/POST/#" && note?.includes(deviceId) === true,
    );
    client.onDeviceMethod("reprovision", (_request, response) => onMethod(response, leaf));
    await subscribed;
    return client;
  }

  async function nextRequest(fits: (request: LoggedRequest) => boolean): Promise<void> {
    for (;;) {
      const [request] = (await once(stage.sandbox.sandbox.log, "request")) as [LoggedRequest];
      if (fits(request)) return;
    }
  }

  async function inputs(
    more: Partial<DeviceReprovisioningInputs> = {},
  ): Promise<DeviceReprovisioningInputs> {
    return {
      connection: stage.connection,
      kind: "group",
      enrollmentId: "plant",
      since: (await stage.enrollments.getGroup("plant"))?.lastUpdatedDateTimeUtc ?? "",
      how: "directMethod",
      admits: [OLD, NEW],
      open: true,
      methodName: "reprovision",
      responseSeconds: 5,
      connectSeconds: 0,
      waitSeconds: 60,
      ...more,
    };
  }

  /** Writes the group again: from then on nobody has registered since. */
  const roll = (): Promise<void> => stage.byHand("group", "plant", {});

  const methodCalls = (): string[] =>
    stage.writes.filter((write) => /\/twins\/.*\/methods$/.test(write));

  before(async () => {
    stage = await Stage.open();
    folder = mkdtempSync(join(tmpdir(), "reprovisioning-"));
    root = await TestCa.root("Old root");
    const authorities = new CaCertificatesClient(stage.connection);
    await authorities.upload("old", root.pem, { selfAttested: true });
    const next = await TestCa.root("New root");
    await authorities.upload("new", next.pem, { selfAttested: true });
    await stage.putGroup("plant", { primary: "old", secondary: "new" });
    await Promise.all([
      reference("one"),
      bare("two", (response, leaf) => {
        void response.send(200).then(() => register("two", leaf));
      }),
      bare("refuser", (response) => void response.send(500)),
      bare("offline"),
    ]);
  });

  after(async () => {
    await Promise.all([
      device?.stop(),
      ...clients.map((client) => client.close().catch(() => undefined)),
    ]);
    await stage.close();
    rmSync(folder, { recursive: true });
  });

  beforeEach(() => stage.reset());

  it("tells each device of a group with a direct method, once, and reports who did not do it and why", async () => {
    await roll();
    const silent = await bare("silent", () => undefined);
    await roll();
    const { id, outs } = await stage.listening(async () =>
      deviceReprovisioning.create(await inputs()),
    );
    assert.equal(id, "group/plant");
    assert.deepEqual(outs.report, {
      devices: 5,
      registered: 2,
      answered: 0,
      unreached: 3,
      unreachedDevices: outs.report?.unreachedDevices,
    });
    assert.deepEqual(outs.report?.unreachedDevices.sort(), [
      "offline (offline)",
      "refuser (answered 500)",
      "silent (no answer within 5 s)",
    ]);
    assert.equal(outs.left, 0);
    assert.deepEqual(outs.told, []);
    assert.equal(methodCalls().length, 5);
    assert.match(
      stage.said.join("\n"),
      /^Reprovisioning of enrollment group "plant": 2 of 5 devices registered since it was written; 3 not reached: /,
    );
    await silent?.close();
    await device?.stop();

    // Which slot holds which, and where the method is named, is no new roll.
    const swapped = await inputs({ admits: [NEW, OLD], methodName: "other" });
    assert.equal((await deviceReprovisioning.diff(id, outs, swapped)).changes, false);

    // The way back is quiet: one slot, and the overlap is forgotten.
    stage.reset();
    const retired = await inputs({ admits: [NEW] });
    assert.equal((await deviceReprovisioning.diff(id, outs, retired)).changes, true);
    const after = await deviceReprovisioning.update(id, outs, retired);
    assert.equal(after.outs.overlap, undefined);
    assert.deepEqual(methodCalls(), []);
    assert.equal((await deviceReprovisioning.diff(id, after.outs, await inputs())).changes, true);
  });

  it("tells nobody while the entry is closed, in DPS or by declaration", async () => {
    for (const closed of [{ open: false }, { admits: [] }, { admits: [NEW, NEW] }]) {
      const { outs } = await deviceReprovisioning.create(await inputs(closed));
      assert.equal(outs.overlap, undefined);
    }
    assert.deepEqual(methodCalls(), []);
  });

  it("does not tell who has registered since, and says in a preview what would be done", async () => {
    await roll();
    await bare("late-comer");
    const given = await inputs({ how: "directMethod" });
    await stage.listening(async () => deviceReprovisioning.check({}, given));
    assert.match(
      stage.said.join(),
      /^The devices of enrollment group "plant" are told to register/,
    );
    assert.deepEqual(methodCalls(), []);
    const { outs } = await stage.listening(async () => deviceReprovisioning.create(given));
    assert.equal(methodCalls().length, 5);
    assert.ok(methodCalls().every((path) => !path.includes("late-comer")));
    assert.equal(outs.report?.registered, 2);
    stage.reset();
    await stage.listening(async () => deviceReprovisioning.check(given, given));
    assert.deepEqual(stage.said, []);
  });

  it("goes on at the next update where the time was over", async () => {
    await roll();
    const hurried = await inputs({ waitSeconds: 0 });
    const { id, outs } = await stage.listening(async () => deviceReprovisioning.create(hurried));
    assert.equal(outs.left, outs.report?.devices);
    assert.match(
      stage.said.join(),
      /not told yet, because the time was over: run `pulumi up` again/,
    );
    const patient = { ...hurried, waitSeconds: 60 };
    assert.equal((await deviceReprovisioning.diff(id, outs, patient)).changes, true);
    // Somebody has heard of it already, in the part that was done before the time was over.
    const told: DeviceReprovisioningOutputs = {
      ...outs,
      left: outs.left - 1,
      told: [{ deviceId: "refuser", result: "refused", why: "answered 500" }],
    };
    const next = await stage.listening(async () => deviceReprovisioning.update(id, told, patient));
    assert.equal(next.outs.left, 0);
    assert.ok(methodCalls().every((path) => !path.includes("refuser")));
    assert.ok(next.outs.report?.unreachedDevices.includes("refuser (answered 500)"));
    assert.equal(next.outs.report?.registered, 1);
    assert.equal((await deviceReprovisioning.diff(id, next.outs, patient)).changes, false);
  });

  it("has a job of the hub do it, and waits for the job that an earlier run has left", async () => {
    await roll();
    const given = await inputs({
      how: "job",
      waitSeconds: 3,
      admits: [OLD, "CA certificate third"],
    });
    const [first, second] = await stage.listening(async () => {
      const killed = deviceReprovisioning.create(given);
      await nextRequest(({ method, path }) => method === "PUT" && path.startsWith("/jobs/v2/"));
      return Promise.all([killed, deviceReprovisioning.create(given)]);
    });
    const jobs = stage.writes.filter((write) => write.startsWith("PUT /jobs/v2/"));
    assert.equal(jobs.length, 1);
    assert.deepEqual(methodCalls(), []);
    for (const { outs } of [first, second]) {
      assert.equal(outs.report?.registered, 1);
      assert.ok(outs.report.unreachedDevices.includes("refuser (answered 500)"));
      assert.ok(outs.report.unreachedDevices.includes("offline (offline)"));
      assert.equal(outs.left, 0);
    }
    const [job] = await new HubJobs(stage.connection, stage.sandbox.hub).list();
    assert.equal(job?.status, "completed");
    assert.match(job.jobId, /^reprovision-[0-9a-f]{16}-1$/);
    assert.equal(job.deviceJobStatistics?.pendingCount, 0);
  });

  it("tells the one device of an individual enrollment under its device ID, and nobody when it never registered", async () => {
    const leaf = await TestCa.selfSigned("van-1");
    await stage.putIndividual("van-1", leaf.pem);
    await stage.byHand("individual", "van-1", { deviceId: "van-one" });
    const alone = async (): Promise<DeviceReprovisioningInputs> => ({
      ...(await inputs()),
      kind: "individual",
      enrollmentId: "van-1",
      since: (await stage.enrollments.getIndividual("van-1"))?.lastUpdatedDateTimeUtc ?? "",
    });
    const never = await stage.listening(async () => deviceReprovisioning.create(await alone()));
    assert.equal(never.outs.report?.devices, 0);
    await register("van-1", { ...leaf, chainPem: leaf.pem });
    await stage.byHand("individual", "van-1", {});
    stage.reset();
    const { outs } = await stage.listening(async () => deviceReprovisioning.create(await alone()));
    assert.deepEqual(outs.report?.unreachedDevices, ["van-one (offline)"]);
    assert.deepEqual(methodCalls(), ["POST /twins/van-one/methods"]);
  });
});
