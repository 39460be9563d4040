import assert from "node:assert/strict";
import { chunksOf, conditionOf } from "../../dynamic-providers/device-reprovisioning/by-job";

describe("jobs that tell devices to register again", () => {
  it("names as many devices in one condition as a query can hold", () => {
    const targets = Array.from({ length: 1000 }, (_, index) => ({
      registrationId: "",
      deviceId: `device-${"0".repeat(30)}-'${index}`,
      hub: "",
      registered: false,
    }));
    const chunks = chunksOf(targets);
    assert.deepEqual(chunks.flat(), targets);
    const sizes = chunks.map((chunk) => conditionOf(chunk.map(({ deviceId }) => deviceId)).length);
    assert.ok(Math.max(...sizes) <= 8000, String(sizes));
    assert.ok(Math.min(...sizes.slice(0, -1)) > 7900, String(sizes));
    assert.deepEqual(chunksOf([]), []);
  });
});
