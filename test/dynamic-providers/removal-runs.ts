/** A removal as the engine runs it: journal, then removal, each with what it wrote before. */
import type { CompromisedKey } from "../../certificates/compromised-keys";
import { breachContainment } from "../../dynamic-providers/breach-containment/provider";
import type {
  RemovalScope,
  RemovalSettings,
} from "../../dynamic-providers/device-registration-removal/scope";
import {
  deviceRegistrationRemoval as removal,
  type DeviceRegistrationRemovalInputs,
  type DeviceRegistrationRemovalOutputs,
} from "../../dynamic-providers/device-registration-removal/provider";
import {
  deviceTwinJournal as journal,
  type DeviceTwinJournalOutputs,
} from "../../dynamic-providers/device-twin-journal/provider";
import type { Stage } from "./stage";

export const NOW: RemovalSettings = { how: "now", keep: "delete" };
export const WAVES = { sizes: [1, 2], returned: 100, waitSeconds: 0, pauseMinutes: 0 };

/** What is contained, and a removal of it. */
export async function containedScope(
  stage: Stage,
  key: CompromisedKey,
  caKeys: Record<string, string[]>,
): Promise<RemovalScope> {
  const { connection } = stage;
  const { outs } = await stage.listening(() =>
    breachContainment.create({ connection, compromised: [key], caKeys }),
  );
  stage.clock.advance(1000);
  return {
    connection,
    compromised: [key],
    caKeys,
    contained: outs.contained,
    remove: NOW,
    goodIssuers: [],
  };
}

/** What the removal is told of the journal. */
export function inputsFrom(outs: DeviceTwinJournalOutputs): DeviceRegistrationRemovalInputs {
  const { devices, waiting, held, ...scope } = outs;
  return { ...scope, journal: devices, waiting: waiting.length, held, restoreWaitSeconds: 0 };
}

/** Successive runs of `up`. */
export class RemovalRuns {
  journal: DeviceTwinJournalOutputs | undefined;
  removal: DeviceRegistrationRemovalOutputs | undefined;

  constructor(private readonly stage: Stage) {}

  /**
   * Journal and removal, each only when its `diff` says so. Tells which of them changed. Of a run that fails it
   * keeps the state, as the engine does.
   */
  async up(scope: RemovalScope): Promise<string[]> {
    const changed: string[] = [];
    await this.stage.listening(async () => {
      if (this.journal === undefined) {
        this.journal = (await journal.create(scope)).outs;
        changed.push("journal");
      } else if ((await journal.diff("journal", this.journal, scope)).changes) {
        this.journal = (await journal.update("journal", this.journal, scope)).outs;
        changed.push("journal");
      }
      const inputs = { ...inputsFrom(this.journal), ...scope };
      if (this.removal === undefined) {
        this.removal = (await this.kept(removal.create(inputs))).outs;
        changed.push("removal");
      } else if ((await removal.diff("removal", this.removal, inputs)).changes) {
        this.removal = (await this.kept(removal.update("removal", this.removal, inputs))).outs;
        changed.push("removal");
      }
    });
    return changed;
  }

  private async kept<T>(run: Promise<T>): Promise<T> {
    return run.catch((error: unknown) => {
      const { properties } = error as { properties?: DeviceRegistrationRemovalOutputs };
      this.removal = properties ?? this.removal;
      throw error;
    });
  }
}
