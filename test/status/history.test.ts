/** Readings over time, metrics and the picture, as files. */
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as path } from "node:path";
import { timelineLines } from "../../plan/timeline";
import { HistoryError, type HistoryLine, record } from "../../status/history";
import { prometheusText, writePrometheus } from "../../status/prometheus";
import { told } from "../../status/telling";
import { timelineOf } from "../../status/timeline";
import { join, type Scene, scene, status } from "./scene";

describe("the files that a status writes", () => {
  let here: Scene;
  let folder: string;
  beforeEach(async () => {
    here = await scene();
    folder = mkdtempSync(path(tmpdir(), "status-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("a history, one line a reading, which shows a roll over time, and when its phases were seen", () => {
    const file = path(folder, "history.jsonl");
    const { inventory } = here;
    const both = inventory.entries[0]!.slots;
    const at = (readAt: string, slots = both) => {
      inventory.readAt = readAt;
      inventory.entries[0]!.slots = slots;
      return record(file, status(here));
    };
    join(here, "s-1", "hub-a.test", here.old);
    at("2026-11-20T20:00:00.000Z", both.slice(0, 1));
    record(file, { ...status(here), service: "another.test" });
    at("2026-11-21T20:00:00.000Z");
    join(here, "s-2", "hub-a.test", here.next);
    const readings = at("2026-11-22T20:00:00.000Z");
    assert.equal(readFileSync(file, "utf8").trim().split("\n").length, 4);
    const rows = readings.readAt.map((readAt, index) => {
      const { onOld, onNew } = readings.at("group:sensors", index)!;
      return [readAt.slice(0, 10), onOld, onNew];
    });
    assert.deepEqual(rows, [
      ["2026-11-20", 0, 1],
      ["2026-11-21", 1, 0],
      ["2026-11-22", 1, 1],
    ]);
    const said = told(status(here), readings);
    assert.match(said, /group sensors, read at.*\n.*\n.*2026-11-21 20:00 UTC +│ 1 +│ 0 /);
    assert.ok(!said.includes("2026-11-20 20:00"), "before the roll began");
    const retired = at("2026-11-23T20:00:00.000Z", both.slice(1));
    const events = timelineLines(timelineOf(status(here), { history: retired })).filter(
      ({ kind }) => kind === "event",
    );
    assert.deepEqual(
      events.map(({ words, note }) => `${note} ${words}`),
      ["2026-11-21 done: prepare", "2026-11-23 done: retire"],
    );
  });

  it("a picture in which what the stack remembers comes before what was seen to have changed", () => {
    const entry = "enrollmentGroups.sensors";
    const pastRolls = [
      { entry, procedure: "P8", phase: "prepare", at: "2026-10-03T08:00:00.000Z" },
      {
        entry: "enrollmentGroups.others",
        procedure: "P8",
        phase: "retire",
        at: "2026-10-04T08:00:00.000Z",
      },
    ] as const;
    const history = record(path(folder, "history.jsonl"), status(here));
    const done = timelineOf(status(here), { pastRolls, history }).entries.flatMap(({ events }) =>
      events.filter((each) => each.done),
    );
    assert.deepEqual(done, [{ at: "2026-10-03T08:00:00.000Z", words: "prepare (P8)", done: true }]);
  });

  it("a history that grows with what happens, not with how often somebody looks", () => {
    const file = path(folder, "history.jsonl");
    const lines = () => readFileSync(file, "utf8").trimEnd().split("\n");
    const at = (readAt: string) => {
      here.inventory.readAt = readAt;
      return record(file, status(here));
    };
    join(here, "s-1", "hub-a.test", here.old);
    for (let minute = 10; minute < 60; minute += 1) at(`2026-11-20T20:${minute}:00.000Z`);
    assert.equal(lines().length, 1);
    // Once a day it says that nothing has changed.
    at("2026-11-21T20:30:00.000Z");
    assert.deepEqual(JSON.parse(lines()[1]!), {
      version: 1,
      readAt: "2026-11-21T20:30:00.000Z",
      service: "dps.test",
      entries: [],
    });
    here.inventory.entries.push({ ...here.inventory.entries[0]!, id: "g-2", key: "group:g-2" });
    at("2026-11-21T20:40:00.000Z");
    assert.deepEqual(
      (JSON.parse(lines()[2]!) as HistoryLine).entries.map(({ key }) => key),
      ["group:g-2"],
    );
    here.inventory.entries.pop();
    const history = at("2026-11-21T20:50:00.000Z");
    assert.deepEqual((JSON.parse(lines()[3]!) as HistoryLine).gone, ["group:g-2"]);
    assert.deepEqual(
      [2, 3].map((reading) => history.at("group:g-2", reading)?.slots.length),
      [2, undefined],
    );
    assert.equal(history.at("group:sensors", 3)?.onOld, 1);
  });

  it("a history with a line that is none is left alone", () => {
    const file = path(folder, "history.jsonl");
    record(file, status(here));
    appendFileSync(file, '{"version":2}\n');
    const before = readFileSync(file, "utf8");
    assert.throws(
      () => record(file, status(here)),
      (error: Error) => {
        assert.ok(error instanceof HistoryError);
        assert.match(
          error.message,
          /history\.jsonl, line 2, is no reading of version 1\. Nothing was added/,
        );
        return true;
      },
    );
    assert.equal(readFileSync(file, "utf8"), before);
  });

  it("metrics in the text format, names of certificates included whatever they hold", () => {
    join(here, "s-1", "hub-a.test", here.old);
    here.inventory.caCertificates[0]!.subject = 'a"b\\c\nd';
    const text = prometheusText(status(here, { known: [] }));
    const lines = text.trimEnd().split("\n");
    const sample = /^[a-z_]+(\{([a-z0-9]+="([^"\\\n]|\\["\\n])*"(,|(?=\})))*\})? -?\d+(\.\d+)?$/;
    for (const line of lines) {
      assert.match(
        line,
        line.startsWith("#") ? /^# (HELP [a-z_]+ .+|TYPE [a-z_]+ gauge)$/ : sample,
      );
    }
    const types = lines.filter((line) => line.startsWith("# TYPE"));
    assert.equal(new Set(types).size, types.length);
    for (const expected of [
      'dps_enrollment_devices{service="dps.test",kind="group",entry="sensors",hub="hub-a.test",evidence="not_known"} 1',
      'dps_ca_certificates_free{service="dps.test"} 23',
      'dps_status_incomplete{service="dps.test"} 0',
    ]) {
      assert.ok(lines.includes(expected), text);
    }
    assert.match(
      text,
      /dps_certificate_not_after_timestamp_seconds\{.*slot="primary",role="old",subject="CN=a\\"b\\\\c\\\\u\{a\}d".*\} 1797206400/,
    );
    writePrometheus(path(folder, "dps.prom"), status(here, { known: [] }));
    assert.deepEqual(readdirSync(folder), ["dps.prom"]);
    assert.equal(readFileSync(path(folder, "dps.prom"), "utf8"), text);
  });
});
