import assert from "node:assert/strict";
import type { Holder } from "../../rehearsal/admission";
import {
  type BreachView,
  type Holding,
  judgeBreach,
  judgeExpiration,
} from "../../rehearsal/order-rules";
import { type EntryView, isWrite, type Moment, type Window } from "../../rehearsal/moments";
import type { LoggedRequest } from "../../sandbox/common/request-log";
import { DEFAULT_SWITCHES } from "../../sandbox/common/switches";
import { type Issued, TestCa } from "../support/test-ca";

const BEGAN = "2030-01-01T00:00:00.000Z";

/** A write, as `METHOD service path`. */
function write(seq: number, text: string): LoggedRequest {
  const [method = "", service = "", path = ""] = text.split(" ");
  return {
    seq,
    time: new Date(Date.parse(BEGAN) + seq * 1000).toISOString(),
    service: service as LoggedRequest["service"],
    instance: "dps-1",
    protocol: "https",
    method,
    path,
    status: 200,
  };
}

type State = Omit<Moment, "request" | "switches">;

/** What happened, one write after the other: the write, and the state after it. */
function window(before: State, ...steps: [string, State][]): Window {
  const moments = steps.map(([text, state], at) => ({
    request: write(at + 2, text),
    switches: DEFAULT_SWITCHES,
    ...state,
  }));
  return {
    began: BEGAN,
    before: {
      request: write(1, "PUT dps-service /enrollments/earlier"),
      switches: DEFAULT_SWITCHES,
      ...before,
    },
    moments,
    requests: moments.map(({ request }) => request),
  };
}

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

const rulesThatFailed = (rulings: { rule: string; held: boolean }[]): string[] =>
  rulings.filter(({ held }) => !held).map(({ rule }) => rule);

const CONTAIN = "contain first: the first writes close what admits the compromised key";
const REPLACE = "replace after that";
const REMOVE = "remove devices last";
const CLOSED = "nothing admits the compromised key from the cut-off on";
const DELETED = "CA certificate root-a is deleted only when no group names it";
const OVERLAP = "no device that worked is ever without a certificate that DPS accepts";

