import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Registry } from "azure-iothub";
import type { Declared, DeclaredGroup } from "../../certificates/declared";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import {
  fleetJudgement as handler,
  type FleetJudgementInputs,
} from "../../dynamic-providers/fleet-judgement/provider";
import { readIssuedLeaves } from "../../dynamic-providers/device-registration-removal/issued-leaves-file";
import { provisioningServices } from "../../clients/credentials";
import { UNKNOWN } from "../../dynamic-providers/handler";
import { DeviceRegistry } from "../../sandbox/iot-hub/registry";
import { summarize } from "../../certificates/summary";
import { declared, shown } from "../certificates/fixtures";
import { type Issued, TestCa } from "../support/test-ca";
import { Stage } from "./stage";

const GROUP = "enrollmentGroups.plant";
const EVIDENCE =
  "evidence is the issuer that a device reports in its twin, or its leaf in remove.issuedLeaves; the certificates in between have to be in certificates";

describe("the judgement in view of the fleet, as the engine calls it", () => {
  let stage: Stage;
  let sdk: Registry;
  let old: TestCa, next: TestCa;
  let known: Issued, stranger: Issued;
  let truck: Issued, truckNext: Issued;

  before(async () => {
    stage = await Stage.open();
    sdk = Registry.fromConnectionString(
      stage.sandbox.endpoints().iotHubs[0]?.connectionString ?? "",
    );
    old = await TestCa.root("Old root");
    next = await TestCa.root("Next root");
    const cas = new CaCertificatesClient(stage.connection);
    await cas.upload("old", old.pem, { selfAttested: true });
    await cas.upload("next", next.pem, { selfAttested: true });
    await stage.putGroup("plant", { primary: "old", secondary: "next" });
    known = await old.leaf("sensor-1");
    stranger = await next.leaf("sensor-2");
    truck = await TestCa.selfSigned("truck-7");
    truckNext = await TestCa.selfSigned("truck-7");
    await stage.putIndividual("truck-7", truck.pem, truckNext.pem);
    await stage.register("sensor-1", known);
    await stage.register("sensor-2", stranger);
    await stage.register("truck-7", truck);
  });

  after(() => stage.close());

  /** Another DPS instance at the same hub. */
  async function linkNeighbour(): Promise<void> {
    const { connectionString = "" } = stage.sandbox.endpoints().iotHubs[0] ?? {};
    const location = "northeurope";
    await provisioningServices(stage.connection).iotDpsResource.beginCreateOrUpdateAndWait(
      stage.connection.resourceGroup,
      "neighbour",
      {
        location,
        sku: { name: "S1", capacity: 1 },
        properties: { iotHubs: [{ connectionString, location }] },
      },
    );
  }

  function inputs(group: Partial<DeclaredGroup> | undefined, rest: Partial<Declared> = {}) {
    const all = { old, next, known, truck, "truck-next": truckNext };
    return {
      connection: stage.connection,
      made: {},
      declared: declared(all, {
        caCertificates: { old: { certificate: "old" }, next: { certificate: "next" } },
        ...(group && { enrollmentGroups: { plant: { status: "enabled", ...group } } }),
        ...rest,
      }),
    } satisfies FleetJudgementInputs;
  }

  const both = { primary: { ca: "old" }, secondary: { ca: "next" } };

  /** The failures of a change, and what was said and asked. */
  async function judged(before: FleetJudgementInputs, after: FleetJudgementInputs) {
    stage.reset();
    const asked: string[] = [];
    const listen = ({ path, service }: { path: string; service: string }): void => {
      if (service !== "token" && !path.startsWith("/metadata")) asked.push(path);
    };
    stage.sandbox.sandbox.log.on("request", listen);
    const { failures } = await stage.listening(() => handler.check(before, after));
    stage.sandbox.sandbox.log.off("request", listen);
    return { failures: (failures ?? []).map(({ reason }) => reason), said: stage.said, asked };
  }

  it("counts the devices of a group before its old root goes, and refuses while one is known to use it", async () => {
    const { failures, said } = await judged(inputs(both), inputs({ secondary: { ca: "next" } }));
    const root = `CA \`old\`: ${shown(old)}`;
    assert.deepEqual(said, [
      `enrollment group \`plant\`: 2 devices on record: 1 with ${root}, 0 with CA \`next\`: ${shown(next)}, 1 not known`,
    ]);
    assert.deepEqual(failures, [
      `DPS-CERT-058 at ${GROUP}.primary.ca: found ${root} taken away with 2 of 2 devices on record at risk: 1 last registered with it, where retirement allows 0: sensor-1; 1 not known, where retirement allows 0: sensor-2; fix: wait until they have registered with the certificate that stays (${EVIDENCE}), or waive this with a reason and their IDs in devices`,
    ]);
  });

  it("believes what a device reports of its issuer while the hub has the leaf it speaks of", async () => {
    const report = {
      leaf: { sha256: summarize(stranger.pem).sha256Thumbprint },
      issuer: { sha256: summarize(next.pem).sha256Thumbprint },
    };
    const [hubName = ""] = stage.sandbox.hub.split(".");
    new DeviceRegistry(stage.sandbox.sandbox, hubName).reportTwin(
      "sensor-2",
      { dps: report },
      undefined,
    );
    const { said } = await judged(inputs(both), inputs({ secondary: { ca: "next" } }));
    assert.match(
      said[0] ?? "",
      /: 2 devices on record: 1 with CA `old`.*, 1 with CA `next`.*, 0 not known$/,
    );
  });

  it("does not believe a report about a leaf that the hub does not have", async () => {
    await stage.register("sensor-2", await next.leaf("sensor-2"));
    const { said } = await judged(inputs(both), inputs({ secondary: { ca: "next" } }));
    assert.match(said[0] ?? "", /, 0 with CA `next`.*, 1 not known$/);
  });

  it("takes the manifest of issued leaves as evidence of who issued a leaf", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "issued-")), "issued.json");
    const leaf = await next.leaf("sensor-2");
    await stage.register("sensor-2", leaf);
    const row = {
      registrationId: "Sensor-2",
      leafSha256: summarize(leaf.pem).sha256Thumbprint,
      issuerThumbprint: summarize(next.pem).sha1Thumbprint,
    };
    for (const [rows, expected] of [
      [[row], /, 1 with CA `next`.*, 0 not known$/],
      [[{ ...row, registrationId: "sensor-3" }], /, 0 with CA `next`.*, 1 not known$/],
    ] as const) {
      writeFileSync(file, JSON.stringify(rows));
      const { source } = readIssuedLeaves(file, "/");
      const after = { ...inputs({ secondary: { ca: "next" } }), issuedLeaves: source! };
      const { said } = await judged(inputs(both), after);
      assert.match(said[0] ?? "", expected);
    }
    rmSync(dirname(file), { recursive: true });
  });

  it("lets a retirement through within its limits, or with a waiver that names the devices", async () => {
    await stage.register("sensor-2", await next.leaf("sensor-2"));
    const retired = { secondary: { ca: "next" } };
    const within = await judged(
      inputs(both),
      inputs(retired, { retirement: { onOld: 1, notKnown: "50%" } }),
    );
    assert.deepEqual(within.failures, []);
    assert.match(
      within.said[1] ?? "",
      /^warning: DPS-CERT-058 at .* 2 of 2 devices on record at risk/,
    );
    const waiver = (devices: string[]) => ({
      code: "DPS-CERT-058",
      path: `${GROUP}.primary.ca`,
      reason: "scrapped",
      until: "2999-12-31",
      devices,
    });
    const waived = (devices: string[]) =>
      judged(inputs(both), inputs(retired, { waivers: [waiver(devices)] }));
    assert.deepEqual((await waived(["sensor-1", "sensor-2"])).failures, []);
    assert.match(
      (await waived(["sensor-1"])).failures.join(),
      /\(the waiver does not name sensor-2\); fix: /,
    );
  });

  it("lets the same change through after a breach, and names the other instance at its hub", async () => {
    const stolen = { compromised: [{ certificate: "old", reason: "stolen" }] };
    await linkNeighbour();
    const { failures, said } = await judged(
      inputs(both),
      inputs({ secondary: { ca: "next" } }, stolen),
    );
    assert.deepEqual(failures, []);
    assert.match(said[0] ?? "", /^enrollment group `plant`: 2 devices on record: 1 with CA `old`/);
    assert.equal(
      said[1],
      `warning: DPS-CERT-068 at hubs: found DPS instance neighbour, which is linked to ${stage.sandbox.hub} as well; fix: see that none of its devices has the ID of one that is removed here, and that it does not admit the compromised certificate`,
    );
  });

  it("keeps a group that devices use, and lets one go that is disabled, retained or breached", async () => {
    const gone = inputs(undefined);
    assert.match(
      (await judged(inputs(both), gone)).failures.join(),
      /^DPS-CERT-063 at enrollmentGroups\.plant: found an enrollment group that is taken away with 2 devices on record/,
    );
    for (const spared of [{ status: "disabled" as const }, { retain: true }]) {
      assert.deepEqual((await judged(inputs({ ...both, ...spared }), gone)).failures, []);
    }
  });

  it("knows of an individual enrollment which of its leaves the device used, and what it is at the hub", async () => {
    const entry = { status: "enabled" as const };
    const held = {
      individualEnrollments: {
        "truck-7": {
          ...entry,
          primary: { certificate: "truck" },
          secondary: { certificate: "truck-next" },
        },
      },
    };
    const retired = {
      individualEnrollments: { "truck-7": { ...entry, secondary: { certificate: "truck-next" } } },
    };
    const path = "individualEnrollments.truck-7";
    const first = await judged(inputs(undefined, held), inputs(undefined, retired));
    assert.match(first.failures.join(), /^DPS-CERT-058 at individualEnrollments\.truck-7\.primary/);
    await stage.register("truck-7", truckNext);
    assert.deepEqual(
      (await judged(inputs(undefined, held), inputs(undefined, retired))).failures,
      [],
    );
    const late = { ...retired, longestOfflineHours: 24 };
    assert.match(
      (await judged(inputs(undefined, held), inputs(undefined, late))).failures.join(),
      /^DPS-CERT-057 at \S+: found .* taken away after an overlap of \d+ seconds?, where 1 device on record need 24 hours; fix: wait until 20/,
    );
    await sdk.update({
      deviceId: "truck-7",
      authentication: { type: "sas" },
      capabilities: { iotEdge: true },
    });
    const last = await judged(inputs(undefined, held), inputs(undefined, retired));
    assert.match(
      last.failures.join(),
      /^DPS-CERT-058 .* 1 of 1 device on record at risk: 1 not known, .*: truck-7; fix: .*evidence is the leaf that its hub has/,
    );
    assert.equal(
      last.said[1],
      `warning: DPS-CERT-064 at ${path}: found 1 device with a symmetric key at the hub: truck-7; fix: let them register with DPS with their certificate`,
    );
    assert.match(last.said[2] ?? "", /^warning: DPS-CERT-065 at .*IoT Edge: truck-7/);
  });

  it("asks nothing when nothing changes or the service is not made yet, and of a new entry only whether it is there", async () => {
    const unchanged = await judged(inputs(both), inputs(both));
    const made = { ...inputs(both), connection: UNKNOWN as never };
    const unmade = await judged(inputs(both), made);
    const enrolled = await judged(
      inputs(both),
      inputs(both, { individualEnrollments: { "truck-8": { status: "disabled" } } }),
    );
    for (const [{ asked, failures, said }, expected] of [
      [unchanged, []],
      [unmade, []],
      [enrolled, ["/enrollments/truck-8"]],
    ] as const) {
      assert.deepEqual([asked, failures, said], [expected, [], []]);
    }
  });

  it("counts free CA entries when one comes, and refuses one too many", async () => {
    const names = Array.from({ length: 24 }, (_, index) => `more-${index}`);
    const caCertificates = Object.fromEntries(
      ["old", "next", ...names].map((name) => [
        name,
        { certificate: name === "next" ? "next" : "old" },
      ]),
    );
    const fuller = (left: number) => ({
      caCertificates: Object.fromEntries(Object.entries(caCertificates).slice(0, 26 - left)),
    });
    assert.match(
      (await judged(inputs(both), inputs(both, fuller(0)))).failures.join(),
      /^DPS-CERT-080 at caCertificates: found 24 new CA certificates .* and 23 free of 25 entries/,
    );
    const { failures, said } = await judged(inputs(both), inputs(both, fuller(1)));
    assert.deepEqual(failures, []);
    assert.match(said.join(), /DPS-CERT-066 at caCertificates: found 0 free of 25 entries/);
  });

  it("says what could not be read, and does not take it for nothing", async () => {
    const elsewhere = { ...stage.connection, service: "gone", resourceGroup: "gone" };
    const before = inputs(both);
    const after = inputs(
      { secondary: { ca: "next" } },
      { compromised: [{ certificate: "old", reason: "x" }] },
    );
    const { said } = await judged(
      { ...before, connection: elsewhere },
      { ...after, connection: elsewhere },
    );
    assert.match(
      said.join("\n"),
      /DPS-CERT-069 at service: found facts that are not complete: other DPS instances that are linked to the same hubs, because: /,
    );
  });
});
