import assert from "node:assert/strict";
import { applyChanges, differences } from "../../../../sandbox/plugins/azure-native/diff";
import { diff } from "../../../../sandbox/plugins/azure-native/resources";
import { resourceType } from "../../../../sandbox/plugins/azure-native/table";
import { Secret, UNKNOWN, type Values } from "../../../../sandbox/plugins/azure-native/values";

const DPS = resourceType("azure-native:deviceprovisioningservices:IotDpsResource");

describe("differences between old and new inputs", () => {
  const rows: [string, Values, Values, string[]][] = [
    ["finds none in equal values", { a: [1, { b: "c" }] }, { a: [1, { b: "c" }] }, []],
    ["ignores secrecy", { a: new Secret("x") }, { a: "x" }, []],
    [
      "ignores how a location is spelt",
      { location: "West Europe" },
      { location: "westeurope" },
      [],
    ],
    ["ignores the plugin's own notes", { __createBeforeDelete: true }, {}, []],
    ["sees a changed value", { a: { b: 1 } }, { a: { b: 2 } }, ["update a.b"]],
    ["sees what is new and what is gone", { a: 1 }, { b: 1 }, ["delete a", "add b"]],
    ["takes an unknown value for a change", { a: { b: 1 } }, { a: { b: UNKNOWN } }, ["update a.b"]],
    ["goes into arrays", { a: [1, 2] }, { a: [1, 3, 4] }, ["update a[1]", "add a[2]"]],
    ["quotes names that are no identifiers", { t: {} }, { t: { "a.b": "c" } }, ['add t["a.b"]']],
    ["takes another kind of value for a change", { a: [1] }, { a: "1" }, ["update a"]],
  ];
  for (const [title, olds, news, expected] of rows) {
    it(title, () => {
      const found = differences(olds, news).map(({ kind, path }) => `${kind} ${path}`);
      assert.deepEqual(found, expected);
    });
  }
});

describe("replacement", () => {
  const olds: Values = {
    provisioningServiceName: "n",
    resourceGroupName: "g",
    location: "westeurope",
    tags: { a: "b" },
  };
  const rows: [string, Values, string[]][] = [
    ["a name", { provisioningServiceName: "m" }, ["provisioningServiceName"]],
    ["a resource group", { resourceGroupName: "h" }, ["resourceGroupName"]],
    ["a location", { location: "northeurope" }, ["location"]],
    ["no tag", { tags: { a: "c" } }, []],
  ];
  for (const [title, change, replaces] of rows) {
    it(`is forced by ${title}`, () => {
      assert.deepEqual(diff(DPS, olds, { ...olds, ...change }).replaces, replaces);
    });
  }

  it("deletes first what has a name given by a person, and last what has a made-up one", () => {
    const news = { ...olds, location: "northeurope" };
    assert.equal(diff(DPS, olds, news).deleteBeforeReplace, true);
    const named = { ...olds, __createBeforeDelete: true };
    assert.equal(diff(DPS, named, news).deleteBeforeReplace, false);
  });
});

describe("changes made in Azure, brought into stored inputs", () => {
  const masked = { iotHubs: [{ connectionString: "key=****", location: "x" }], policy: "Hashed" };
  const stored: Values = {
    properties: { iotHubs: [{ connectionString: new Secret("key=abc"), location: "x" }] },
    tags: new Secret({ a: "b" }),
  };
  const before: Values = { properties: masked, tags: { a: "b" } };

  it("change nothing when nothing changed, and keep what is secret", () => {
    assert.deepEqual(applyChanges(stored, before, before), stored);
  });

  it("bring in a changed default, which then is no default any more", () => {
    const after = { ...before, properties: { ...masked, policy: "Static" } };
    assert.deepEqual(applyChanges(stored, before, after)["properties"], {
      ...(stored["properties"] as Values),
      policy: "Static",
    });
  });

  it("bring in changed, new and removed tags, still secret", () => {
    const after = { ...before, tags: { c: "d" } };
    assert.deepEqual(applyChanges(stored, before, after)["tags"], new Secret({ c: "d" }));
    const without = { properties: masked };
    assert.equal(applyChanges(stored, before, without)["tags"], undefined);
  });

  it("show a hub that somebody linked by hand", () => {
    const added = { connectionString: "other=****", location: "y" };
    const after = { ...before, properties: { ...masked, iotHubs: [...masked.iotHubs, added] } };
    const { iotHubs } = applyChanges(stored, before, after)["properties"] as { iotHubs: Values[] };
    assert.deepEqual(iotHubs[1], added);
    assert.deepEqual(iotHubs[0]?.["connectionString"], new Secret("key=abc"));
  });
});
