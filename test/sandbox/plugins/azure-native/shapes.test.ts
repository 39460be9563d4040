import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readDeclaredShapes } from "./declared-shapes";
import { packageSchema } from "../../../../sandbox/plugins/azure-native/schema";
import {
  bodyOf,
  faultsOf,
  inputsOf,
  outputsOf,
  previewOf,
} from "../../../../sandbox/plugins/azure-native/shapes";
import {
  FUNCTIONS,
  parsePath,
  RESOURCE_TYPES,
  resourceShapes,
  resourceType,
  SHAPES,
} from "../../../../sandbox/plugins/azure-native/table";
import { Secret, UNKNOWN, type Values } from "../../../../sandbox/plugins/azure-native/values";

const DPS = "azure-native:deviceprovisioningservices:IotDpsResource";
const CONNECTION = "HostName=h.example;SharedAccessKeyName=owner;SharedAccessKey=c2VjcmV0";
const MASKED = "HostName=h.example;SharedAccessKeyName=owner;SharedAccessKey=****";

describe("shapes of the stand-in azure-native plugin", () => {
  it("are those that the installed @pulumi/azure-native declares", () => {
    assert.deepEqual(
      SHAPES,
      readDeclaredShapes(),
      "run `npx tsx test/sandbox/plugins/azure-native/declared-shapes.ts` and look at what changed",
    );
  });

  it("name the API versions that the installed @pulumi/azure-native documents", () => {
    const root = dirname(require.resolve("@pulumi/azure-native/package.json"));
    for (const { token, apiVersion } of [...RESOURCE_TYPES, ...FUNCTIONS]) {
      const [, module = "", name = ""] = token.split(":");
      const file = join(root, module, `${name[0]?.toLowerCase()}${name.slice(1)}.d.ts`);
      const documented = /Uses Azure REST API version ([\w-]+)\./.exec(readFileSync(file, "utf8"));
      assert.equal(documented?.[1] ?? "", apiVersion, token);
    }
  });

  it("find every name of an ARM path among the declared inputs", () => {
    for (const type of RESOURCE_TYPES) {
      const { inputs } = resourceShapes(type.token);
      const id = type.path.replace(/\{(\w+)\}/g, "$1");
      for (const name of Object.keys(parsePath(type.path, id.toUpperCase()))) {
        assert.ok(name === "subscriptionId" || name in inputs.properties, `${type.token} ${name}`);
      }
    }
  });

  it("make a schema that names every type it refers to", () => {
    const schema = JSON.parse(packageSchema()) as { types: Record<string, unknown> };
    const references = [...JSON.stringify(schema).matchAll(/"#\/types\/([^"]+)"/g)];
    assert.ok(references.length > 0);
    for (const [, name] of references) {
      assert.ok(name !== undefined && name in schema.types, name);
    }
  });

  it("make a schema in which code is written into the modules that its types are in", () => {
    const schema = JSON.parse(packageSchema()) as {
      meta?: { moduleFormat?: string };
      resources: Record<string, unknown>;
    };
    // Pulumi's own default is the whole of the part between the colons.
    const format = new RegExp(`^${schema.meta?.moduleFormat ?? "(.*)"}$`);
    for (const [, module] of Object.keys(schema.resources).map((token) => token.split(":"))) {
      assert.equal(format.exec(module!)?.[1], module);
    }
  });

  it("refuse an unknown type by name", () => {
    assert.throws(
      () => resourceType("azure-native:storage:StorageAccount"),
      /does not know the resource type 'azure-native:storage:StorageAccount'; it knows resources:/,
    );
  });
});

