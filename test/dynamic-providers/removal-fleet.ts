/** A fleet of four devices of one group, whose CA is stolen, and its removal. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "azure-iothub";
import { summarize } from "../../certificates/summary";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { HubRegistry } from "../../clients/hub-registry";
import { readIssuedLeaves } from "../../dynamic-providers/device-registration-removal/issued-leaves-file";
import type { RemovalScope } from "../../dynamic-providers/device-registration-removal/scope";
import type { Switches } from "../../sandbox/common/switches";
import { type Issued, TestCa } from "../support/test-ca";
import { containedScope } from "./removal-runs";
import { Stage, stolen } from "./stage";

const SECOND_MS = 1000;

export class RemovalFleet {
  readonly hub: HubRegistry;
  readonly sdk: Registry;
  /** Latest leaf of each device. */
  readonly leaves = new Map<string, Issued>();
  readonly folder = mkdtempSync(join(tmpdir(), "issued-leaves-"));
  count = 0;
  group = "";
  ids: string[] = [];

  private constructor(
    readonly stage: Stage,
    readonly bad: TestCa,
    readonly good: TestCa,
  ) {
    this.hub = new HubRegistry(stage.connection, stage.sandbox.hub);
    this.sdk = Registry.fromConnectionString(
      stage.sandbox.endpoints().iotHubs[0]?.connectionString ?? "",
    );
  }

  static async open(switches: Partial<Switches> = {}): Promise<RemovalFleet> {
    const stage = await Stage.open(undefined, switches);
    const [bad, good] = [await TestCa.root("Bad root"), await TestCa.root("Good root")];
    const cas = new CaCertificatesClient(stage.connection);
    await cas.upload("bad", bad.pem, { selfAttested: true });
    await cas.upload("good", good.pem, { selfAttested: true });
    return new RemovalFleet(stage, bad, good);
  }

  async close(): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
    await this.stage.close();
  }

  /** A group of its own with new devices, all registered. */
  async begin(count = 4): Promise<string[]> {
    this.count += 1;
    this.group = `fleet-${this.count}`;
    this.ids = ["a", "b", "c", "d"].slice(0, count).map((name) => `${name}-${this.count}`);
    await this.stage.putGroup(this.group, { primary: "bad" });
    for (const id of this.ids) this.leaves.set(id, await this.bad.leaf(id));
    await this.come(...this.ids);
    this.stage.reset();
    return this.ids;
  }

  async end(): Promise<void> {
    const { enrollments } = this.stage;
    const record = await enrollments.getGroup(this.group);
    if (record !== undefined) await enrollments.deleteGroup(this.group, record.etag);
  }

  async come(...devices: string[]): Promise<void> {
    this.stage.clock.advance(SECOND_MS);
    for (const id of devices) await this.stage.register(id, this.leaves.get(id)!);
    this.stage.clock.advance(SECOND_MS);
  }

  async comeAnew(...devices: string[]): Promise<void> {
    for (const id of devices) this.leaves.set(id, await this.good.leaf(id));
    await this.come(...devices);
  }

  /** Contained, and the group admits by the good CA now. */
  async replaced(remove: RemovalScope["remove"]): Promise<RemovalScope> {
    const [key] = stolen(this.bad);
    const scope = await containedScope(this.stage, key!, { bad: [key!.key] });
    await this.stage.byHand("group", this.group, {
      attestation: { type: "x509", x509: { caReferences: { primary: "good" } } },
      provisioningStatus: "enabled",
    });
    return { ...scope, remove };
  }

  /** Which of the devices the hub has. */
  async present(...devices: string[]): Promise<string[]> {
    return (await this.hub.findDevices(devices)).map(({ deviceId }) => deviceId).sort();
  }

  /** A manifest with these devices' leaves, as issued by `ca`. */
  manifest(devices: string[], ca: TestCa) {
    const file = join(this.folder, `${this.count}.json`);
    const rows = devices.map((registrationId) => ({
      registrationId,
      leafSha256: summarize(this.leaves.get(registrationId)!.pem).sha256Thumbprint,
      issuerThumbprint: summarize(ca.pem).sha256Thumbprint,
    }));
    writeFileSync(file, JSON.stringify(rows));
    const { source, faults } = readIssuedLeaves(file, this.folder);
    assert.deepEqual(faults, []);
    return source!;
  }

  issuers(): string[] {
    return [summarize(this.good.pem).sha256Thumbprint];
  }
}

/** Lets one device count as connected, for whoever reads a twin. */
export function withConnected(deviceId: string): () => void {
  const prototype = HubRegistry.prototype;
  const names = ["getTwin", "findDevices"] as const;
  const real = names.map((name) => Object.getOwnPropertyDescriptor(prototype, name)!);
  const seen = <T extends { deviceId: string } | undefined>(twin: T): T =>
    twin?.deviceId === deviceId ? { ...twin, isConnected: true } : twin;
  type Read = (this: HubRegistry, asked: unknown) => Promise<unknown>;
  names.forEach((name, index) =>
    Object.defineProperty(prototype, name, {
      ...real[index],
      async value(this: HubRegistry, asked: unknown) {
        const found = await (real[index]!.value as Read).call(this, asked);
        return Array.isArray(found)
          ? found.map((one) => seen(one as { deviceId: string }))
          : seen(found as { deviceId: string } | undefined);
      },
    }),
  );
  return () => names.forEach((name, index) => Object.defineProperty(prototype, name, real[index]!));
}

/** One fleet for the tests of the `describe` around it, with new devices for each. */
export function withFleet(use: (fleet: RemovalFleet, ids: string[]) => void): void {
  let fleet: RemovalFleet;
  before(async () => {
    fleet = await RemovalFleet.open();
  });
  after(() => fleet.close());
  beforeEach(async () => use(fleet, await fleet.begin()));
  afterEach(() => fleet.end());
}
