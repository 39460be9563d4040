/** The small Pulumi schema of the plugin; `pulumi import` asks for it to write code. */
import { FUNCTIONS, functionShapes, RESOURCE_TYPES, resourceShapes, SHAPES } from "./table";
import type { ObjectShape, Shape } from "./shapes";

type TypeSpec = Record<string, unknown>;

/** A package specification, as JSON text, of what the table has. */
export function packageSchema(): string {
  const types: Record<string, TypeSpec> = {};
  const resources: Record<string, TypeSpec> = {};
  const functions: Record<string, TypeSpec> = {};
  for (const { token } of RESOURCE_TYPES) {
    const { inputs, outputs } = resourceShapes(token);
    resources[token] = {
      inputProperties: properties(inputs, `${token}Args`, types),
      requiredInputs: inputs.required,
      properties: properties(outputs, token, types),
      required: outputs.required,
    };
  }
  for (const { token } of FUNCTIONS) {
    const { inputs, outputs } = functionShapes(token);
    functions[token] = {
      inputs: object(inputs, `${token}Args`, types),
      outputs: object(outputs, `${token}Result`, types),
    };
  }
  return JSON.stringify({
    name: "azure-native",
    version: SHAPES.version,
    types,
    resources,
    functions,
  });
}

function object(shape: ObjectShape, owner: string, types: Record<string, TypeSpec>): TypeSpec {
  return { properties: properties(shape, owner, types), required: shape.required };
}

function properties(
  shape: ObjectShape,
  owner: string,
  types: Record<string, TypeSpec>,
): Record<string, TypeSpec> {
  return Object.fromEntries(
    Object.entries(shape.properties).map(([name, inner]) => {
      const nested = `${owner}${name[0]?.toUpperCase()}${name.slice(1)}`;
      return [name, typeSpec(inner, nested, types)];
    }),
  );
}

/** Objects have to be types of their own in a Pulumi schema; they are named after where they stand. */
function typeSpec(shape: Shape, name: string, types: Record<string, TypeSpec>): TypeSpec {
  switch (shape.type) {
    case "array":
      return { type: "array", items: typeSpec(shape.items, name, types) };
    case "map":
      return { type: "object", additionalProperties: typeSpec(shape.items, name, types) };
    case "object":
      types[name] = { type: "object", ...object(shape, name, types) };
      return { $ref: `#/types/${name}` };
    case "any":
      return { $ref: "pulumi.json#/Any" };
    case "string":
    case "number":
    case "boolean":
      return { type: shape.type };
  }
}
