/** The settings of the switches, and how they are read from a command line. */
import { SWITCHES, type SwitchDefinition } from "./switch-table";

type ValueOf<D extends SwitchDefinition> = D["values"] extends readonly (infer V)[] ? V : number;

/** A value for every switch of the table. */
export type Switches = { readonly [N in keyof typeof SWITCHES]: ValueOf<(typeof SWITCHES)[N]> };

export const DEFAULT_SWITCHES = Object.fromEntries(
  Object.entries(SWITCHES).map(([name, { default: value }]) => [name, value]),
) as Switches;

/** A sentence for the person at the terminal. */
export class SwitchError extends Error {
  override name = "SwitchError";
}

/** Reads `NAME=VALUE`, once each. Throws `SwitchError` for a name or a value that is not in the table. */
export function readSwitches(settings: string[]): Partial<Switches> {
  const read = new Map<string, unknown>();
  for (const setting of settings) {
    const [name = "", ...value] = setting.split("=");
    if (value.length === 0) {
      throw new SwitchError(`--switch ${setting}: write it as NAME=VALUE.`);
    }
    if (!Object.hasOwn(SWITCHES, name)) {
      throw new SwitchError(
        `There is no switch "${name}"; they are: ${Object.keys(SWITCHES).join(", ")}.`,
      );
    }
    if (read.has(name)) {
      throw new SwitchError(`The switch ${name} is set twice.`);
    }
    read.set(name, readValue(name, value.join("=")));
  }
  return Object.fromEntries(read);
}

function readValue(name: string, text: string): unknown {
  const { values }: SwitchDefinition = SWITCHES[name as keyof Switches];
  const found =
    values === "whole number"
      ? /^\d{1,6}$/.test(text)
        ? Number(text)
        : undefined
      : values.find((value) => String(value) === text);
  if (found === undefined) {
    throw new SwitchError(
      `The switch ${name} cannot be "${text}": it takes ${describeValues(values)}.`,
    );
  }
  return found;
}

function describeValues(values: SwitchDefinition["values"]): string {
  return values === "whole number" ? "a whole number from 0" : values.join(" or ");
}

/** All switches in words, for a terminal. */
export function describeSwitches(): string {
  return Object.entries<SwitchDefinition>(SWITCHES)
    .map(
      ([name, { service, meaning, values, default: value, because }]) =>
        `${name}=${value}  (${service}; ${describeValues(values)})\n  ${meaning}\n  Not known: ${because}\n`,
    )
    .join("\n");
}

/** The same as a page of the reference. */
export function switchesPage(): string {
  const services = ["DPS", "IoT Hub", "ARM"] as const;
  const section = (service: string): string =>
    Object.entries<SwitchDefinition>(SWITCHES)
      .filter(([, one]) => one.service === service)
      .map(
        ([name, { meaning, values, default: value, because }]) =>
          `### \`${name}\`\n\n${meaning}\n\n- Values: ${describeValues(values)}\n- Default: \`${value}\`\n- Why it is a switch: ${because}\n`,
      )
      .join("\n");
  return [
    "# What is not known about Azure, as switches of the sandbox",
    "",
    "Set one with `npm run sandbox -- --switch NAME=VALUE` (as often as needed), or in a test with",
    "`startSandbox({ switches: { NAME: value } })`. `npm run -s sandbox -- switches` prints this list.",
    "",
    ...services.map((service) => `## ${service}\n\n${section(service)}`),
  ].join("\n");
}
