import assert from "node:assert/strict";
import { DeviceFiles, type Identity } from "../../rehearsal/factory";
import { type DeviceEvent, FleetDevice } from "../../rehearsal/fleet";

const BEGAN = Date.parse("2030-01-01T00:00:00Z");

describe("what a rehearsal counts of a device", () => {
  const identity: Identity = { chain: "", key: "", thumbprint: "AA", expires: "" };

  function lived(...events: [number, DeviceEvent["event"], ("dps" | "hub")?][]): FleetDevice {
    const device = new FleetDevice(
      { registrationId: "device-1", rollFirst: "register" },
      new DeviceFiles("unused"),
    );
    device.given.push({ time: new Date(BEGAN).toISOString(), identity });
    for (const [second, event, where] of events) {
      const time = new Date(BEGAN + second * 1000).toISOString();
      device.events.push({ time, event, ...(where && { where }) });
    }
    return device;
  }

  const mark = (at: number, second: number) => ({ at, time: BEGAN + second * 1000, identity });

  it("adds up the time between a lost connection and the next one", () => {
    const device = lived(
      [0, "connected"],
      [10, "disconnected"],
      [12, "connected"],
      [20, "disconnected"],
      [23.5, "connected"],
    );
    assert.equal(device.secondsWithoutConnection(mark(1, 5)), 5.5);
  });

  it("counts a connection that was lost before from the mark on", () => {
    const device = lived([0, "connected"], [10, "disconnected"], [15, "connected"]);
    assert.equal(device.secondsWithoutConnection(mark(2, 12)), 3);
  });

  it("does not count the time before the first connection", () => {
    const device = lived([5, "connected"]);
    assert.equal(device.secondsWithoutConnection(mark(0, 0)), 0);
  });

  it("counts refusals by place, after the mark only", () => {
    const device = lived(
      [0, "refused", "hub"],
      [1, "refused", "hub"],
      [2, "refused", "dps"],
      [3, "fault", "hub"],
    );
    assert.equal(device.refused("hub", mark(1, 1)), 1);
    assert.equal(device.refused("dps", mark(1, 1)), 1);
  });
});
