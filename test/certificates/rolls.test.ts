/** Which procedure a change is, and its steps. */
import assert from "node:assert/strict";
import type { Declared } from "../../certificates/declared";
import { inferRoll } from "../../certificates/entry-roll";
import { judge } from "../../certificates/rules";
import { denialGroupId } from "../../certificates/denial-group";
import { summarize } from "../../certificates/summary";
import { breach, cast, device, DEVICE, group, SENSORS, type Cast } from "./cast";
import { NOW, rolls, shown, stepWords } from "./fixtures";

const enabled = "enabled" as const;

describe("a change", () => {
  let all: Cast;
  before(async () => {
    all = await cast();
  });

  describe("is recognised as", () => {
    const rows: [
      name: string,
      before: () => Declared | undefined,
      after: () => Declared,
      path: string,
      roll: string,
    ][] = [
      ["a new entry", () => undefined, () => device(all, "one"), DEVICE, "enroll enroll"],
      ["nothing", () => device(all, "one"), () => device(all, "one"), DEVICE, "none none"],
      [
        "P5, prepare",
        () => device(all, "one"),
        () => device(all, "one", "two"),
        DEVICE,
        "P5 prepare",
      ],
      [
        "P5, the other way round",
        () => device(all, undefined, "two"),
        () => device(all, "three", "two"),
        DEVICE,
        "P5 prepare",
      ],
      [
        "P5, activate",
        () => device(all, "one", "two"),
        () => device(all, "two", "one"),
        DEVICE,
        "P5 activate",
      ],
      [
        "P5, retire",
        () => device(all, "one", "two"),
        () => device(all, undefined, "two"),
        DEVICE,
        "P5 retire",
      ],
      [
        "P5, without an overlap",
        () => device(all, "one"),
        () => device(all, "two"),
        DEVICE,
        "P5 replace",
      ],
      [
        "P5, retire and prepare at once",
        () => device(all, "one", "two"),
        () => device(all, "three", "two"),
        DEVICE,
        "P5 prepare",
      ],
      [
        "P8, prepare",
        () => group(all, "ca", "root-a"),
        () => group(all, "ca", "root-a", "root-b"),
        SENSORS,
        "P8 prepare",
      ],
      [
        "P8, retire",
        () => group(all, "ca", "root-a", "root-b"),
        () => group(all, "ca", undefined, "root-b"),
        SENSORS,
        "P8 retire",
      ],
      [
        "P9, prepare",
        () => group(all, "certificate", "low"),
        () => group(all, "certificate", "low", "low2"),
        SENSORS,
        "P9 prepare",
      ],
      [
        "P9, retire",
        () => group(all, "certificate", "low", "low2"),
        () => group(all, "certificate", "low2"),
        SENSORS,
        "P9 retire",
      ],
      [
        "P4, replace",
        () => device(all, "one"),
        () => device(all, "three", undefined, breach("one")),
        DEVICE,
        "P4 replace",
      ],
      [
        "P4, contain",
        () => device(all, "one", "two"),
        () => device(all, undefined, "two", breach("one")),
        DEVICE,
        "P4 contain",
      ],
      [
        "P6, replace",
        () => group(all, "ca", "root-a"),
        () => group(all, "ca", "root-b", undefined, breach("root-a")),
        SENSORS,
        "P6 replace",
      ],
      [
        "P7, replace",
        () => group(all, "certificate", "low"),
        () => group(all, "certificate", "low2", undefined, breach("low")),
        SENSORS,
        "P7 replace",
      ],
      [
        "P12, a denial by registration ID",
        () => all.base,
        () => ({ ...all.base, denied: [{ registrationId: "device-1", reason: "stolen" }] }),
        DEVICE,
        "P12 deny",
      ],
      [
        "P12, a denial by a compromised leaf of a group",
        () => all.base,
        () => ({ ...all.base, ...breach("one") }),
        DEVICE,
        "P12 deny",
      ],
      [
        "P12, an entry with the new leaf that shadows the group",
        () => all.base,
        () => device(all, "three", undefined, breach("one")),
        DEVICE,
        "P12 replace",
      ],
      [
        "P12, unchanged",
        () => ({ ...all.base, ...breach("one") }),
        () => ({ ...all.base, ...breach("one") }),
        DEVICE,
        "P12 none",
      ],
      [
        "P12, a denial lifted",
        () => ({ ...all.base, denied: [{ registrationId: "device-1", reason: "stolen" }] }),
        () => all.base,
        DEVICE,
        "P12 readmit",
      ],
      [
        "nothing, the day after a P4",
        () => device(all, "three", undefined, breach("one")),
        () => device(all, "three", undefined, breach("one")),
        DEVICE,
        "none none",
      ],
      ["a removal", () => device(all, "one"), () => all.base, DEVICE, "none remove"],
      [
        "a removal that is a denial, because the leaf is compromised",
        () => device(all, "one"),
        () => ({ ...all.base, ...breach("one") }),
        DEVICE,
        "P12 deny",
      ],
      [
        "P6, a group taken away with its compromised root",
        () => group(all, "ca", "root-a"),
        () => ({
          ...all.base,
          ...breach("root-a"),
          caCertificates: { "root-b": { certificate: "root-b" } },
        }),
        SENSORS,
        "P6 contain",
      ],
      [
        "P11, a CA that no group refers to yet",
        () => undefined,
        () => all.base,
        "caCertificates.root-b",
        "P11 enroll",
      ],
      [
        "P3, a new leaf below a group's CA",
        () => {
          const before = group(all, "ca", "root-a");
          const { two, ...certificates } = before.certificates;
          assert.ok(two !== undefined);
          return { ...before, certificates };
        },
        () => group(all, "ca", "root-a"),
        "certificates.two",
        "P3 none",
      ],
    ];
    for (const [name, before, after, path, roll] of rows) {
      it(name, () => assert.equal(rolls(before(), after())[path], roll));
    }

    it("a disabling, in its own words", () => {
      const after = device(all, "one");
      after.individualEnrollments["device-1"] = {
        primary: { certificate: "one" },
        status: "disabled",
      };
      const [roll] = judge(device(all, "one"), after, NOW).rolls;
      assert.deepEqual(roll, {
        entry: DEVICE,
        kind: "individual",
        procedure: "none",
        phase: "disable",
        words: "individual enrollment `device-1`: disable",
        slots: [`primary: \`one\`: ${shown(all.one)}, unchanged`],
        steps: [
          {
            stage: "write",
            action: { do: "write", entry: DEVICE },
            words: "disable individual enrollment `device-1`",
          },
        ],
        back: "set the status to enabled",
      });
    });
  });

  it("says its steps in order: an expiration roll of a root, from overlap to retirement", () => {
    const prepare = judge(group(all, "ca", "root-a"), group(all, "ca", "root-a", "root-b"), NOW)
      .rolls[0];
    assert.equal(prepare?.words, "expiration roll of enrollment group `sensors`: prepare");
    assert.deepEqual(prepare === undefined ? [] : stepWords(prepare), [
      `have CA \`root-b\`: ${shown(all.rootB)} uploaded and verified`,
      `write enrollment group \`sensors\`: primary CA \`root-a\`: ${shown(all.rootA)}; secondary CA \`root-b\`: ${shown(all.rootB)}`,
      "devices register with either certificate until the old one is retired",
    ]);
    const without = { caCertificates: { "root-b": { certificate: "root-b" } } };
    const retire = judge(
      group(all, "ca", "root-a", "root-b"),
      group(all, "ca", undefined, "root-b", without),
      NOW,
    ).rolls[0];
    assert.deepEqual(retire === undefined ? [] : stepWords(retire), [
      `write enrollment group \`sensors\`: secondary CA \`root-b\`: ${shown(all.rootB)}`,
      `from then on enrollment group \`sensors\` no longer admits CA \`root-a\`: ${shown(all.rootA)}`,
      "delete CA certificate `root-a` from the service",
    ]);
  });

  it("says contain, replace, remove for a breach, and closes the way through a group higher up", () => {
    const after = group(all, "certificate", "low2", undefined, breach("low"));
    after.enrollmentGroups["all"] = { primary: { ca: "root-a" }, status: enabled };
    const [roll, denial, ...more] = judge(
      group(all, "certificate", "low"),
      after,
      NOW,
    ).rolls.filter(({ entry }) => entry !== "enrollmentGroups.all");
    assert.deepEqual(more, []);
    assert.equal(roll?.words, "breach roll of enrollment group `sensors`: replace");
    assert.deepEqual(roll === undefined ? [] : stepWords(roll), [
      `contain: disable enrollment group \`sensors\`, so that it no longer admits ${shown(all.lowA)}`,
      `replace: enrollment group \`sensors\`, enabled: primary ${shown(all.lowA2)}`,
      "remove: the registrations and hub identities that came in under it up to the cut-off",
    ]);
    const id = denialGroupId(summarize(all.lowA.pem));
    assert.equal(
      denial?.words,
      `denial of ${shown(all.lowA)}: a disabled enrollment group \`${id}\``,
    );
    assert.deepEqual(denial === undefined ? [] : stepWords(denial).slice(0, 1), [
      `contain: keep ${shown(all.lowA)} in a disabled enrollment group of its own \`${id}\`, because enrollment group \`all\` would admit its chain`,
    ]);
    assert.equal(denial?.steps[0]?.stage, "contain");
  });
});

describe("the roll of one entry by itself", () => {
  it("is found from summaries and compromised keys, and is nothing when nothing changes", async () => {
    const all = await cast();
    const side = (identity: string, pem: string) => ({
      primary: { identity, certificate: summarize(pem) },
      enabled: true,
    });
    const [one, three] = [side("1", all.one.pem), side("3", all.three.pem)];
    const key = one.primary.certificate.publicKeySha256;
    const change = { kind: "individual", id: "device-1", compromised: [] } as const;
    assert.equal(inferRoll({ ...change, before: one, after: one }), undefined);
    assert.deepEqual(inferRoll({ ...change, before: one, after: three, compromised: [key] }), {
      procedure: "P4",
      phase: "replace",
      words: "breach roll of individual enrollment `device-1`: replace",
    });
    const denied = { ...one, denied: "stolen" };
    assert.equal(inferRoll({ ...change, before: one, after: denied })?.phase, "deny");
    assert.equal(inferRoll({ ...change, before: denied, after: one })?.phase, "readmit");
    assert.equal(inferRoll({ ...change, before: denied, after: denied }), undefined);
  });
});
