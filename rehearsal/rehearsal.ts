/** One rehearsal: a sandbox, a stack in it and its devices, from the beginning to the last trace. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSandbox, type RunningSandbox } from "../sandbox/sandbox";
import { adopting, named, retaining } from "./adopted";
import { Aviary, WITH_CANARIES } from "./canaries";
import { judgeRemains, judgeSecrets, recordsOf } from "./conclusion";
import { ConfigurationFile, describe, type Edit } from "./configuration";
import { Engine, EngineError, type StackOutputs, type Target } from "./engine";
import { DeviceFiles, type Identity } from "./factory";
import { keep } from "./keeping";
import type { Findings } from "./findings";
import { type DeviceSpec, FleetDevice, type Mark } from "./fleet";
import { byHand, type Deed } from "./hands";
import { type KillPoint, upKilled } from "./killing";
import { Observer } from "./moments";
import { Pki } from "./pki";
import type { Sections, Setting } from "./setting";
import { firstIdentity } from "./slots";
import type { Telling } from "./telling";
import { Wire } from "./wire";

export interface RehearsalOptions {
  /** Folder of the program: the repository. */
  program: string;
  setting: Setting;
  findings: Findings;
  telling: Telling;
  /** Aborted: everything ends, as soon as it can be ended in order. */
  signal?: AbortSignal | undefined;
}

export interface ChangeOptions {
  /** What somebody does who has read the preview, before the update. Default: there is no preview. */
  reviewed?: ((preview: string) => Promise<void> | void) | undefined;
  kill?: KillPoint | undefined;
}

const PROJECT = "dps-certificates";

export class Rehearsal {
  readonly findings: Findings;
  readonly observer: Observer;
  readonly wire: Wire;
  readonly pki: Pki;
  readonly aviary: Aviary;
  readonly devices = new Map<string, FleetDevice>();
  /** Devices of somebody else's, which are judged by nobody but who brought them. */
  private readonly guests = new Set<FleetDevice>();
  private readonly files: DeviceFiles;
  private readonly engine: Engine;
  private readonly configuration: ConfigurationFile;
  /** Where each device was before the first procedure. */
  private readonly began = new Map<FleetDevice, Mark>();

  private constructor(
    private readonly options: RehearsalOptions,
    private readonly folder: string,
    private readonly sandbox: RunningSandbox,
    private readonly removeFolder: () => void,
  ) {
    this.findings = options.findings;
    this.observer = new Observer(sandbox.sandbox);
    this.wire = new Wire(() => sandbox.endpoints());
    this.pki = new Pki(folder);
    this.aviary = new Aviary(this.observer, this.wire);
    this.files = new DeviceFiles(join(folder, "devices"));
    this.engine = new Engine({
      program: options.program,
      folder,
      environment: this.environment,
      line: (line) => this.telling.engine(line),
    });
    this.configuration = new ConfigurationFile(this.engine.configurationFile, PROJECT);
  }

  static async begin(options: RehearsalOptions): Promise<Rehearsal> {
    const folder = mkdtempSync(join(tmpdir(), "dps-rehearsal-"));
    const removeFolder = (): void => {
      process.off("exit", removeFolder);
      rmSync(folder, { recursive: true, force: true });
    };
    // For an exit that nobody saw coming.
    process.on("exit", removeFolder);
    let sandbox: RunningSandbox | undefined;
    try {
      options.telling.part("Start a sandbox");
      sandbox = await startSandbox({
        dir: join(folder, "sandbox"),
        // Days pass in minutes, so the limits are as much nearer together.
        throttle: { scale: 60 },
        switches: options.setting.switches ?? {},
      });
      options.signal?.throwIfAborted();
      const rehearsal = new Rehearsal(options, folder, sandbox, removeFolder);
      options.signal?.addEventListener("abort", () => rehearsal.interrupt(), { once: true });
      return rehearsal;
    } catch (error) {
      await sandbox?.close();
      removeFolder();
      throw error;
    }
  }

  get telling(): Telling {
    return this.options.telling;
  }

  /** Members of one enrollment: "individual", or the ID of a group. */
  members(enrollment: string): FleetDevice[] {
    return this.options.setting.members
      .filter((member) => member.enrollment === enrollment)
      .map(({ registrationId }) => this.devices.get(registrationId)!);
  }