describe("inputs against their shape", () => {
  const shape = resourceShapes(DPS).inputs;
  const good: Values = {
    resourceGroupName: "g",
    sku: { name: "S1", capacity: 1 },
    properties: { iotHubs: [{ connectionString: new Secret(CONNECTION), location: "westeurope" }] },
    tags: { a: "b" },
  };

  const rows: [string, Values, string[]][] = [
    ["has nothing to say about good inputs", {}, []],
    ["lets unknown values pass", { sku: UNKNOWN, properties: { iotHubs: UNKNOWN } }, []],
    [
      "looks into secrets",
      { sku: new Secret({ name: 1 }) },
      ["'sku.name' should be of type 'string' but got a number"],
    ],
    ["misses what is required", { sku: undefined }, ["missing required property 'sku'"]],
    [
      "misses what is required deep inside",
      { properties: { iotHubs: [{ location: "westeurope" }] } },
      ["missing required property 'properties.iotHubs[0].connectionString'"],
    ],
    [
      "tells an array from a string",
      { location: ["a"] },
      ["'location' should be of type 'string' but got an array"],
    ],
    [
      "tells a string from an object",
      { properties: "x" },
      ["'properties' should be of type 'object' but got a string"],
    ],
    [
      "tells an object from a string",
      { location: {} },
      ["'location' should be of type 'string' but got an object"],
    ],
    [
      "looks at every tag",
      { tags: { a: 1 } },
      ["'tags.a' should be of type 'string' but got a number"],
    ],
  ];
  for (const [title, change, reasons] of rows) {
    it(title, () => {
      const faults = faultsOf({ ...good, ...change }, shape, "");
      assert.deepEqual(
        faults.map(({ reason }) => reason),
        reasons,
      );
    });
  }
});

describe("values between ARM and the engine", () => {
  const { inputs, outputs } = resourceShapes(DPS);

  it("keep of an answer what is declared, and drop nulls", () => {
    const answer = {
      name: "n",
      etag: null,
      future: 1,
      properties: { idScope: "0ne1", secretSauce: 1 },
    };
    assert.deepEqual(outputsOf(answer, outputs), { name: "n", properties: { idScope: "0ne1" } });
  });

  it("cut outputs down to what inputs can say", () => {
    const live = {
      name: "n",
      location: "westeurope",
      properties: { idScope: "0ne1", allocationPolicy: "Hashed" },
      identity: { type: "UserAssigned", userAssignedIdentities: { "/id": { clientId: "c" } } },
    };
    assert.deepEqual(inputsOf(live, inputs), {
      location: "westeurope",
      properties: { allocationPolicy: "Hashed" },
      identity: { type: "UserAssigned", userAssignedIdentities: ["/id"] },
    });
  });

  it("send secrets in clear, identities as a map, and nothing undeclared", () => {
    const body = bodyOf(
      {
        properties: { iotHubs: [{ connectionString: new Secret(CONNECTION), location: "x" }] },
        identity: { type: "UserAssigned", userAssignedIdentities: ["/id"] },
        __createBeforeDelete: true,
      },
      inputs,
    );
    assert.deepEqual(body, {
      properties: { iotHubs: [{ connectionString: CONNECTION, location: "x" }] },
      identity: { type: "UserAssigned", userAssignedIdentities: { "/id": {} } },
    });
  });

  it("never send an unknown value", () => {
    assert.throws(
      () => bodyOf({ location: UNKNOWN }, inputs),
      /the value of 'location' is unknown/,
    );
  });

  it("preview inputs as they are, connection strings masked, the rest unknown", () => {
    const preview = previewOf(
      {
        location: "westeurope",
        properties: { iotHubs: [{ connectionString: new Secret(CONNECTION), location: "x" }] },
      },
      outputs,
    ) as { location: unknown; name: unknown; properties: { iotHubs: Values[]; idScope: unknown } };
    assert.equal(preview.location, "westeurope");
    assert.equal(preview.name, UNKNOWN);
    assert.equal(preview.properties.idScope, UNKNOWN);
    assert.equal(preview.properties.iotHubs[0]?.["connectionString"], MASKED);
  });

  it("preview other secrets as secrets", () => {
    const preview = previewOf({ tags: new Secret({ a: "b" }) }, outputs) as Values;
    assert.deepEqual(preview["tags"], new Secret({ a: "b" }));
  });
});
