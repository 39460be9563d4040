/** `sandbox clock`: what time it is in the sandbox, and moving it. */
import { Argument, type Command } from "commander";
import { control, mustRunIn } from "../control/client";
import type { ClockState } from "../control/server";
import { SandboxError } from "../folder";
import { folderOf, withDir } from "./options";

const UNITS: Record<string, number> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

export function addClock(program: Command): void {
  const clock = withDir(
    program
      .command("clock")
      .description("print the sandbox's time, or move it; dates of certificates are judged by it"),
  ).addArgument(
    new Argument("[move]", 'by how much: +80d, -3h; units s, m, h, d, w; or "set <time>"'),
  );
  clock
    .addArgument(new Argument("[time]", "with set: ISO 8601, as 2027-01-31 or 2027-01-31T12:00Z"))
    // A move backwards begins like an option.
    .allowUnknownOption()
    .action(async (move: string | undefined, time: string | undefined) => {
      const running = mustRunIn(folderOf(clock));
      const state =
        move === undefined
          ? await control<ClockState>(running, "GET", "/clock")
          : await control<ClockState>(running, "PUT", "/clock", goalOf(move, time));
      process.stdout.write(`${describeClock(state)}\n`);
    });
}

/** By how much, or to which time, as the control port takes it. */
export function goalOf(move: string, time: string | undefined): { byMs: number } | { to: string } {
  if (move === "set") {
    const to = new Date(time ?? "");
    if (Number.isNaN(to.getTime())) {
      throw new SandboxError(
        `"${time ?? ""}" is not a time: write it as 2027-01-31 or 2027-01-31T12:00:00Z.`,
      );
    }
    return { to: to.toISOString() };
  }
  const [, sign, count, unit] = /^([+-])(\d+)([smhdw])$/.exec(move) ?? [];
  if (time !== undefined || sign === undefined || unit === undefined) {
    throw new SandboxError(
      `"${[move, time].filter(Boolean).join(" ")}" is no move of the clock: write +80d, -3h (units s, m, h, d, w), or set 2027-01-31.`,
    );
  }
  return { byMs: (sign === "-" ? -1 : 1) * Number(count) * UNITS[unit]! };
}

function describeClock({ now, offsetMs }: ClockState): string {
  const seconds = Math.round(offsetMs / 1000);
  if (seconds === 0) return `${now} (the machine's time)`;
  const parts = (["d", 86_400, "h", 3600, "m", 60, "s", 1] as const).reduce<string[]>(
    (found, unit, index, all) => {
      if (typeof unit !== "string") return found;
      const size = all[index + 1] as number;
      const above = index === 0 ? Infinity : (all[index - 1] as number);
      const count = Math.floor((Math.abs(seconds) % above) / size);
      return count === 0 ? found : [...found, `${count}${unit}`];
    },
    [],
  );
  return `${now} (${parts.join(" ")} ${seconds < 0 ? "behind" : "ahead of"} the machine's time)`;
}