  /** The first `up`, and the devices on top of it; what is taken over has its devices before. */
  async deploy(): Promise<void> {
    const { members, declare, adopted = false } = this.options.setting;
    const sections = await declare?.(this.pki, members);
    const takesOver = adopted && sections !== undefined;
    await this.engine.create(takesOver ? adopting(sections) : sections);
    this.configuration.change([WITH_CANARIES]);
    if (takesOver) {
      await this.takeOver(sections);
    } else {
      this.telling.part(`pulumi up: ${sections === undefined ? "the dev stack" : "the first one"}`);
      await this.engine.up();
      await this.startMembers(await this.outputs());
    }
    const [settled] = await Promise.all([this.engine.isSettled(), this.allWork()]);
    for (const device of this.devices.values()) {
      this.began.set(device, device.mark());
    }
    this.findings.addSettled("the first up", settled);
  }

  /** Made by hand, with devices that work; then the stack, which they do not notice. */
  private async takeOver(sections: Sections): Promise<void> {
    this.telling.part("Make service, hubs, CA certificates and entries by hand");
    await this.byHand({ do: "make", declared: named(sections) });
    const [service] = this.sandbox.endpoints().provisioningServices;
    const { idScope, serviceHostName } = service!;
    await this.startMembers({ idScope, provisioningHost: serviceHostName });
    await this.allWork();
    const marks = [...this.devices.values()].map((device) => ({ device, mark: device.mark() }));
    const began = this.observer.mark();
    this.telling.part("pulumi up: everything is taken over");
    await this.engine.up();
    const { moments } = this.observer.since(began);
    const disturbed = marks.filter(({ device, mark }) =>
      device.since(mark).some(({ event }) => event === "disconnected" || event === "refused"),
    );
    this.findings.add(
      "always",
      "what was made by hand is taken over without a write, and no device notices",
      moments.length === 0 && disturbed.length === 0,
      `${moments.length} writes; ${disturbed.length} of ${marks.length} devices disturbed`,
    );
  }

  private async startMembers(target: Target): Promise<void> {
    const { members } = this.options.setting;
    this.telling.part(`Start ${members.length} devices`);
    for (const member of members) {
      this.join(member, await firstIdentity(this, member), target);
    }
  }

  /** A device begins, with its first certificate. */
  join(spec: DeviceSpec, identity: Identity, target: Target): FleetDevice {
    const device = this.startDevice(spec, identity, target);
    this.devices.set(device.id, device);
    return device;
  }

  /** A device begins that is none of the stack's. */
  visit(spec: DeviceSpec, identity: Identity, target: Target): FleetDevice {
    const device = this.startDevice(spec, identity, target);
    this.guests.add(device);
    return device;
  }

  private startDevice(spec: DeviceSpec, identity: Identity, target: Target): FleetDevice {
    const device = new FleetDevice(spec, this.files);
    device.give(identity);
    device.start(this.options.program, target, this.environment, (from, event) =>
      this.telling.device(from.id, event),
    );
    return device;
  }

  /** Changes the configuration, says what, and updates the stack. Resolves to what Pulumi printed. */
  async change(what: string, edits: Edit[], options: ChangeOptions = {}): Promise<string> {
    this.telling.step(what);
    this.edit(edits);
    const shown = options.reviewed === undefined ? "" : await this.preview();
    await options.reviewed?.(shown);
    if (options.kill !== undefined) {
      await upKilled(this.engine, this, options.kill);
    }
    return shown + (await this.up());
  }

  /** `pulumi up`, of what the configuration says now. Resolves to what it printed. */
  async up(): Promise<string> {
    this.telling.step("pulumi up");
    return this.engine.up();
  }

  /** `pulumi preview`; resolves to what it says. */
  async preview(): Promise<string> {
    this.telling.step("pulumi preview");
    return this.engine.preview();
  }

  /**
   * A change that has to be refused. It is taken back.
   *
   * @returns what the preview said; undefined: it was not refused
   */
  async refused(what: string, edits: Edit[]): Promise<string | undefined> {
    this.telling.step(what);
    const before = this.configuration.text;
    this.edit(edits);
    try {
      await this.preview();
      return undefined;
    } catch (error) {
      if (error instanceof EngineError) {
        return error.message;
      }
      throw error;
    } finally {
      this.configuration.text = before;
      this.telling.step("The configuration is as it was before");
    }
  }

