/** One rehearsal: a sandbox, a stack in it and its devices, from the beginning to the last trace. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSandbox, type RunningSandbox } from "../sandbox/sandbox";
import { ConfigurationFile, describe, type Edit } from "./configuration";
import { Engine, type StackOutputs } from "./engine";
import { DeviceFiles, identityOf, issueLeaf } from "./factory";
import { Findings } from "./findings";
import { type DeviceSpec, FleetDevice, type Mark } from "./fleet";
import { Observer } from "./moments";
import type { Procedure } from "./procedures/procedure";
import { found, filesIn, type Secret, secretsOf, secretsOfKey } from "./secrets";
import { Telling } from "./telling";
import { Wire } from "./wire";

/** Which enrollment a device belongs to. */
export interface Member extends DeviceSpec {
  enrollment: "individual" | "sensors" | "gateways";
}

export interface RehearsalOptions {
  /** Folder of the program: the repository. */
  program: string;
  /** Carried out in this order. */
  procedures: Procedure[];
  members: Member[];
  /** Hears what is going on, line by line. */
  say: (line: string) => void;
  /** Aborted: everything ends, as soon as it can be ended in order. */
  signal?: AbortSignal;
}

const PROJECT = "dps-certificates";
const LEAF_DAYS = 30;

/** Rehearses, and leaves nothing behind but the findings. Throws when it cannot be carried out. */
export async function rehearse(options: RehearsalOptions): Promise<Findings> {
  const rehearsal = await Rehearsal.begin(options);
  try {
    await rehearsal.deploy();
    for (const procedure of options.procedures) {
      await rehearsal.carryOut(procedure);
    }
    await rehearsal.conclude();
    return rehearsal.findings;
  } finally {
    await rehearsal.end();
  }
}

export class Rehearsal {
  readonly findings: Findings;
  readonly observer: Observer;
  readonly wire: Wire;
  readonly devices: Map<string, FleetDevice>;
  private readonly engine: Engine;
  private readonly configuration: ConfigurationFile;
  /** Where each device was before the first procedure. */
  private began = new Map<FleetDevice, Mark>();
  private readonly keys = new Map<string, Secret[]>();

  private constructor(
    private readonly options: RehearsalOptions,
    /** For files of a procedure's own, e.g. certificates from a CA outside the stack. */
    readonly folder: string,
    private readonly sandbox: RunningSandbox,
    private readonly telling: Telling,
  ) {
    this.findings = new Findings((text) => telling.rule(text));
    this.observer = new Observer(sandbox.sandbox);
    this.wire = new Wire(() => sandbox.endpoints());
    const files = new DeviceFiles(join(folder, "devices"));
    this.devices = new Map(
      options.members.map((spec) => [spec.registrationId, new FleetDevice(spec, files)]),
    );
    this.engine = new Engine({
      program: options.program,
      folder,
      environment: this.environment,
      line: (line) => telling.engine(line),
    });
    this.configuration = new ConfigurationFile(this.engine.configurationFile, PROJECT);
  }

  static async begin(options: RehearsalOptions): Promise<Rehearsal> {
    const telling = new Telling(options.say);
    const folder = mkdtempSync(join(tmpdir(), "dps-rehearsal-"));
    const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
    // For an exit that nobody saw coming.
    process.once("exit", removeFolder);
    let sandbox: RunningSandbox | undefined;
    try {
      telling.step("Start a sandbox");
      sandbox = await startSandbox({ dir: join(folder, "sandbox") });
      options.signal?.throwIfAborted();
      const rehearsal = new Rehearsal(options, folder, sandbox, telling);
      options.signal?.addEventListener("abort", () => rehearsal.interrupt(), { once: true });
      return rehearsal;
    } catch (error) {
      await sandbox?.close();
      removeFolder();
      throw error;
    }
  }

  /** Members of one enrollment. */
  members(enrollment: Member["enrollment"]): FleetDevice[] {
    return this.options.members
      .filter((member) => member.enrollment === enrollment)
      .map(({ registrationId }) => this.devices.get(registrationId)!);
  }

  /** The first `up`, and the devices on top of it. */
  async deploy(): Promise<void> {
    this.telling.step("pulumi up: the dev stack");
    await this.engine.create();
    await this.engine.up();
    this.telling.step(`Start ${this.devices.size} devices`);
    const outputs = await this.outputs();
    for (const device of this.members("individual")) {
      const name = this.certificateOf(device.id);
      device.give(identityOf(outputs.devCertificates[name]!));
    }
    await this.giveLeaves("sensors", outputs.devCertificates["root-a"]!);
    const intermediate = outputs.devCertificates["intermediate-a"]!;
    await this.giveLeaves("gateways", intermediate, [intermediate.certificate]);
    for (const device of this.devices.values()) {
      device.start(this.options.program, outputs, this.environment, (from, event) =>
        this.telling.device(from.id, event),
      );
    }
    const [settled] = await Promise.all([this.engine.isSettled(), this.allWork()]);
    this.began = new Map([...this.devices.values()].map((device) => [device, device.mark()]));
    this.findings.add(
      "always",
      "pulumi preview --expect-no-changes succeeds after the first up",
      settled,
      settled ? "no changes" : "changes",
    );
  }

  async carryOut(procedure: Procedure): Promise<void> {
    this.telling.step(`${procedure.name}: ${procedure.title}`);
    await procedure.carryOut(this);
  }

