/** One preview shows all that is wrong: what is declared, and what is live, together. */
import assert from "node:assert/strict";
import { IotHubClient } from "@azure/arm-iothub";
import type { Declared } from "../../certificates/declared";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import type { StackService } from "../../clients/service-lookup";
import {
  fleetJudgement,
  type FleetJudgementInputs,
} from "../../dynamic-providers/fleet-judgement/provider";
import { UNKNOWN } from "../../dynamic-providers/handler";
import {
  rotationManifest,
  type RotationManifestInputs,
} from "../../dynamic-providers/rotation-manifest/provider";
import { summarize } from "../../certificates/summary";
import { declared, shown } from "../certificates/fixtures";
import { type Issued, TestCa } from "../support/test-ca";
import { Stage } from "./stage";

const enabled = { status: "enabled" as const };

describe("all that is wrong with a change, in one preview", () => {
  let stage: Stage;
  let old: TestCa, next: TestCa, other: TestCa;
  let truck: Issued, lorry: Issued, van: Issued;

  before(async () => {
    stage = await Stage.open();
    old = await TestCa.root("Old root");
    next = await TestCa.root("Next root");
    other = await TestCa.root("Other root");
    truck = await TestCa.selfSigned("truck-7");
    lorry = await TestCa.selfSigned("lorry-1");
    van = await TestCa.selfSigned("van-1");
    const cas = new CaCertificatesClient(stage.connection);
    await cas.upload("old", old.pem, { selfAttested: true });
    await cas.upload("next", next.pem, { selfAttested: true });
    await cas.upload("taken", other.pem, { selfAttested: true });
    await stage.putGroup("plant", { primary: "old", secondary: "next" });
    await stage.register("sensor-1", await old.leaf("sensor-1"));
  });

  after(() => stage.close());

  const service = (more: Partial<StackService> = {}): StackService => {
    const { target, auth, subscriptionId, resourceGroup } = stage.connection;
    return { target, auth, subscriptionId, resourceGroup, name: "DPS", prefix: "", ...more };
  };

  function declaration(rest: Partial<Declared> = {}): Declared {
    return declared(
      { old, next, other, truck, lorry, van },
      {
        caCertificates: { old: { certificate: "old" }, next: { certificate: "next" } },
        enrollmentGroups: {
          plant: { ...enabled, primary: { ca: "old" }, secondary: { ca: "next" } },
        },
        ...rest,
      },
    );
  }

  const retired = { plant: { ...enabled, secondary: { ca: "next" } } };
  const bothEmpty = { individualEnrollments: { "truck-7": enabled } };

  async function manifest(
    before: Declared,
    after: Declared,
    more: Partial<RotationManifestInputs> = { service: service() },
  ): Promise<{ refused: string[]; said: string[] }> {
    stage.reset();
    const { failures } = await stage.listening(() =>
      rotationManifest.check(
        { declared: before, made: {} },
        { declared: after, made: {}, ...more },
      ),
    );
    return { refused: (failures ?? []).map(({ reason }) => reason), said: stage.said };
  }

  async function judgement(before: Declared, after: Declared): Promise<string[]> {
    stage.reset();
    const { connection } = stage;
    const inputs = (one: Declared): FleetJudgementInputs => ({
      declared: one,
      made: {},
      connection,
    });
    const { failures } = await stage.listening(() =>
      fleetJudgement.check(inputs(before), inputs(after)),
    );
    return (failures ?? []).map(({ reason }) => reason);
  }

  const codes = (messages: string[]): string[] =>
    messages.map((message) => message.split(":")[0] ?? "");

  it("has what the declaration refuses, what the fleet does, and what is in DPS already", async () => {
    await stage.putIndividual("lorry-1", truck.pem);
    await stage.putIndividual("van-1", truck.pem);
    const wrong = declaration({
      caCertificates: {
        old: { certificate: "old" },
        next: { certificate: "next" },
        taken: { certificate: "next" },
        missing: { certificate: "other", adopt: true },
      },
      enrollmentGroups: retired,
      individualEnrollments: {
        "truck-7": enabled,
        "lorry-1": { ...enabled, adopt: true, primary: { certificate: "lorry" } },
        "van-1": { ...enabled, primary: { certificate: "van" } },
        "van-2": { ...enabled, adopt: true },
      },
    });
    const { refused, said } = await manifest(declaration(), wrong);
    assert.deepEqual(codes(refused).sort(), [
      "DPS-CERT-040 at individualEnrollments.truck-7",
      "DPS-CERT-040 at individualEnrollments.van-2",
      "DPS-CERT-058 at enrollmentGroups.plant.primary.ca",
      "DPS-CERT-118 at caCertificates.missing.adopt",
      "DPS-CERT-125 at individualEnrollments.van-2.adopt",
      "DPS-CERT-126 at individualEnrollments.lorry-1.adopt",
      "DPS-CERT-129 at individualEnrollments.van-1",
      "DPS-CERT-160 at caCertificates.taken",
    ]);
    assert.match(
      said.join("\n"),
      /^enrollment group `plant`: 1 device on record: .*, 1 not known$/m,
    );
    assert.deepEqual(stage.writes, []);
  });

  it("has every adoption that is refused, also when nothing else is", async () => {
    const adopting = declaration({
      individualEnrollments: {
        "lorry-1": { ...enabled, adopt: true, primary: { certificate: "lorry" } },
        "van-1": { ...enabled, adopt: true, primary: { certificate: "van" } },
        "van-2": { ...enabled, adopt: true, primary: { certificate: "van" }, deviceId: "van" },
      },
    });
    assert.deepEqual((await manifest(declaration(), adopting)).refused.length > 0, true);
    const named = structuredClone(adopting);
    // A common name that differs would be refused by the manifest.
    delete named.individualEnrollments["van-2"];
    assert.deepEqual((await manifest(declaration(), named)).refused, []);
    assert.deepEqual(codes(await judgement(declaration(), named)), [
      "DPS-CERT-126 at individualEnrollments.lorry-1.adopt",
      "DPS-CERT-126 at individualEnrollments.van-1.adopt",
    ]);
    // They are looked at when they come, and not at each run.
    assert.deepEqual(await judgement(named, { ...named, longestOfflineHours: 1 }), []);
  });

  it("says that the live service was not looked at, and why", async () => {
    const after = declaration({ enrollmentGroups: retired, ...bothEmpty });
    for (const [more, why] of [
      [undefined, "it is not known yet where it is"],
      [{ subscriptionId: UNKNOWN }, "it is not known yet where it is"],
      [{ name: "gone" }, 'there is no DPS "gone" in resource group "rg"'],
      [{ resourceGroup: "elsewhere" }, 'there is no DPS "DPS" in resource group "elsewhere"'],
    ] as const) {
      const { refused, said } = await manifest(
        declaration(),
        after,
        more === undefined ? {} : { service: service(more) },
      );
      assert.deepEqual(codes(refused), ["DPS-CERT-040 at individualEnrollments.truck-7"]);
      assert.deepEqual(said, [
        `warning: DPS-CERT-069 at service: found facts that are not complete: nothing of the live service and its devices was looked at, because ${why}; fix: mend what is refused; a service that is there is looked at then`,
      ]);
    }
  });

  it("looks at nothing for a change that is refused and asks nothing", async () => {
    const before = declaration({
      individualEnrollments: { "truck-7": { status: "disabled" } },
    });
    const { refused, said } = await manifest(before, declaration(bothEmpty), {});
    assert.deepEqual(codes(refused), ["DPS-CERT-040 at individualEnrollments.truck-7"]);
    assert.deepEqual(said, []);
  });

  it("counts the devices of a hub before the service lets go of it", async () => {
    const hubs = (...names: string[]) =>
      declaration({ hubs: names.map((name) => ({ name, adopt: false })) });
    assert.deepEqual((await manifest(hubs("hub", "other"), hubs("other"))).refused, [
      "DPS-CERT-162 at hubs: found a change that takes hub hub with 1 device away from the service; fix: keep the hub; let its devices be assigned to another one and delete their identities in this one first",
    ]);
    const { refused } = await manifest(hubs("hub", "other"), hubs("other"), {
      service: service({ name: "gone" }),
    });
    assert.match(
      refused.join("\n"),
      /^DPS-CERT-062 at hubs: .*; not counted: there is no DPS "gone" in resource group "rg"; fix: /,
    );
  });

  it("names a stolen CA in a linked hub's own list", async () => {
    const { credential, subscriptionId, clientOptions } = stage.sandbox;
    const { certificates } = new IotHubClient(credential, subscriptionId, clientOptions);
    await certificates.createOrUpdate("rg", "hub", "plant", {
      properties: { certificate: Buffer.from(old.pem).toString("base64") },
    });
    const stolen = declaration({
      caCertificates: { next: { certificate: "next" } },
      enrollmentGroups: retired,
      compromised: [{ certificate: "old", reason: "stolen" }],
    });
    assert.deepEqual(await judgement(declaration(), stolen), []);
    assert.ok(
      stage.said.includes(
        `warning: DPS-CERT-079 at compromised: found CA certificate plant of hub ${stage.sandbox.hub}, which has a key that compromised[0] names (stolen): ${shown(old)}; fix: delete it from the hub: devices of the authentication type certificateAuthority get in below it without DPS`,
      ),
      stage.said.join("\n"),
    );
  });

  it("of the fleet's judgement knows a change that it refused before, and that was never carried out", async () => {
    const single = (name: string) =>
      declaration({
        individualEnrollments: { "truck-7": { ...enabled, primary: { certificate: name } } },
      });
    const again = await TestCa.selfSigned("truck-7");
    const after = {
      ...single("again"),
      certificates: { ...single("truck").certificates, ...declared({ again }).certificates },
    };
    // The manifest has judged a change in between, in which both were admitted.
    assert.match(
      (await judgement(single("truck"), after)).join("\n"),
      new RegExp(
        `^DPS-CERT-048 at individualEnrollments\\.truck-7\\.primary\\.certificate: found .*${summarize(again.pem).sha256Thumbprint.slice(0, 8)}`,
      ),
    );
  });
});
