import assert from "node:assert/strict";
import { owedTo } from "../../clients/twin-merge";

describe("what a twin is owed of what was saved", () => {
  it("is a field that is missing, also one called as what every object inherits", () => {
    const saved = { tags: { constructor: "ACME", site: "north" }, desired: { valueOf: 3 } };
    const { due, newer } = owedTo({ tags: {}, desired: {} }, saved, []);
    assert.deepEqual(due, saved);
    assert.deepEqual(newer, []);
  });
});
