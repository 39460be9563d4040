/** What a status says of a roll and of what ends, from what was read. */
import assert from "node:assert/strict";
import Ajv from "ajv";
import { windowOf } from "../../status/ending";
import schema from "../../status/status.schema.json";
import { told } from "../../status/telling";
import { summarize } from "../../certificates/summary";
import type { KnownCertificate } from "../../certificates/declared";
import type { Closed } from "../../status/evidence";
import { DAY_MS, heldCertificate, join, type Scene, scene, status } from "./scene";

describe("the status of a roll", () => {
  let here: Scene;
  beforeEach(async () => {
    here = await scene();
  });

  const fleet = (): void => {
    join(here, "s-1", "hub-a.test", here.old);
    join(here, "s-2", "hub-a.test", here.next);
    join(here, "s-3", "hub-b.test", here.next);
    join(here, "s-4", "hub-b.test");
  };

  it("counts devices on the old certificate, on the new one and not known, by entry and by hub", () => {
    fleet();
    const [sensors] = status(here).entries;
    assert.deepEqual(
      sensors?.slots.map(({ name, role, subject }) => [name, role, subject]),
      [
        ["primary", "old", "CN=Old root"],
        ["secondary", "new", "CN=Next root"],
      ],
    );
    assert.deepEqual(sensors.devices, { onRecord: 4, onOld: 1, onNew: 2, notKnown: 1 });
    assert.deepEqual(sensors.hubs, [
      { hub: "hub-a.test", onRecord: 2, onOld: 1, onNew: 1, notKnown: 0 },
      { hub: "hub-b.test", onRecord: 2, onOld: 0, onNew: 1, notKnown: 1 },
    ]);
    assert.deepEqual(sensors.atRisk, { onOld: ["s-1"], notKnown: ["s-4"] });
  });

  it("does not believe what devices report while a certificate of the entry is compromised", () => {
    fleet();
    const stolen = summarize(here.old.pem).sha256Thumbprint;
    const [sensors] = status(here, {
      isCompromised: ({ summary }) => summary.sha256Thumbprint === stolen,
    }).entries;
    assert.deepEqual(sensors?.devices, { onRecord: 4, onOld: 0, onNew: 0, notKnown: 4 });
  });

  it("does not believe them afterwards either, until they have registered after the cut-off", () => {
    fleet();
    // What was stolen is in no slot any more, so a thief's device claims to be below what is.
    join(here, "s-5", "hub-a.test", here.next);
    here.inventory.entries[0]!.slots.shift();
    const registered = {
      "s-1": "2026-11-20T10:00:00Z",
      "s-2": "2026-11-20T10:00:00Z",
      "s-3": "2026-11-20T12:00:01Z",
      "s-5": "2026-11-20T12:00:01Z",
    };
    for (const [id, lastRegistered] of Object.entries(registered)) {
      Object.assign(
        here.inventory.devices.find(({ deviceId }) => deviceId === id)!,
        {
          lastRegistered,
        },
      );
    }
    const cutOff = {
      key: "stolen",
      kind: "group" as const,
      id: "Sensors",
      cutOff: "2026-11-20T12:00:00Z",
    };
    const counts = (closed: { settling: string[] }[]) =>
      status(here, { closed: closed.map((each) => ({ ...cutOff, ...each })) }).entries[0]!.devices;
    assert.deepEqual(counts([]), { onRecord: 5, onOld: 0, onNew: 3, notKnown: 2 });
    // s-3 came after it; s-5 did so only by its record's time.
    assert.deepEqual(counts([{ settling: ["S-5"] }]), {
      onRecord: 5,
      onOld: 0,
      onNew: 1,
      notKnown: 4,
    });
    // Of the CA's own records nothing is taken away.
    const fact = here.inventory.facts.entries["group:sensors"]!.devices[1]!;
    fact.issuer = { ...fact.issuer!, by: "manifest" };
    assert.equal(counts([{ settling: ["S-5"] }]).onNew, 2);
  });

  it("does not believe them in a group above a stolen intermediate, until they come after that was shut out", async () => {
    fleet();
    const plant = (await here.next.intermediate("Plant")).pem;
    const { publicKeySha256: key, sha256Thumbprint: stolen } = summarize(plant);
    const known = [here.old.pem, here.next.pem, plant];
    const isCompromised = ({ summary }: KnownCertificate) => summary.sha256Thumbprint === stolen;
    const counts = (closed: Closed[]) =>
      status(here, { known, isCompromised, closed }).entries[0]!.devices;
    // Whoever has Plant's key makes a leaf that the root's group admits, and reports what he likes.
    assert.deepEqual(counts([]), { onRecord: 4, onOld: 0, onNew: 0, notKnown: 4 });
    const group = { kind: "group" as const, settling: [], cutOff: "2026-11-20T12:00:00Z" };
    here.inventory.devices[1]!.lastRegistered = "2026-11-20T12:00:01Z";
    here.inventory.devices[2]!.lastRegistered = "2026-11-20T11:59:59Z";
    const ofPlant = { ...group, id: "plant", key };
    assert.deepEqual(counts([ofPlant]), { onRecord: 4, onOld: 0, onNew: 1, notKnown: 3 });
    const ofAnother = { ...group, id: "other", key: "AB".repeat(32) };
    assert.equal(counts([ofAnother]).onNew, 0);
    assert.equal(counts([ofPlant, ofAnother]).onNew, 1);
  });

  it("knows nobody's issuer without certificates to recognise it by, and what DPS shows of a CA all the same", () => {
    fleet();
    const [sensors] = status(here, { known: [] }).entries;
    assert.equal(sensors?.devices.notKnown, 4);
    assert.equal(sensors.slots[0]?.subject, "CN=Old root");
    assert.equal(sensors.slots[0].sha256Thumbprint, null);
    const body = Buffer.from(here.old.pem).toString("base64");
    here.inventory.caCertificates[0]!.certificate = body;
    assert.equal(status(here, { known: [] }).entries[0]?.devices.onOld, 1);
  });

  it("leaves device names out on request, and says in the schema all that it says", () => {
    fleet();
    const without = status(here, { withoutNames: true });
    assert.equal(without.entries[0]?.atRisk, null);
    assert.ok(!JSON.stringify(without).includes("s-4"));
    const validate = new Ajv({ allowUnionTypes: true }).compile(schema);
    for (const each of [without, status(here)]) {
      assert.ok(validate(each), JSON.stringify(validate.errors));
    }
    const extra = { ...without, more: 1 };
    assert.ok(!validate(extra));
  });

  it("tells a person how far it is and who is behind", () => {
    fleet();
    const text = told(status(here));
    for (const line of [
      "Roll of group sensors: 50 % done. 4 devices on record: 2 on the new certificate, 1 on the old one, 1 not known.",
      "  hub-a.test: 1 on the new certificate, 1 on the old one, 0 not known",
      "  on the old one: s-1",
      "  not known: s-4",
      "  Retiring the old one puts 2 devices at risk.",
      "CA certificates of the service: 2 of 25.",
      "  old: verified, ends 2026-12-14 (in 19 days), used by group sensors",
      "Ends within 30 days:",
      "  group sensors, primary: 2026-12-14 (in 19 days), 2 devices on record depend on it, or may",
    ]) {
      assert.ok(text.split("\n").includes(line), `${line}\nis not in\n${text}`);
    }
  });

  it("counts individual enrollments in which nothing happens instead of listing them", async () => {
    const leaf = await here.next.leaf("truck-7", { notAfter: new Date("2028-01-01T00:00:00Z") });
    for (const id of ["truck-7", "truck-8"]) {
      here.inventory.entries.push({
        kind: "individual",
        id,
        key: `individual:${id}`,
        enabled: true,
        slots: [heldCertificate("primary", leaf)],
      });
    }
    assert.match(told(status(here)), /^2 more individual enrollments: one certificate each/m);
  });

  it("stays readable when very many individual enrollments roll: they are told as one", async () => {
    const old = await here.old.leaf("truck", { notAfter: new Date("2026-12-01T00:00:00Z") });
    const next = await here.next.leaf("truck", { notAfter: new Date("2028-01-01T00:00:00Z") });
    const slots = [heldCertificate("primary", old), heldCertificate("secondary", next)];
    for (let index = 0; index < 400; index += 1) {
      const id = `truck-${index}`;
      const key = `individual:${id}`;
      const leaf = summarize(index < 100 ? next.pem : old.pem).sha256Thumbprint;
      const device = { deviceId: id, hub: index % 2 === 0 ? "hub-a.test" : "hub-b.test", leaf };
      here.inventory.entries.push({ kind: "individual", id, key, enabled: true, slots });
      here.inventory.facts.entries[key] = {
        devices: [device],
        withSasKey: [],
        edge: [],
        children: [],
      };
    }
    const lines = told(status(here)).split("\n");
    assert.ok(lines.length < 150, `${lines.length} lines`);
    for (const line of [
      "Not in the table: 381 individual enrollments, 381 of them in a roll, with a certificate that ends soon, or with devices not known (--json has all).",
      "Roll of 400 individual enrollments: 25 % done. 400 devices on record: 100 on the new certificate, 300 on the old one, 0 not known.",
      "  hub-a.test: 50 on the new certificate, 150 on the old one, 0 not known",
      "  and 381 more, the next of them 2026-12-01",
    ]) {
      assert.ok(lines.includes(line), `${line}\nis not in\n${lines.join("\n")}`);
    }
  });
});

