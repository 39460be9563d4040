import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import type * as stack from "../../components/stack";
import { BadFiles, MISTAKES, type RawConfiguration } from "./files";

const PROJECT = "dps-certificates";

describe("bad input, as the program answers it", () => {
  let files: BadFiles;
  let registered: string[];
  let readStack: () => unknown;

  before(async () => {
    files = await BadFiles.make();
    await pulumi.runtime.setMocks(
      {
        newResource: ({ type }) => {
          registered.push(type);
          throw new Error(`Nothing may be registered, but ${type} was.`);
        },
        call: ({ token }) => {
          throw new Error(`Nothing may be called, but ${token} was.`);
        },
      },
      PROJECT,
      "dev",
    );
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- only once the mocks are set
    readStack = (require("../../components/stack") as typeof stack).readStack;
  });

  after(() => {
    pulumi.runtime.setAllConfig({});
    files.remove();
  });

  beforeEach(() => {
    registered = [];
  });

  for (const { title, edit, message } of MISTAKES) {
    it(`refuses ${title}, says where and what to do, and registers nothing`, () => {
      const configuration = devConfiguration();
      edit(configuration, files);
      configure(configuration);
      assert.throws(
        () => readStack(),
        (error: Error) => {
          // What the engine prints without a stack trace.
          assert.ok(pulumi.RunError.isInstance(error), error.stack);
          assert.match(error.message, message);
          for (const line of files.keyLines) {
            assert.ok(!error.message.includes(line), "shows the private key");
          }
          return true;
        },
      );
      assert.deepEqual(registered, []);
    });
  }

  function configure(configuration: RawConfiguration): void {
    const entries = Object.entries(configuration).map(([key, value]) => [
      `${PROJECT}:${key}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    pulumi.runtime.setAllConfig(Object.fromEntries(entries) as Record<string, string>);
  }
});

/** The dev stack's configuration. */
function devConfiguration(): RawConfiguration {
  const file = readFileSync(join(__dirname, "../../Pulumi.dev.yaml"), "utf8");
  const { config } = parse(file) as { config: Record<string, unknown> };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.slice(PROJECT.length + 1), value]),
  ) as RawConfiguration;
}
