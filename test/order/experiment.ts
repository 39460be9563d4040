/** Runs the experiment's program on the real engine against the stand-in, and kills it on demand. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PulumiRun, killTree, runPulumi } from "../support/pulumi";
import type { Declared } from "./program/declared";
import { type LoggedWrite, StandIn, type World } from "./stand-in";

const program = join(__dirname, "program");

/** A stack of the experiment with its stand-in; `fork` makes an independent copy of both. */
export class Experiment {
  private url = "";

  private constructor(
    private readonly folder: string,
    readonly standIn: StandIn,
  ) {}

  static async open(world: World, from?: Experiment): Promise<Experiment> {
    const folder = mkdtempSync(join(tmpdir(), "dps-order-"));
    if (from !== undefined) {
      cpSync(from.folder, folder, { recursive: true });
    }
    const experiment = new Experiment(folder, new StandIn(structuredClone(world)));
    experiment.url = await experiment.standIn.start();
    if (from === undefined) {
      await experiment.must(["stack", "init", "order"], undefined);
    }
    return experiment;
  }

  async fork(): Promise<Experiment> {
    return Experiment.open(this.standIn.world, this);
  }

  /** `pulumi up` of what is declared; killed after write number `killAfter`, when given. */
  async up(declared: Declared, killAfter?: number): Promise<LoggedWrite[]> {
    const first = this.standIn.log.length;
    if (killAfter === undefined) {
      await this.must(["up", "--yes", "--skip-preview", "--stack", "order"], declared);
    } else {
      await this.pulumi(
        ["up", "--yes", "--skip-preview", "--stack", "order"],
        declared,
        first + killAfter,
      );
      await this.must(["cancel", "--yes", "--stack", "order"], declared);
    }
    return this.standIn.log.slice(first);
  }

  /** `pulumi preview --expect-no-changes`. */
  async expectNoChanges(declared: Declared): Promise<void> {
    await this.must(["preview", "--expect-no-changes", "--stack", "order"], declared);
  }

  async close(): Promise<void> {
    await this.standIn.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async must(args: string[], declared: Declared | undefined): Promise<void> {
    const { exitCode, output } = await this.pulumi(args, declared);
    if (exitCode !== 0) {
      throw new Error(`pulumi ${args.join(" ")} ended with ${String(exitCode)}:\n${output}`);
    }
  }

  private async pulumi(
    args: string[],
    declared: Declared | undefined,
    killAt?: number,
  ): Promise<PulumiRun> {
    const configuration = ["stack", "cancel"].includes(args[0] ?? "")
      ? []
      : ["--config-file", join(this.folder, "Pulumi.order.yaml")];
    return runPulumi([...args, ...configuration], {
      cwd: program,
      environment: {
        PULUMI_BACKEND_URL: `file://${this.folder}`,
        PULUMI_CONFIG_PASSPHRASE: "experiment",
        ORDER_STAND_IN: this.url,
        ORDER_DECLARED: JSON.stringify(declared ?? {}),
      },
      started: (child) => {
        this.standIn.onWrite = ({ seq }) => {
          if (seq === killAt && child.pid !== undefined) {
            killTree(child.pid);
          }
        };
      },
    });
  }
}
