/** A stack's configuration file, changed as a person would: a few lines at a time. */
import { readFileSync, writeFileSync } from "node:fs";
import { type Document, parse, parseDocument, stringify } from "yaml";

/** Keys below `dps-certificates:`, e.g. `["individualEnrollments", "device-1", "secondary"]`. */
export type Path = [string, ...(string | number)[]];

export interface Edit {
  path: Path;
  /** Undefined: what is there is removed. */
  value: unknown;
}

/** Something is written at a place. */
export const set = (path: Path, value: unknown): Edit => ({ path, value });
/** What is at a place is removed. Throws, when applied, if nothing is there. */
export const remove = (...path: Path): Edit => ({ path, value: undefined });

/**
 * The text with the edits made; comments and all other lines stay.
 *
 * @param project namespace of the configuration's keys
 */
export function edited(text: string, project: string, edits: Edit[]): string {
  const document = parseDocument(text);
  for (const { path, value } of edits) {
    const keys = ["config", `${project}:${path[0]}`, ...path.slice(1)];
    if (value !== undefined) {
      const node = document.createNode(value, { flow: path.length > 1 });
      document.setIn(keys, node);
    } else if (document.hasIn(keys)) {
      document.deleteIn(keys);
    } else {
      throw new Error(`There is no ${words(path)} in the configuration.`);
    }
  }
  return String(document satisfies Document);
}

/** One line for each edit: `+ caCertificates.root-b: { certificate: root-b }`. */
export function describe({ path, value }: Edit): string {
  return value === undefined
    ? `- ${words(path)}`
    : `+ ${words(path)}: ${stringify(value, { collectionStyle: "flow", lineWidth: 0 }).trim()}`;
}

export class ConfigurationFile {
  constructor(
    private readonly file: string,
    private readonly project: string,
  ) {}

  /** All of it. */
  get text(): string {
    return readFileSync(this.file, "utf8");
  }

  set text(text: string) {
    writeFileSync(this.file, text);
  }

  change(edits: Edit[]): void {
    this.text = edited(this.text, this.project, edits);
  }

  /** What stands at a place; undefined: nothing. */
  get(...path: Path): unknown {
    const { config } = parse(this.text) as { config: unknown };
    const [section, ...keys] = path;
    return [`${this.project}:${section}`, ...keys].reduce<unknown>(
      (value, key) => (value as Record<string | number, unknown> | undefined)?.[key],
      config,
    );
  }
}

function words(path: Path): string {
  return path.join(".");
}
