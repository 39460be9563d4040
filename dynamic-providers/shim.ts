import type { HandlerName } from "./handlers";

/**
 * The provider of a dynamic resource, as the engine keeps it in the state: JavaScript text with an
 * export `handler` (see `pulumi.dynamic.Resource`, which makes such a text by serialising an object). It
 * holds the name of a handler and nothing else. The code behind the name is loaded from the program's
 * packages when it runs, so that the state stays small, errors keep their message, and a change of the
 * handler's code is not a change of every resource. Written out, because serialising costs half a second
 * at each preview.
 *
 * It runs in the dynamic provider's process, plain Node with the program's folder as working directory.
 * The program may be this repository, or one that has this package installed.
 */
export function shimOf(name: HandlerName): string {
  return `exports.handler = () => {
  const { existsSync } = require("node:fs");
  const { join } = require("node:path");
  const here = join(process.cwd(), "dynamic-providers", "handlers.ts");
  const file = existsSync(here)
    ? here
    : require.resolve("pulumi-dps-certificates/dynamic-providers/handlers.ts", { paths: [process.cwd()] });
  return require("tsx/cjs/api").require(file, file).handlerOf(${JSON.stringify(name)});
};
`;
}
