/** Reads out of the sandbox's source what it assumes about Azure: comments that say "not known". */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SWITCHES } from "../../sandbox/common/switch-table";
import { differencesPage, type Assumption } from "../../sandbox/differences";

const SANDBOX = join(__dirname, "../../sandbox");
const FOLDERS = ["arm", "dps-service", "dps-device", "iot-hub", "common", "plugins"];
const COMMENT = /\/\*\*[\s\S]*?\*\/|(?:^[ \t]*\/\/.*\n)+/gm;
const SAYS_SO = /\bnot known(?=[:;,)]| for | what |\.$)/i;

/** Of every file below the sandbox's services, in the order of their names. */
export function assumptionsInSource(): Assumption[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(SANDBOX, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && name !== "switch-table.ts")
      .sort()
      .flatMap((name) => {
        const file = `${folder}/${name}`;
        return assumptionsIn(readFileSync(join(SANDBOX, file), "utf8")).map((text) => ({
          file,
          text,
        }));
      }),
  );
}

/** What the comments of a text say that nobody knows, from that sentence on. */
export function assumptionsIn(source: string): string[] {
  return (source.match(COMMENT) ?? [])
    .map((comment) =>
      comment
        .replace(/^\s*(\/\*\*|\*\/|\*|\/\/)[ \t]?/gm, "")
        .replace(/\*\/\s*$/, "")
        .replace(/\s+/g, " ")
        .trim(),
    )
    .filter((text) => SAYS_SO.test(text))
    .map((text) => text.replace(/ @param .*$/, "").replace(/(^|[.)] )not known/g, "$1Not known"));
}

export function page(): string {
  const switches = Object.entries(SWITCHES).map(([name, { meaning }]) => [name, meaning] as const);
  return differencesPage(switches, assumptionsInSource());
}
