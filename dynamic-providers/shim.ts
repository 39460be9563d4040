import type * as fs from "node:fs";
import type * as path from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import type { Handler } from "./handler";
import type { HandlerName } from "./handlers";

/**
 * The provider that the engine stores in the state of each dynamic resource. It holds the name of a
 * handler and nothing else: the code behind the name is loaded from the program's packages when it
 * runs, so that the state stays small, errors keep their message, and a change of the handler's code
 * is not a change of every resource.
 */
export function handledBy(name: HandlerName): pulumi.dynamic.ResourceProvider {
  const known = shims.get(name) ?? shimOf(name);
  shims.set(name, known);
  return known;
}

/** The engine's SDK serialises each provider object once, which takes a tenth of a second. */
const shims = new Map<HandlerName, pulumi.dynamic.ResourceProvider>();

function shimOf(name: HandlerName): pulumi.dynamic.ResourceProvider {
  return {
    check: async (olds, news) => load(name).check(olds as never, news as never),
    diff: async (id, olds, news) => load(name).diff(id, olds as never, news as never),
    create: async (inputs) => load(name).create(inputs as never),
    read: async (id, props) =>
      load(name).read(id, props as never) as Promise<pulumi.dynamic.ReadResult>,
    update: async (id, olds, news) => load(name).update(id, olds as never, news as never),
    delete: async (id, props) => load(name).delete(id, props as never),
  };
}

/**
 * Runs in the dynamic provider's process, which is plain Node with the program's folder as working
 * directory. The program may be this repository, or one that has this package installed.
 */
function load(name: string): Handler {
  /* eslint-disable @typescript-eslint/no-require-imports -- serialised: nothing can be captured */
  const files = require("node:fs") as typeof fs;
  const paths = require("node:path") as typeof path;
  const tsx = require("tsx/cjs/api") as { require(this: void, id: string, from: string): unknown };
  /* eslint-enable */
  const here = paths.join(process.cwd(), "dynamic-providers", "handlers.ts");
  const file = files.existsSync(here)
    ? here
    : require.resolve("pulumi-dps-certificates/dynamic-providers/handlers.ts", {
        paths: [process.cwd()],
      });
  const { handlers } = tsx.require(file, file) as { handlers: Record<string, Handler> };
  const handler = handlers[name];
  if (handler === undefined) {
    throw new Error(
      `The state names the resource handler "${name}", which this version of pulumi-dps-certificates does not have. ` +
        "Use the version that wrote the state, or a later one.",
    );
  }
  return handler;
}
