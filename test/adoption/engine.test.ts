/**
 * A DPS, a hub, a group and a device's enrollment that were made by hand, taken over by a stack on the
 * real engine; drift of their entries; and let go of again.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { Stage } from "../dynamic-providers/stage";
import { TestStack } from "../support/stack";
import { type Issued, TestCa } from "../support/test-ca";

const SERVICE = { name: "dps", resourceGroup: "rg", location: "westus", adopt: true };

describe("a service made by hand, on the real engine", function () {
  this.timeout(240_000);
  let stage: Stage;
  let stack: TestStack;
  let root: TestCa;
  let foreign: TestCa;
  let leaf: Issued;
  let configuration: ReturnType<typeof declared>;

  function declared(): {
    enrollmentGroups: Record<string, object>;
    individualEnrollments: Record<string, object>;
    caCertificates: Record<string, object>;
    [section: string]: unknown;
  } {
    return {
      target: "sandbox",
      service: SERVICE,
      hubs: [{ name: "hub", adopt: true }],
      certificates: {
        root: { file: join(stack.folder, "root.pem") },
        leaf: { file: join(stack.folder, "device-1.pem") },
        "leaf-2": { file: join(stack.folder, "device-2.pem") },
      },
      caCertificates: { root: { certificate: "root", adopt: true } },
      enrollmentGroups: { sensors: { primary: { ca: "root" }, adopt: true } },
      individualEnrollments: {
        "device-1": { primary: { certificate: "leaf" }, reprovisionPolicy: "never", adopt: true },
        "device-2": { primary: { certificate: "leaf-2" } },
      },
    };
  }

  before(async () => {
    stage = await Stage.open();
    root = await TestCa.root("Root by hand");
    foreign = await TestCa.root("Foreign");
    leaf = await root.leaf("device-1");
    const cas = new CaCertificatesClient(stage.connection);
    await cas.upload("root", root.pem, { selfAttested: true });
    await cas.upload("foreign", foreign.pem, { selfAttested: true });
    await stage.putGroup("sensors", { primary: "root" });
    await stage.byHand("group", "sensors", {
      allocationPolicy: "static",
      iotHubs: [stage.sandbox.hub],
      initialTwin: { tags: { site: "north" } },
    });
    await stage.putIndividual("device-1", leaf.pem);
    await stage.byHand("individual", "device-1", {
      reprovisionPolicy: { updateHubAssignment: false, migrateDeviceData: false },
      optionalDeviceInformation: { model: "T1" },
    });
    stack = await TestStack.open(stage.sandbox, "adopted", {});
    writeFileSync(join(stack.folder, "root.pem"), root.pem);
    writeFileSync(join(stack.folder, "device-1.pem"), leaf.pem);
    writeFileSync(join(stack.folder, "device-2.pem"), (await TestCa.selfSigned("device-2")).pem);
    configuration = declared();
  });

  after(async () => {
    stack?.remove();
    await stage?.close();
  });

  beforeEach(() => {
    stage.reset();
    stack.configure(configuration);
  });

  const records = async () => ({
    sensors: await stage.enrollments.getGroup("sensors"),
    "device-1": await stage.enrollments.getIndividual("device-1"),
  });

  /** What was made by hand: entries, CA certificates, the service and its hub. */
  const everything = async () => {
    const { subscriptionId } = stage.sandbox;
    const base = `/subscriptions/${subscriptionId}/resourceGroups/rg/providers/Microsoft.Devices`;
    const read = async (path: string) => {
      const { status, body } = await stage.sandbox.arm("GET", `${base}/${path}`);
      assert.equal(status, 200, path);
      return body;
    };
    return {
      ...(await records()),
      service: await read("provisioningServices/dps"),
      certificates: await read("provisioningServices/dps/certificates"),
      hub: await read("IotHubs/hub"),
    };
  };

  it("is refused at preview when an entry differs, with both sides, and nothing is written", async () => {
    const { individualEnrollments } = configuration;
    stack.configure({
      ...configuration,
      individualEnrollments: {
        ...individualEnrollments,
        "device-1": { primary: { certificate: "leaf" }, adopt: true },
      },
    });
    const { exitCode, output } = await stack.run("preview");
    assert.notEqual(exitCode, 0, output);
    assert.match(
      output,
      /DPS-CERT-126 at individualEnrollments\.device-1\.adopt: found an entry that differs: in DPS enabled, primary CN=device-1 \(SHA-256 .*reprovisioning never, .*; declared enabled, primary CN=device-1 .*reprovisioning migrate; fix: declare what is in DPS/,
    );
    assert.deepEqual(stage.writes, []);
  });

  it("is taken over without a write to it, and what is new is made", async () => {
    const before = await everything();
    const output = await stack.succeeds("up", "--yes", "--skip-preview");
    assert.match(output, /adoption of enrollment group `sensors`\n/);
    assert.match(
      output,
      /enrollment group "sensors" is already as declared; nothing was written\./,
    );
    assert.deepEqual(stage.writes, ["PUT /enrollments/device-2"]);
    assert.deepEqual(await everything(), before);
    await stack.succeeds("preview", "--expect-no-changes");
  });

  it("shows at preview and at refresh what somebody changed, in certificate terms", async () => {
    await stage.byHand("individual", "device-1", { provisioningStatus: "disabled" });
    await stage.byHand("group", "sensors", {
      attestation: {
        type: "x509",
        x509: { caReferences: { primary: "root", secondary: "foreign" } },
      },
    });
    const record = (await stage.enrollments.getIndividual("device-2"))!;
    await stage.enrollments.deleteIndividual("device-2", record.etag);
    const since = (await records())["device-1"]!.lastUpdatedDateTimeUtc;
    const words = [
      `DPS-CERT-123 at individualEnrollments.device-1: found in DPS less trust than is declared, which stays so: status disabled (declared enabled) (last changed ${since})`,
      "DPS-CERT-124 at enrollmentGroups.sensors: found in DPS something else than is declared: secondary CA certificate foreign (declared empty)",
      "DPS-CERT-123 at individualEnrollments.device-2: found in DPS less trust than is declared, which stays so: the entry is gone (declared enabled, primary CN=device-2 (SHA-256 ",
    ];
    stage.reset();
    for (const [operation, ...flags] of [
      ["preview", "--refresh"],
      ["refresh", "--yes", "--skip-preview"],
    ] as const) {
      const output = await stack.succeeds(operation, ...flags);
      for (const part of words) assert.ok(output.includes(part), `${operation}: ${output}`);
    }
    assert.deepEqual(stage.writes, []);
  });

  it("is put right towards more trust, and left alone towards less, by a plain up", async () => {
    const output = await stack.succeeds("up", "--yes", "--skip-preview");
    assert.match(output, /DPS-CERT-123 at individualEnrollments\.device-1: .* which stays so/);
    assert.deepEqual(stage.writes, ["PUT /enrollmentGroups/sensors"]);
    const { sensors } = await records();
    assert.deepEqual(sensors?.attestation.x509?.caReferences, { primary: "root" });
    assert.deepEqual(sensors?.iotHubs, [stage.sandbox.hub]);
    assert.deepEqual(sensors?.initialTwin, { tags: { site: "north" } });
    const settled = await stack.succeeds("preview", "--refresh", "--expect-no-changes");
    assert.match(settled, /DPS-CERT-123 at individualEnrollments\.device-2: .* which stays so/);
  });

  it("is opened again with a reason", async () => {
    const reason = "found again";
    configuration["reenable"] = ["device-1", "device-2"].map((id) => ({
      path: `individualEnrollments.${id}`,
      reason,
    }));
    stack.configure(configuration);
    const output = await stack.succeeds("up", "--yes", "--skip-preview");
    assert.match(output, /individualEnrollments\.device-1 is opened again, because: found again\./);
    assert.deepEqual(stage.writes.sort(), [
      "PUT /enrollments/device-1",
      "PUT /enrollments/device-2",
    ]);
    assert.equal(await stage.isEnabled("individual", "device-1"), true);
    const settled = await stack.succeeds("preview", "--refresh", "--expect-no-changes");
    assert.match(settled, /DPS-CERT-122 at individualEnrollments\.device-1: found a reenable/);
    delete configuration["reenable"];
  });

  it("is let go of without a deletion; what the stack made is deleted", async () => {
    configuration.enrollmentGroups = {};
    configuration.individualEnrollments = {};
    configuration.caCertificates = {};
    stack.configure(configuration);
    const before = await everything();
    const output = await stack.succeeds("up", "--yes", "--skip-preview");
    assert.match(output, /letting go of enrollment group `sensors`\n/);
    assert.deepEqual(stage.writes, ["DELETE /enrollments/device-2"]);
    assert.deepEqual(await everything(), before);
    await stack.succeeds("preview", "--expect-no-changes");
  });

  it("is all there when the stack is destroyed", async () => {
    const before = await everything();
    await stack.succeeds("destroy", "--yes", "--skip-preview");
    assert.deepEqual(stage.writes, []);
    assert.deepEqual(await everything(), before);
  });
});
