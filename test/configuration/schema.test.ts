import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import schema from "../../configuration/schema.json";

describe("the schema", () => {
  interface Node {
    type?: string;
    description?: string;
    default?: string | number | boolean | object;
    additionalProperties?: unknown;
    $ref?: string;
  }

  function visit(node: unknown, path: string, each: (node: Node, path: string) => void): void {
    if (typeof node !== "object" || node === null) return;
    each(node, path);
    for (const [name, child] of Object.entries(node)) visit(child, `${path}/${name}`, each);
  }

  it("describes every property and lets no object have others", () => {
    const definitions: Record<string, { description?: string }> = schema.definitions;
    visit(schema, "", (node, path) => {
      if (/\/(properties|definitions)\/[^/]+$/.test(path) || path.endsWith("/items")) {
        const target = (node.$ref ?? "").split("/").at(-1) ?? "";
        assert.ok(node.description ?? definitions[target]?.description, `${path} is not described`);
      }
      if (node.type === "object") {
        assert.ok("additionalProperties" in node, `${path} lets others in`);
        assert.notEqual(node.additionalProperties, true);
      }
    });
  });

  it("has the keys that Pulumi.yaml describes", () => {
    const project = readFileSync(join(__dirname, "../../Pulumi.yaml"), "utf8");
    const keys = [...project.matchAll(/^ {2}dps-certificates:(\w+):$/gm)].map(([, key]) => key);
    assert.deepEqual(keys, Object.keys(schema.properties));
  });

  it("says in words each default that it fills in", () => {
    const definitions: Record<string, { description?: string }> = schema.definitions;
    visit(schema, "", (node, path) => {
      if (node.default === undefined || typeof node.default === "object") return;
      const target = (node.$ref ?? "").split("/").at(-1) ?? "";
      const words = String(node.description ?? definitions[target]?.description);
      assert.ok(words.includes(`Default: ${String(node.default)}`), `${path}: ${words}`);
    });
  });
});