  /** Changes the configuration, says what, and updates the stack. */
  async change(what: string, edits: Edit[], { preview = false } = {}): Promise<void> {
    this.telling.note(what);
    this.configuration.change(edits);
    edits.forEach((edit) => this.telling.edit(describe(edit)));
    if (preview) {
      this.telling.note("pulumi preview");
      await this.engine.preview();
    }
    this.telling.note("pulumi up");
    await this.engine.up();
  }

  /** What stands in the configuration. */
  configured(...path: Parameters<ConfigurationFile["get"]>): unknown {
    return this.configuration.get(...path);
  }

  /** Name of the certificate that an individual enrollment or a group has now, or of its CA. */
  certificateOf(registrationId: string): string {
    const { primary, secondary } = this.configured(
      "individualEnrollments",
      registrationId,
    ) as Record<string, { certificate: string } | undefined>;
    return (primary ?? secondary)!.certificate;
  }

  async outputs(): Promise<StackOutputs> {
    const outputs = await this.engine.outputs();
    for (const [name, { privateKey }] of Object.entries(outputs.devCertificates)) {
      this.lookOutFor(name, privateKey);
    }
    return outputs;
  }

  /** This private key must not be found in clear at the end. */
  lookOutFor(name: string, privateKey: string): void {
    this.keys.set(name, secretsOfKey(name, privateKey));
  }

  /** Every device works with the certificate that it has been given. */
  async allWork(): Promise<void> {
    await Promise.all([...this.devices.values()].map((device) => device.works()));
  }

  /** After the last procedure: nothing left to do, no secret in clear, nothing left behind. */
  async conclude(): Promise<void> {
    this.telling.step("Conclude");
    const settled = await this.engine.isSettled();
    this.findings.add(
      "always",
      "pulumi preview --expect-no-changes succeeds after the last up",
      settled,
      settled ? "no changes" : "changes",
    );
    this.findings.addBystanders(this.began);
    this.telling.hush();
    await this.stopDevices();
    this.lookForSecrets();
    this.telling.note("pulumi destroy");
    await this.engine.destroy();
    this.lookForRemains();
  }

  /** Ends everything, and removes the folder. May be called at any time. */
  async end(): Promise<void> {
    const ended = await Promise.allSettled([this.engine.stop(), this.stopDevices()]);
    this.observer.close();
    await this.sandbox.close();
    rmSync(this.folder, { recursive: true, force: true });
    for (const one of ended) {
      if (one.status === "rejected") throw one.reason;
    }
  }

  /** Makes whatever is waited for fail; `end` says what could not be ended. */
  private interrupt(): void {
    this.telling.hush();
    for (const ending of [this.engine.stop(), this.stopDevices()]) {
      ending.catch(() => undefined);
    }
  }

  private get environment(): NodeJS.ProcessEnv {
    const environment = { ...process.env, ...this.sandbox.environment() };
    // Of another stack than this one.
    delete environment["PULUMI_STACK"];
    delete environment["PULUMI_CONFIG_PASSPHRASE_FILE"];
    return environment;
  }

  private async giveLeaves(
    group: "sensors" | "gateways",
    issuer: StackOutputs["devCertificates"][string],
    intermediates: string[] = [],
  ): Promise<void> {
    for (const device of this.members(group)) {
      device.give(await issueLeaf(device.id, issuer, { days: LEAF_DAYS, intermediates }));
    }
  }

  private async stopDevices(): Promise<void> {
    await Promise.all([...this.devices.values()].map((device) => device.stop()));
  }

  private lookForSecrets(): void {
    const { folder, sandbox } = this.sandbox;
    const passphrase = this.environment["PULUMI_CONFIG_PASSPHRASE"] ?? "";
    const secrets = [
      { what: "the passphrase of the state", value: passphrase },
      ...secretsOf(sandbox, this.sandbox.endpoints().arm.clientSecret),
      ...[...this.keys.values()].flat(),
    ];
    const places = [
      { file: "Pulumi's output", text: this.engine.printed },
      { file: "the configuration", text: readFileSync(this.engine.configurationFile, "utf8") },
      ...filesIn(folder.state).map(({ file, text }) => ({
        file: file.slice(folder.state.length + 1),
        text,
      })),
    ];
    const seen = places.flatMap(({ file, text }) =>
      found(text, secrets).map((what) => `${what} in ${file}`),
    );
    this.findings.add(
      "always",
      "no private key, connection string or token in clear in the state or in Pulumi's output",
      places.length > 2 && seen.length === 0,
      seen.join("; ") ||
        `${new Set(secrets.map(({ what }) => what)).size} secrets looked for in ${places.length} places`,
    );
  }

  private lookForRemains(): void {
    const { sandbox } = this.sandbox;
    const remains = [
      ...["resource-groups", "provisioning-services", "iot-hubs", "ca-certificates"],
      ...["dps-individual-enrollments", "dps-enrollment-groups", "dps-registrations"],
      "hub-devices",
    ].flatMap((name) => {
      const count = sandbox.collection(name).list().length;
      return count === 0 ? [] : [`${count} in ${name}`];
    });
    this.findings.add(
      "always",
      "pulumi destroy leaves nothing in the sandbox",
      remains.length === 0,
      remains.join(", ") || "nothing left",
    );
  }
}
