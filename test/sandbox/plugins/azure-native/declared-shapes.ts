/**
 * Reads the shapes of resource types and functions from the type declarations of the installed
 * `@pulumi/azure-native`. Run as a program it rewrites `shapes.json`; a test compares that file with
 * what is declared, so that another version of the package cannot drift away unnoticed.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import {
  FUNCTIONS,
  RESOURCE_TYPES,
  type ShapesFile,
} from "../../../../sandbox/plugins/azure-native/table";
import type { ObjectShape, Shape } from "../../../../sandbox/plugins/azure-native/shapes";

/** The shapes of everything in the table, as the package declares them. */
export function readDeclaredShapes(): ShapesFile {
  const manifest = require.resolve("@pulumi/azure-native/package.json");
  const reader = new DeclarationReader(dirname(manifest));
  const result: ShapesFile = {
    version: (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version,
    resources: {},
    functions: {},
  };
  for (const { token } of RESOURCE_TYPES) {
    result.resources[token] = reader.resource(token);
  }
  for (const { token } of FUNCTIONS) {
    result.functions[token] = reader.function(token);
  }
  return result;
}

type Interfaces = Map<string, ts.InterfaceDeclaration>;

const KEYWORDS = new Map<ts.SyntaxKind, "string" | "number" | "boolean" | "any">([
  [ts.SyntaxKind.StringKeyword, "string"],
  [ts.SyntaxKind.NumberKeyword, "number"],
  [ts.SyntaxKind.BooleanKeyword, "boolean"],
  [ts.SyntaxKind.AnyKeyword, "any"],
]);

class DeclarationReader {
  private readonly nested: Record<string, Interfaces>;

  constructor(private readonly root: string) {
    this.nested = {
      inputs: this.namespaces("types/input.d.ts"),
      outputs: this.namespaces("types/output.d.ts"),
    };
  }

  resource(token: string): { inputs: ObjectShape; outputs: ObjectShape } {
    const [module, name] = partsOf(token);
    const file = this.parse(`${module}/${name[0]?.toLowerCase()}${name.slice(1)}.d.ts`);
    const args = this.declaration(file, `${name}Args`, ts.isInterfaceDeclaration);
    const type = this.declaration(file, name, ts.isClassDeclaration);
    return { inputs: this.object(args.members), outputs: this.object(type.members) };
  }

  function(token: string): { inputs: ObjectShape; outputs: ObjectShape } {
    const [module, name] = partsOf(token);
    const file = this.parse(`${module}/${name}.d.ts`);
    const base = `${name[0]?.toUpperCase()}${name.slice(1)}`;
    const args = file.statements.find(
      (node) => ts.isInterfaceDeclaration(node) && node.name.text === `${base}Args`,
    ) as ts.InterfaceDeclaration | undefined;
    const result = this.declaration(file, `${base}Result`, ts.isInterfaceDeclaration);
    return {
      inputs: this.object(args?.members ?? ([] as unknown as ts.NodeArray<ts.TypeElement>)),
      outputs: this.object(result.members),
    };
  }

  private declaration<T extends ts.InterfaceDeclaration | ts.ClassDeclaration>(
    file: ts.SourceFile,
    name: string,
    isKind: (node: ts.Node) => node is T,
  ): T {
    const found = file.statements.find(
      (node): node is T & ts.Statement => isKind(node) && node.name?.text === name,
    );
    if (found === undefined) {
      throw new Error(`${file.fileName} does not declare ${name}`);
    }
    return found;
  }

  private object(members: ts.NodeArray<ts.TypeElement | ts.ClassElement>): ObjectShape {
    const properties: Record<string, Shape> = {};
    const required: string[] = [];
    for (const member of members) {
      if (!ts.isPropertySignature(member) && !ts.isPropertyDeclaration(member)) {
        continue;
      }
      const name = (member.name as ts.Identifier | ts.StringLiteral).text;
      if (member.type === undefined) {
        throw new Error(`${name} has no type`);
      }
      properties[name] = this.shape(member.type);
      if (member.questionToken === undefined && !this.mayBeUndefined(member.type)) {
        required.push(name);
      }
    }
    return { type: "object", properties, required };
  }

  /** `Output<string | undefined>`: the property is there, its value may not be. */
  private mayBeUndefined(node: ts.TypeNode): boolean {
    if (ts.isTypeReferenceNode(node)) {
      return (node.typeArguments ?? []).some((argument) => this.mayBeUndefined(argument));
    }
    return (
      ts.isUnionTypeNode(node) &&
      node.types.some((type) => type.kind === ts.SyntaxKind.UndefinedKeyword)
    );
  }

  private shape(node: ts.TypeNode): Shape {
    const keyword = KEYWORDS.get(node.kind);
    return keyword === undefined ? this.compound(node) : { type: keyword };
  }

  private compound(node: ts.TypeNode): Shape {
    if (ts.isUnionTypeNode(node)) {
      return this.union(node);
    }
    if (ts.isArrayTypeNode(node)) {
      return { type: "array", items: this.shape(node.elementType) };
    }
    if (ts.isTypeReferenceNode(node)) {
      return this.reference(node);
    }
    const index = ts.isTypeLiteralNode(node)
      ? node.members.find(ts.isIndexSignatureDeclaration)
      : undefined;
    if (index !== undefined) {
      return { type: "map", items: this.shape(index.type) };
    }
    throw new Error(`cannot read the type ${node.getText()}`);
  }

  private union(node: ts.UnionTypeNode): Shape {
    const shapes = node.types
      .filter((type) => type.kind !== ts.SyntaxKind.UndefinedKeyword)
      .map((type) => this.shape(type));
    const kinds = new Set(shapes.map((shape) => JSON.stringify(shape)));
    if (kinds.size !== 1 || shapes[0] === undefined) {
      throw new Error(`cannot read the union ${node.getText()}`);
    }
    return shapes[0];
  }

  private reference(node: ts.TypeReferenceNode): Shape {
    const name = node.typeName.getText();
    const argument = node.typeArguments?.[0];
    if ((name === "pulumi.Input" || name === "pulumi.Output") && argument !== undefined) {
      return this.shape(argument);
    }
    const [space, ...path] = name.split(".");
    if (space === "enums") {
      // Every enumeration of these modules is one of strings.
      return { type: "string" };
    }
    const found = this.nested[space ?? ""]?.get(path.join("."));
    if (found === undefined) {
      throw new Error(`cannot find the type ${name}`);
    }
    return this.object(found.members);
  }

  /** Interfaces of a file of namespaces, by "namespace.Name". */
  private namespaces(path: string): Interfaces {
    const result: Interfaces = new Map();
    const collect = (node: ts.Statement, prefix: string): void => {
      if (ts.isModuleDeclaration(node) && node.body !== undefined && ts.isModuleBlock(node.body)) {
        node.body.statements.forEach((inner) => collect(inner, `${prefix}${node.name.text}.`));
      } else if (ts.isInterfaceDeclaration(node)) {
        result.set(`${prefix}${node.name.text}`, node);
      }
    };
    this.parse(path).statements.forEach((node) => collect(node, ""));
    return result;
  }

  private parse(path: string): ts.SourceFile {
    const file = join(this.root, path);
    return ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
  }
}

function partsOf(token: string): [string, string] {
  const [, module, name] = token.split(":");
  if (module === undefined || name === undefined) {
    throw new Error(`${token} is not a token`);
  }
  return [module, name];
}

async function rewriteShapes(): Promise<void> {
  const file = join(__dirname, "../../../../sandbox/plugins/azure-native/shapes.json");
  const { format, resolveConfig } = await import("prettier");
  const text = JSON.stringify(readDeclaredShapes());
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), parser: "json" }));
}

if (require.main === module) {
  void rewriteShapes();
}
