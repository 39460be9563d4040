import assert from "node:assert/strict";
import { Telling } from "../../rehearsal/telling";

describe("what a rehearsal says of the engine and the devices", () => {
  /** The lines, without the time. */
  function told(tell: (telling: Telling) => void): string[] {
    const lines: string[] = [];
    tell(new Telling((line) => lines.push(line.replace(/^\s*[\d.]+\s+/, ""))));
    return lines;
  }

  /** What stands in the middle of everything else, for who does not want all of it. */
  function shown(tell: (telling: Telling) => void): string[] {
    const lines: string[] = [];
    tell(new Telling((line, isDetail) => void (isDetail || lines.push(line))));
    return lines.map((line) => line.replace(/^\s*[\d.]+\s+/, ""));
  }

  it("shows parts, steps, edits, what a change is called, what it came to, and what did not hold", () => {
    const lines = shown((telling) => {
      telling.part("P5");
      telling.step("Prepare");
      telling.edit("+ certificates.a");
      for (const line of [
        "    pulumi:pulumi:Stack dev running expiration roll of enrollment group `sensors`: prepare",
        "    pulumi:pulumi:Stack dev running   1. write enrollment group `sensors`",
        " ~  pulumi-nodejs:dynamic/dps:EnrollmentGroup sensors updated (0.79s)",
        "Resources:",
        "    + 3 created",
        "    ~ 4 updated",
        "    7 changes. 39 unchanged",
        "Resources:",
        "    46 unchanged",
      ]) {
        telling.engine(line);
      }
      telling.device("device-1", { time: "2030-01-01T00:00:00Z", event: "connected" });
      telling.rule("held: this", true);
      telling.rule("DID NOT HOLD: that", false);
    });
    assert.deepEqual(lines, [
      "",
      "== P5",
      "-- 1. Prepare",
      "+ certificates.a",
      "pulumi   expiration roll of enrollment group `sensors`: prepare",
      "pulumi   + 3 created, ~ 4 updated",
      "pulumi   46 unchanged",
      "DID NOT HOLD: that",
    ]);
  });

  const engine = (...lines: string[]): string[] =>
    told((telling) => lines.forEach((line) => telling.engine(line)));

  it("tells that a resource is done, and what about it has changed", () => {
    assert.deepEqual(
      engine(
        " ~  pulumi-nodejs:dynamic/dps:EnrollmentGroup sensors updating (0s) [diff: +secondary]",
        " ~  pulumi-nodejs:dynamic/dps:EnrollmentGroup sensors updated (0.79s) [diff: +secondary]",
        " +  azure-native:iothub:IotHubResource service-hub-1 created (0.08s) ",
        " -  pulumi-nodejs:dynamic/dps:CaCertificate root-a deleted (0.2s) ",
      ),
      [
        "pulumi ~ EnrollmentGroup sensors updated [diff: +secondary]",
        "pulumi + IotHubResource service-hub-1 created",
        "pulumi - CaCertificate root-a deleted",
      ],
    );
  });

  it("leaves out components, keys and certificates made in the stack, and progress", () => {
    assert.deepEqual(
      engine(
        " +  dps-certificates:index:EnrollmentGroup sensors created ",
        " +  tls:index:PrivateKey root-a created (0.1s) ",
        " +  pulumi:pulumi:Stack dps-certificates-dev created (12s) 9 messages",
        "@ updating....",
        "    pulumi:pulumi:Stack dps-certificates-dev  3 messages",
      ),
      [],
    );
  });

  it("tells what resources say, once", () => {
    const said = "breach roll of individual enrollment `device-2`: replace";
    assert.deepEqual(
      engine(
        `    pulumi:pulumi:Stack dps-certificates-dev running ${said}`,
        ` +  pulumi:pulumi:Stack dps-certificates-dev creating (4s)   1. contain`,
        "  pulumi:pulumi:Stack (dps-certificates-dev):",
        `    ${said}`,
      ),
      [`pulumi   ${said}`, "pulumi     1. contain"],
    );
  });

  it("tells a repeated refusal of a device once, and telemetry not at all", () => {
    const time = "2030-01-01T00:00:00Z";
    const refused = { time, event: "refused", where: "dps", reason: "401002" } as const;
    const lines = told((telling) => {
      telling.device("device-1", {
        time,
        event: "connected",
        hub: "hub-1.x",
        thumbprint: "AABBCCDDEE",
      });
      telling.device("device-1", { time, event: "telemetry" });
      telling.device("device-1", refused);
      telling.device("device-1", refused);
      telling.device("device-2", refused);
    });
    assert.deepEqual(lines, [
      "device-1   connected hub-1 with AABBCCDD…",
      "device-1   refused by DPS: 401002",
      "device-2   refused by DPS: 401002",
    ]);
  });

  it("says nothing of devices that it stops itself", () => {
    const time = "2030-01-01T00:00:00Z";
    const lines = told((telling) => {
      telling.hush(true);
      telling.device("device-1", { time, event: "disconnected", reason: "closed by the device" });
    });
    assert.deepEqual(lines, []);
  });
});
