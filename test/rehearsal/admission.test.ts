import assert from "node:assert/strict";
import { admits, type Holder } from "../../rehearsal/admission";
import type { EntryView, Moment } from "../../rehearsal/moments";
import { DEFAULT_SWITCHES, type Switches } from "../../sandbox/common/switches";
import { type Issued, TestCa } from "../support/test-ca";

function individual(id: string, slots: Issued[], enabled = true): EntryView {
  return {
    kind: "individual",
    id,
    enabled,
    slots: slots.map(({ der }) => der),
    hasPrimary: slots.length > 0,
  };
}

function group(id: string, slots: (string | Buffer)[], enabled = true): EntryView {
  return { kind: "group", id, enabled, slots, hasPrimary: true };
}

function verified(name: string, ca: TestCa): Moment["caCertificates"][number] {
  return { name, der: ca.der, isVerified: true };
}

function moment(
  state: Partial<Pick<Moment, "entries" | "caCertificates">>,
  switches: Partial<Switches> = {},
): Moment {
  return {
    request: {
      seq: 1,
      time: "2030-01-01T00:00:00.000Z",
      service: "dps-service",
      instance: "dps-1",
      protocol: "https",
      method: "PUT",
      path: "/enrollments/any",
      status: 200,
    },
    entries: [],
    caCertificates: [],
    switches: { ...DEFAULT_SWITCHES, ...switches },
    ...state,
  };
}

const holder = (issued: Issued, registrationId: string): Holder => ({
  registrationId,
  chain: issued.chainPem,
});

describe("whom DPS admits, as a rehearsal reads its records", () => {
  let rootA: TestCa;
  let rootB: TestCa;
  let intermediate: TestCa;
  let old: Issued;
  let next: Issued;
  let underA: Issued;
  let underB: Issued;
  let underIntermediate: Issued;

  before(async () => {
    rootA = await TestCa.root("Root A");
    rootB = await TestCa.root("Root B");
    intermediate = await rootA.intermediate("Intermediate");
    old = await TestCa.selfSigned("device-1");
    next = await TestCa.selfSigned("device-1");
    underA = await rootA.leaf("sensor-1");
    underB = await rootB.leaf("sensor-1");
    underIntermediate = await intermediate.leaf("gateway-1");
  });

  describe("an individual enrollment", () => {
    it("takes a leaf that stands in a slot of an enabled one", () => {
      const entries = [individual("Device-1", [next, old])];
      assert.equal(admits(moment({ entries }), holder(old, "device-1")), true);
    });

    it("refuses another leaf, and every leaf of a disabled one", () => {
      const other = moment({ entries: [individual("device-1", [next])] });
      const disabled = moment({ entries: [individual("device-1", [old], false)] });
      assert.equal(admits(other, holder(old, "device-1")), false);
      assert.equal(admits(disabled, holder(old, "device-1")), false);
    });

    it("shadows the group that would admit the leaf", () => {
      const entries = [individual("sensor-1", [next]), group("sensors", ["root-a"])];
      const state = moment({ entries, caCertificates: [verified("root-a", rootA)] });
      assert.equal(admits(state, holder(underA, "sensor-1")), false);
    });

    it("denies by its ID or by its certificate, as the switch says", () => {
      const caCertificates = [verified("root-a", rootA)];
      const without = [individual("sensor-1", [], false), group("sensors", ["root-a"])];
      const withLeaf = [individual("sensor-1", [underA], false), group("sensors", ["root-a"])];
      const leaf = holder(underA, "sensor-1");
      const byCertificate = { disabledIndividualDenies: "certificate" } as const;
      assert.equal(admits(moment({ entries: without, caCertificates }), leaf), false);
      assert.equal(admits(moment({ entries: without, caCertificates }, byCertificate), leaf), true);
      assert.equal(
        admits(moment({ entries: withLeaf, caCertificates }, byCertificate), leaf),
        false,
      );
    });
  });

  describe("an enrollment group", () => {
    it("takes a leaf below a verified CA that it names", () => {
      const caCertificates = [verified("root-a", rootA), verified("root-b", rootB)];
      const entries = [group("sensors", ["ROOT-A"])];
      const state = moment({ entries, caCertificates });
      assert.equal(admits(state, holder(underA, "sensor-1")), true);
      assert.equal(admits(state, holder(underB, "sensor-1")), false);
    });

    it("refuses a leaf below a CA that is not verified or not there, and when it is disabled", () => {
      const unverified = { ...verified("root-a", rootA), isVerified: false };
      const entries = [group("sensors", ["root-a"])];
      const disabled = [group("sensors", ["root-a"], false)];
      const caCertificates = [verified("root-a", rootA)];
      const leaf = holder(underA, "sensor-1");
      assert.equal(admits(moment({ entries, caCertificates: [unverified] }), leaf), false);
      assert.equal(admits(moment({ entries: disabled, caCertificates }), leaf), false);
      assert.equal(admits(moment({ entries }), leaf), false);
    });

    it("takes a chain to its signing certificate only below a verified CA", () => {
      const leaf = holder(underIntermediate, "gateway-1");
      const entries = [group("gateways", [intermediate.der])];
      const below = moment({ entries, caCertificates: [verified("root-a", rootA)] });
      const elsewhere = moment({ entries, caCertificates: [verified("root-b", rootB)] });
      assert.equal(admits(below, leaf), true);
      assert.equal(admits(elsewhere, leaf), false);
    });

    it("refuses a chain in which an intermediate is missing", async () => {
      const lower = await intermediate.intermediate("Lower");
      const { chainPem } = await lower.leaf("gateway-2");
      const [leaf, , upper] =
        chainPem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n?/g) ?? [];
      const state = moment({
        entries: [group("all", ["root-a"])],
        caCertificates: [verified("root-a", rootA)],
      });
      const whole: Holder = { registrationId: "gateway-2", chain: chainPem };
      assert.equal(admits(state, whole), true);
      assert.equal(admits(state, { ...whole, chain: `${leaf}${upper}` }), false);
    });

    it("decides by the first certificate from the leaf upwards, unless any disabled group denies", () => {
      const caCertificates = [verified("root-a", rootA)];
      const leaf = holder(underIntermediate, "gateway-1");
      const lowerShut = [group("all", ["root-a"]), group("denied", [intermediate.der], false)];
      const upperShut = [group("all", ["root-a"], false), group("gateways", [intermediate.der])];
      const anywhere = { disabledGroupDenies: "anywhere" } as const;
      assert.equal(admits(moment({ entries: lowerShut, caCertificates }), leaf), false);
      assert.equal(admits(moment({ entries: upperShut, caCertificates }), leaf), true);
      assert.equal(admits(moment({ entries: upperShut, caCertificates }, anywhere), leaf), false);
    });

    it("that is disabled decides over another one with the same certificate, unless the switch says otherwise", () => {
      const state = {
        entries: [
          group("gateways", [intermediate.der]),
          group("denied", [intermediate.der], false),
        ],
        caCertificates: [verified("root-a", rootA)],
      };
      const leaf = holder(underIntermediate, "gateway-1");
      assert.equal(admits(moment(state), leaf), false);
      assert.equal(admits(moment(state, { groupsWithOneCertificate: "enabled" }), leaf), true);
    });
  });
});