describe("order rules of a rehearsal", () => {
  let old: Issued;
  let next: Issued;

  before(async () => {
    old = await TestCa.selfSigned("device-1");
    next = await TestCa.selfSigned("device-1");
  });

  const holder = (issued: Issued): Holder => ({
    registrationId: "device-1",
    chain: issued.chainPem,
  });

  describe("breach", () => {
    const view = (): BreachView => ({
      entries: [{ kind: "individual", id: "device-1" }],
      closedBy: "disabling",
      compromised: [holder(old)],
      replacement: holder(next),
    });
    const open = (): State => ({ entries: [individual("device-1", [old])], caCertificates: [] });
    const closed = (): State => ({
      entries: [individual("device-1", [old], false)],
      caCertificates: [],
    });
    const replaced = (): State => ({
      entries: [individual("device-1", [next])],
      caCertificates: [],
    });
    const entry = "PUT dps-service /enrollments/device-1";
    const identity = "POST iot-hub /devices";
    const registration = "DELETE dps-service /registrations/device-1";

    it("accepts contain, replace, remove", () => {
      const seen = window(
        open(),
        [entry, closed()],
        [entry, replaced()],
        [identity, replaced()],
        [registration, replaced()],
      );
      assert.deepEqual(rulesThatFailed(judgeBreach(seen, view())), []);
    });

    it("does not accept a replacement in one write with the containment", () => {
      const seen = window(open(), [entry, replaced()], [identity, replaced()]);
      assert.deepEqual(rulesThatFailed(judgeBreach(seen, view())), [CONTAIN, REPLACE]);
    });

    it("waits until every group is closed, also when one disabled group decides for all", async () => {
      const root = await TestCa.root("Root");
      const leaf = await root.leaf("device-1");
      const ca = { name: "root-a", der: root.der, isVerified: true };
      const state = (first: boolean, second: boolean): State => ({
        entries: [group("first", ["root-a"], first), group("second", ["root-a"], second)],
        caCertificates: [ca],
      });
      const shared: BreachView = {
        entries: [
          { kind: "group", id: "first" },
          { kind: "group", id: "second" },
        ],
        closedBy: "disabling",
        compromised: [holder(leaf)],
        replacement: undefined,
      };
      const judge = (...steps: [string, State][]): string[] =>
        rulesThatFailed(judgeBreach(window(state(true, true), ...steps), shared));
      const first: [string, State] = [
        "PUT dps-service /enrollmentGroups/first",
        state(false, true),
      ];
      const second: [string, State] = [
        "PUT dps-service /enrollmentGroups/second",
        state(false, false),
      ];
      assert.deepEqual(judge(first, second, [registration, state(false, false)]), []);
      assert.deepEqual(judge(first, [registration, state(false, true)], second), [
        CONTAIN,
        "remove devices after the containment",
      ]);
      assert.deepEqual(judge(first, [registration, state(false, true)]), [
        CONTAIN,
        "remove devices after the containment",
      ]);
    });

    it("accepts a replacement that another entry admits all along, and no removal before the cut-off", async () => {
      const root = await TestCa.root("Root");
      const stolen = await root.intermediate("Stolen");
      const oldLeaf = await stolen.leaf("device-1");
      const nextLeaf = await root.leaf("device-1");
      const ca = { name: "root", der: root.der, isVerified: true };
      const state = (...denied: EntryView[]): State => ({
        entries: [group("all", ["root"]), ...denied],
        caCertificates: [ca],
      });
      const shut = state(group("denied", [stolen.der], false));
      const breach: BreachView = {
        ...view(),
        entries: [],
        denials: ["denied"],
        compromised: [holder(oldLeaf)],
        replacement: holder(nextLeaf),
      };
      const denial = "PUT dps-service /enrollmentGroups/denied";
      const ruled = (...steps: [string, State][]): string[] =>
        rulesThatFailed(judgeBreach(window(state(), ...steps), breach));
      assert.deepEqual(ruled([denial, shut], [identity, shut]), []);
      assert.deepEqual(ruled([identity, state()], [denial, shut]), [CONTAIN, REMOVE]);
    });

    it("does not accept another write before the containment", () => {
      const seen = window(
        open(),
        ["PUT arm /x/certificates/root-c", open()],
        [entry, closed()],
        [entry, replaced()],
        [identity, replaced()],
      );
      assert.deepEqual(rulesThatFailed(judgeBreach(seen, view())), [CONTAIN]);
    });

    it("does not accept a device that is removed before the replacement is in", () => {
      const seen = window(
        open(),
        [entry, closed()],
        [identity, closed()],
        [entry, replaced()],
        [registration, replaced()],
      );
      assert.deepEqual(rulesThatFailed(judgeBreach(seen, view())), [REMOVE]);
    });

    it("does not accept an entry that is opened again", () => {
      const seen = window(
        open(),
        [entry, closed()],
        [entry, replaced()],
        [identity, replaced()],
        [entry, open()],
        [entry, replaced()],
      );
      assert.deepEqual(rulesThatFailed(judgeBreach(seen, view())), [CLOSED]);
    });

    it("does not accept a registration that DPS admitted with the compromised leaf", () => {
      const seen = window(open(), [entry, closed()], [entry, replaced()], [identity, replaced()]);
      seen.requests.push({
        ...write(9, "PUT dps-device /scope/registrations/device-1/register"),
        status: 202,
        note: `individual device-1, leaf ${old.thumbprint}`,
      });
      assert.deepEqual(rulesThatFailed(judgeBreach(seen, view())), [CLOSED]);
    });

    it("does not accept that nothing was written", () => {
      assert.deepEqual(rulesThatFailed(judgeBreach(window(open()), view())), [
        CONTAIN,
        REPLACE,
        REMOVE,
        CLOSED,
      ]);
    });

    it("does not accept that a CA is deleted while a group names it", () => {
      const deletion = "DELETE arm /subscriptions/1/x/certificates/root-a";
      const named: State = { ...replaced(), entries: [group("sensors", ["root-a"], false)] };
      const early = window(named, [deletion, named]);
      const late = window(
        named,
        ["PUT dps-service /enrollmentGroups/sensors", replaced()],
        [deletion, replaced()],
      );
      const failed = (seen: Window): boolean =>
        rulesThatFailed(judgeBreach(seen, view())).includes(DELETED);
      assert.equal(failed(early), true);
      assert.equal(failed(late), false);
    });
  });

  describe("expiration", () => {
    const slots = "PUT dps-service /enrollments/device-1";
    const state = (...held: Issued[]): State => ({
      entries: [individual("device-1", held)],
      caCertificates: [],
    });
    /** The device has the old leaf, and from `second` of the window on the new one. */
    const changes = (second: number): Holding => ({
      device: "device-1",
      has: (time) =>
        Date.parse(time) < Date.parse(BEGAN) + second * 1000 ? [holder(old)] : [holder(next)],
    });

    it("accepts both certificates in the slots while the device changes", () => {
      const seen = window(state(old), [slots, state(old, next)], [slots, state(next)]);
      assert.deepEqual(rulesThatFailed(judgeExpiration(seen, [changes(2.5)])), []);
    });

    it("does not accept a certificate that goes before the device has the next one", () => {
      const seen = window(state(old), [slots, state(old, next)], [slots, state(next)]);
      const rulings = judgeExpiration(seen, [changes(60)]);
      assert.deepEqual(rulesThatFailed(rulings), [OVERLAP]);
      assert.equal(rulings[0]?.evidence, "device-1 after #3 PUT /enrollments/device-1");
    });

    it("does not accept a device that has its next certificate before DPS does", () => {
      const seen = window(state(old), [slots, state(old, next)], [slots, state(next)]);
      assert.deepEqual(rulesThatFailed(judgeExpiration(seen, [changes(0)])), [OVERLAP]);
    });

    it("does not pass when there was nothing to look at", () => {
      const nothing: Window = { began: BEGAN, before: undefined, moments: [], requests: [] };
      assert.deepEqual(rulesThatFailed(judgeExpiration(nothing, [changes(1)])), [OVERLAP]);
      assert.deepEqual(rulesThatFailed(judgeExpiration(window(state(old)), [])), [OVERLAP]);
    });
  });

  describe("what a write is", () => {
    const writes = [
      "PUT dps-service /enrollments/device-1",
      "DELETE dps-service /enrollmentGroups/sensors",
      "POST dps-service /enrollments/",
      "DELETE dps-service /registrations/device-1",
      "PUT arm /subscriptions/1/x/certificates/root-a",
      "POST arm /subscriptions/1/x/certificates/root-a/verify",
      "POST iot-hub /devices",
      "DELETE iot-hub /devices/device-1",
    ];
    const others = [
      "GET dps-service /enrollments/device-1",
      "POST dps-service /enrollments/query",
      "POST arm /subscriptions/1/x/certificates/root-a/generateVerificationCode",
      "PUT arm /subscriptions/1/resourceGroups/dps-dev",
      "POST iot-hub /devices/query",
      "PATCH iot-hub /twins/device-1",
      "PUT dps-device /scope/registrations/device-1/register",
      "PUBLISH iot-hub-device devices/device-1/messages/events/",
    ];
    for (const text of writes) {
      it(`counts ${text}`, () => assert.equal(isWrite(write(1, text)), true));
    }
    for (const text of others) {
      it(`leaves out ${text}`, () => assert.equal(isWrite(write(1, text)), false));
    }
    it("leaves out what was refused", () => {
      assert.equal(isWrite({ ...write(1, writes[0]!), status: 412 }), false);
    });
  });
});