  /** A change whose `up` has to fail; the configuration stays. Resolves to what it said. */
  async fails(what: string, edits: Edit[]): Promise<string> {
    try {
      await this.change(what, edits);
    } catch (error) {
      if (error instanceof EngineError) {
        return error.printed;
      }
      throw error;
    }
    throw new Error(`${what}: pulumi up did not fail`);
  }

  /** Somebody does something beside the stack. */
  async byHand(deed: Deed): Promise<void> {
    await byHand(this.options.program, this.folder, this.environment, deed);
  }

  /** Is there nothing left to do? */
  async isSettled(): Promise<boolean> {
    this.telling.step("pulumi preview --expect-no-changes");
    return this.engine.isSettled();
  }

  /** What stands in the configuration. */
  configured(...path: Parameters<ConfigurationFile["get"]>): unknown {
    return this.configuration.get(...path);
  }

  /** What DPS and the hubs have of a device. */
  recordsOf(id: string): ReturnType<typeof recordsOf> {
    return recordsOf(this.sandbox.sandbox, id);
  }

  async outputs(): Promise<StackOutputs> {
    const outputs = await this.engine.outputs();
    for (const [name, pair] of Object.entries(outputs.devCertificates)) {
      const issuer = this.configured("certificates", name, "dev", "issuer");
      this.pki.learn(name, pair, issuer as string | undefined);
    }
    return outputs;
  }

  /** Every device works with the certificate that it has been given. */
  async allWork(): Promise<void> {
    await Promise.all([...this.devices.values()].map((device) => device.works()));
  }

  /** After a procedure: its canaries go, and the next one may begin. */
  async next(): Promise<void> {
    await this.aviary.leave((id) => this.configured("individualEnrollments", id) !== undefined);
  }

  /** After the last procedure: nothing left to do, no secret in clear, nothing left behind. */
  async conclude(): Promise<void> {
    this.telling.part("Conclude");
    const settled = await this.isSettled();
    this.findings.addSettled("the last up", settled);
    this.findings.addBystanders(this.began);
    this.telling.hush(true);
    await this.stopDevices();
    this.findings.addAll("always", [judgeSecrets(this.sandbox, this.engine, this.pki)]);
    const isAdopted = this.options.setting.adopted === true && "declare" in this.options.setting;
    const kept = isAdopted ? retaining(this.configuration.get("caCertificates")) : [];
    if (kept.length > 0) {
      this.telling.step("pulumi up: CA certificates of adopted groups stay as well");
      this.edit(kept);
      await this.engine.up();
    }
    this.telling.step("pulumi destroy");
    await this.engine.destroy();
    this.findings.addAll("always", [judgeRemains(this.sandbox.sandbox, isAdopted)]);
  }

  /** Ends everything, and removes the folder, unless a rule did not hold. May be called at any time. */
  async end(): Promise<void> {
    this.telling.hush(true);
    const ended = await Promise.allSettled([this.engine.stop(), this.stopDevices()]);
    this.observer.close();
    const isKept = this.findings.failures.length > 0 && this.options.signal?.aborted !== true;
    if (isKept) {
      keep(this.folder, this.sandbox, this.engine, this.devices.values());
      this.findings.kept.push(this.folder);
    }
    await this.sandbox.close();
    if (isKept) {
      process.off("exit", this.removeFolder);
    } else {
      this.removeFolder();
    }
    this.telling.hush(false);
    for (const one of ended) {
      if (one.status === "rejected") throw one.reason;
    }
  }

  private edit(edits: Edit[]): void {
    this.configuration.change(edits);
    edits.forEach((edit) => this.telling.edit(describe(edit)));
  }

  /** Makes whatever is waited for fail; `end` says what could not be ended. */
  private interrupt(): void {
    this.telling.hush(true);
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

  private async stopDevices(): Promise<void> {
    const all = [...this.devices.values(), ...this.guests];
    await Promise.all(all.map((device) => device.stop()));
  }
}
