import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Registry } from "azure-iothub";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { EnrollmentsClient } from "../../clients/enrollments";
import { HubRegistry } from "../../clients/hub-registry";
import {
  REPROVISION_METHOD,
  ReferenceDevice,
  type ReferenceDeviceOptions,
} from "../../device/reference-device";
import { type AttachedSandbox, openAttached } from "../clients/attached-sandbox";
import { type Issued, TestCa } from "../support/test-ca";
import { Relay } from "./relay";

const ID = "truck-7";

interface Reported {
  dps: Record<"leaf" | "issuer", { sha256: string; notAfter: string }>;
}

describe("reference device", () => {
  let sandbox: AttachedSandbox;
  let enrollments: EnrollmentsClient;
  let hub: HubRegistry;
  let ca: TestCa;
  let leaf: Issued;
  let folder: string;
  let device: ReferenceDevice | undefined;

  before(async () => {
    sandbox = await openAttached();
    enrollments = new EnrollmentsClient(sandbox.connection);
    hub = new HubRegistry(sandbox.connection, sandbox.hub);
    const root = await TestCa.root("Contoso root");
    await new CaCertificatesClient(sandbox.connection).upload("root", root.pem, {
      selfAttested: true,
    });
    ca = await root.intermediate("Plant");
    await enrollments.putGroup({
      enrollmentGroupId: "plant",
      attestation: { type: "x509", x509: { caReferences: { primary: "root" } } },
    });
  });

  after(() => sandbox.close());

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "device-"));
    leaf = await ca.leaf(ID);
    install(leaf);
  });

  afterEach(async () => {
    await device?.stop();
    device = undefined;
    rmSync(folder, { recursive: true });
  });

  function install(certificate: Issued): void {
    writeFileSync(join(folder, "key.pem"), certificate.key);
    writeFileSync(join(folder, "chain.pem"), certificate.chainPem);
  }

  async function start(options: Partial<ReferenceDeviceOptions> = {}): Promise<ReferenceDevice> {
    device = new ReferenceDevice({
      registrationId: ID,
      provisioningHost: sandbox.connection.serviceHostName,
      idScope: sandbox.idScope,
      chainFile: join(folder, "chain.pem"),
      keyFile: join(folder, "key.pem"),
      telemetryIntervalMs: 50,
      watchIntervalMs: 20,
      backoff: { firstMs: 20, maximumMs: 500 },
      ...options,
    });
    await device.start();
    return device;
  }

  function hubConnectionString(): string {
    return sandbox.endpoints().iotHubs[0]?.connectionString ?? "";
  }

  async function setStatus(provisioningStatus: "enabled" | "disabled"): Promise<void> {
    const group = await enrollments.getGroup("plant");
    assert(group !== undefined);
    await enrollments.putGroup({ ...group, provisioningStatus }, group.etag);
  }

  it("provisions, connects, sends telemetry and reports its certificate", async () => {
    const started = await start();
    const [registered] = (await once(started, "registered")) as unknown[];
    assert.deepEqual(registered, {
      hub: sandbox.hub,
      deviceId: ID,
      thumbprint: leaf.thumbprint,
    });
    await once(started, "telemetry");
    // The second message is sent after the properties of the first have been written.
    await once(started, "telemetry");
    const identity = await hub.getIdentity(ID);
    assert.equal(identity?.connectionState, "Connected");
    assert.equal(identity.thumbprints[0], leaf.thumbprint);
    const twin = await Registry.fromConnectionString(hubConnectionString()).getTwin(ID);
    const { reported } = twin.responseBody.properties as unknown as { reported: Reported };
    assert.equal(reported.dps.leaf.sha256, leaf.thumbprint);
    assert.match(reported.dps.leaf.notAfter, /^\d{4}-\d\d-\d\dT/);
    assert.equal(reported.dps.issuer.sha256, ca.certificate.thumbprint);
    assert.match(reported.dps.issuer.notAfter, /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(started.counters.refused, { dps: 0, hub: 0 });
  });

  it("registers first with a new certificate, and is never refused", async () => {
    const started = await start({ rollFirst: "register" });
    await once(started, "telemetry");
    const renewed = await ca.leaf(ID);
    install(renewed);
    const [rolled] = (await once(started, "rolled")) as unknown[];
    assert.deepEqual(rolled, {
      from: leaf.thumbprint,
      to: renewed.thumbprint,
      first: "register",
    });
    await once(started, "telemetry");
    assert.deepEqual(started.counters.refused, { dps: 0, hub: 0 });
    assert.equal(started.counters.registrations, 2);
    assert.equal((await hub.getIdentity(ID))?.thumbprints[0], renewed.thumbprint);
  });

  it("connects first with a new certificate, is refused once, and recovers through DPS", async () => {
    const started = await start({ rollFirst: "connect" });
    await once(started, "telemetry");
    install(await ca.leaf(ID));
    await once(started, "rolled");
    await once(started, "telemetry");
    assert.deepEqual(started.counters.refused, { dps: 0, hub: 1 });
    assert.equal(started.counters.registrations, 2);
  });

  it("registers again when a direct method asks it to", async () => {
    const started = await start();
    await once(started, "telemetry");
    await once(started, "telemetry");
    const reconnected = once(started, "connected");
    const result = await Client.fromConnectionString(hubConnectionString()).invokeDeviceMethod(ID, {
      methodName: REPROVISION_METHOD,
      responseTimeoutInSeconds: 30,
      connectTimeoutInSeconds: 0,
    });
    assert.equal((result.result as { status: number }).status, 202);
    await reconnected;
    await once(started, "telemetry");
    assert.equal(started.counters.registrations, 2);
    assert.deepEqual(started.counters.refused, { dps: 0, hub: 0 });
  });

  it("looks for a new certificate when a direct method asks it to, and registers with that", async () => {
    const started = await start({ watchIntervalMs: 3_600_000, rollFirst: "connect" });
    await once(started, "telemetry");
    await once(started, "telemetry");
    const renewed = await ca.leaf(ID);
    install(renewed);
    const rolled = once(started, "rolled");
    await Client.fromConnectionString(hubConnectionString()).invokeDeviceMethod(ID, {
      methodName: REPROVISION_METHOD,
      responseTimeoutInSeconds: 30,
      connectTimeoutInSeconds: 0,
    });
    const [{ to }] = (await rolled) as [{ to: string }];
    assert.equal(to, renewed.thumbprint);
    assert.deepEqual(started.counters.refused, { dps: 0, hub: 0 });
    assert.equal(started.counters.registrations, 2);
  });

  it("keeps the old connection while DPS does not take the new certificate", async () => {
    const started = await start();
    await once(started, "telemetry");
    const stranger = await (await TestCa.root("Nobody's root")).leaf(ID);
    install(stranger);
    const [refused] = (await once(started, "refused")) as [{ where: string }];
    assert.equal(refused.where, "dps");
    await once(started, "telemetry");
    assert.equal(started.counters.connections, 1);
    assert.equal(started.counters.secondsWithoutConnection, 0);
    install(await ca.leaf(ID));
    await once(started, "rolled");
  });

  it("comes back through DPS when its identity was disabled and deleted", async () => {
    const started = await start();
    await once(started, "telemetry");
    const identity = await hub.getIdentity(ID);
    assert(identity !== undefined);
    const disconnected = once(started, "disconnected");
    const removed = hub.disable(identity).then((disabled) => hub.remove(disabled));
    await disconnected;
    await removed;
    await once(started, "connected");
    await once(started, "telemetry");
    assert(started.counters.refused.hub >= 1);
    assert.equal(started.counters.refused.dps, 0);
    assert(started.counters.secondsWithoutConnection > 0);
  });

  it("does not go to DPS because the hub cannot be reached", async () => {
    const endpoints = sandbox.endpoints();
    const relay = new Relay(endpoints.iotHubs[0]?.mqtt ?? "");
    await relay.open();
    const file = join(folder, "endpoints.json");
    const iotHubs = endpoints.iotHubs.map((one) => ({ ...one, mqtt: relay.address }));
    writeFileSync(file, JSON.stringify({ ...endpoints, iotHubs }));
    const before = process.env["DPS_SANDBOX_ENDPOINTS"];
    process.env["DPS_SANDBOX_ENDPOINTS"] = file;
    try {
      const started = await start();
      await once(started, "telemetry");
      const disconnected = once(started, "disconnected");
      await relay.cut();
      await disconnected;
      for (let faults = 0; faults < 3; faults += 1) {
        const [fault] = (await once(started, "fault")) as [{ where: string; reason: string }];
        assert.equal(fault.where, "hub");
        assert.match(fault.reason, /ECONNREFUSED/);
      }
      await relay.open();
      await once(started, "connected");
      await once(started, "telemetry");
      assert.equal(started.counters.registrations, 1);
      assert.deepEqual(started.counters.refused, { dps: 0, hub: 0 });
      await started.stop();
    } finally {
      process.env["DPS_SANDBOX_ENDPOINTS"] = before;
      await relay.cut();
    }
  });

  it("backs off when DPS refuses it, and comes back when it is admitted again", async () => {
    await setStatus("disabled");
    const started = await start();
    await once(started, "refused");
    await once(started, "refused");
    assert.equal(started.counters.refused.dps, 2);
    await setStatus("enabled");
    await once(started, "telemetry");
  });
});