describe("what ends", () => {
  let here: Scene;
  beforeEach(async () => {
    here = await scene();
  });
  const ending = (more: Parameters<typeof status>[1] = {}) =>
    status(here, more).ending.map(
      ({ what, where, devices, urgency }) => `${what} ${where}: ${devices} ${urgency}`,
    );

  it("is due while a device depends on it, or may, and covered when every device has what lasts", () => {
    join(here, "s-2", "hub-a.test", here.next);
    assert.deepEqual(ending(), ["slot group sensors, primary: 0 covered"]);
    join(here, "s-4", "hub-a.test");
    assert.deepEqual(ending(), ["slot group sensors, primary: 1 due"]);
    assert.deepEqual(ending({ windowMs: 10 * DAY_MS }), []);
    here.inventory.entries[0]!.enabled = false;
    assert.deepEqual(
      ending().filter((each) => each.startsWith("slot")),
      [],
    );
  });

  it("is due when it is the only certificate, or when the other one ends as well", () => {
    here.inventory.entries[0]!.slots.pop();
    assert.deepEqual(ending(), ["slot group sensors, primary: 0 due"]);
    here.inventory.readAt = "2026-12-20T00:00:00Z";
    assert.deepEqual(ending(), ["slot group sensors, primary: 0 ended"]);
  });

  it("is a root above a group's certificate too, and nothing that is known to be used by nobody", async () => {
    const low = await here.old.intermediate("Low", { notAfter: new Date("2029-01-01T00:00:00Z") });
    here.inventory.entries[0]!.slots = [heldCertificate("primary", low)];
    const known = [here.old.pem, here.next.pem];
    assert.deepEqual(ending({ known: [...known, low.pem] }), ["ca CA certificate old: 0 due"]);
    assert.deepEqual(ending({ known }), ["ca CA certificate old: 0 due"]);
    here.inventory.entries[0]!.slots = [{ name: "primary", ca: "next" }];
    assert.deepEqual(ending({ known }), ["ca CA certificate old: 0 covered"]);
  });

  it("are leaves that devices report of themselves, in a window of their own", () => {
    here.inventory.entries[0]!.slots.shift();
    join(here, "s-1", "hub-a.test", here.next, "2026-11-30T00:00:00.000Z");
    join(here, "s-2", "hub-a.test", here.next, "2027-11-30T00:00:00.000Z");
    here.inventory.caCertificates.shift();
    assert.deepEqual(ending(), ["leaves group sensors: 1 due"]);
    assert.equal(status(here).entries[0]?.firstLeafEnds, "2026-11-30T00:00:00.000Z");
    assert.deepEqual(ending({ leavesWindowMs: DAY_MS }), []);
    here.inventory.devices[0]!.identities[0]!.thumbprints = ["CD".repeat(32)];
    assert.deepEqual(ending(), [], "a report about a leaf that the hub does not have");
  });

  it("is looked for in a time that is written as one", () => {
    assert.deepEqual(["12h", "30d", "2w", "0d"].map(windowOf), [
      DAY_MS / 2,
      30 * DAY_MS,
      14 * DAY_MS,
      0,
    ]);
    for (const wrong of ["", "30", "d", "-1d", "1.5d", "30 d", "1y", "999999d"]) {
      assert.equal(windowOf(wrong), undefined, wrong);
    }
  });
});
