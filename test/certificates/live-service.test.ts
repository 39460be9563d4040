/** Whole messages of what the live service and its hubs show. */
import assert from "node:assert/strict";
import type { Declared, KnownFacts } from "../../certificates/declared";
import type { FleetFacts, HubCaFact, LiveCaFact } from "../../certificates/fleet-facts";
import { summarize } from "../../certificates/summary";
import { breach, cast, device, type Cast } from "./cast";
import { known, messages, root, shown } from "./fixtures";

const HUB = "hub-a.azure-devices.net";

describe("in view of the live service, the message", () => {
  let all: Cast;
  before(async () => {
    all = await cast();
  });

  describe("of a hub that is taken away", () => {
    const linked = (...hubs: NonNullable<Declared["hubs"]>): Declared => ({
      ...device(all, "one"),
      hubs,
    });
    const hub = (name?: string) => ({ ...(name !== undefined && { name }), adopt: false });
    const counted = (hubs: Record<string, number>, ...leftOut: string[]): KnownFacts => ({
      hubCounts: {
        hubs: Object.entries(hubs).map(([name, devices]) => ({ name, devices })),
        leftOut,
      },
    });
    const refused = (before: Declared, after: Declared, facts: KnownFacts) =>
      messages(before, after, facts);
    const uncounted = (what: string, why = "") =>
      `DPS-CERT-062 at hubs: found a change that takes ${what} away from the service: its devices are assigned to another hub when they register next, and a hub of this stack is deleted with their identities${why}; fix: move its devices to another hub first, then waive this with a reason`;

    it("counts the devices in it, in whatever case it is written", () => {
      assert.deepEqual(
        refused(linked(hub("Hub-A"), hub("hub-b")), linked(hub("hub-b")), counted({ "hub-a": 3 })),
        [
          "DPS-CERT-162 at hubs: found a change that takes hub hub-a with 3 devices away from the service; fix: keep the hub; let its devices be assigned to another one and delete their identities in this one first",
        ],
      );
    });

    it("is none when it is empty, or when the service is not managed", () => {
      const gone = [linked(hub("hub-a"), hub("hub-b")), linked(hub("hub-b"))] as const;
      assert.deepEqual(refused(...gone, counted({ "hub-a": 0, "hub-b": 7 })), []);
      const service = { name: "dps", resourceGroup: "rg", location: "westeurope", adopt: true };
      const [before, after] = gone.map((each) => ({ ...each, service }));
      assert.deepEqual(refused(before!, after!, {}), []);
    });

    it("says why they were not counted", () => {
      const gone = [linked(hub("hub-a"), hub("hub-b")), linked(hub("hub-b"))] as const;
      const why = "the devices of hub hub-a, because: no answer within 30 s";
      assert.deepEqual(refused(...gone, counted({ "hub-b": 2 }, why)), [
        uncounted("hub hub-a", `; not counted: ${why}`),
      ]);
    });

    it("knows one without a name when there is no other, and not which of several goes", () => {
      const alone = [linked(hub("hub-a"), hub()), linked(hub("hub-a"))] as const;
      assert.deepEqual(refused(...alone, counted({ "hub-a": 5, "made-up-1": 1 })), [
        "DPS-CERT-162 at hubs: found a change that takes hub number 1 without a name with 1 device away from the service; fix: keep the hub; let its devices be assigned to another one and delete their identities in this one first",
      ]);
      const second = [linked(hub(), hub()), linked(hub())] as const;
      assert.deepEqual(refused(...second, counted({ "made-up-1": 0, "made-up-2": 1 })), [
        uncounted("hub number 2 without a name"),
      ]);
      assert.deepEqual(refused(...second, counted({ "made-up-1": 0, "made-up-2": 0 })), []);
    });
  });

  describe("of a hub's own CA certificate", () => {
    const found = (...hubCaCertificates: HubCaFact[]): KnownFacts => ({
      fleet: { entries: {}, leftOut: [], hubCaCertificates } satisfies FleetFacts,
    });
    const fact = (ca: { pem: string }, isShown = true): HubCaFact => {
      const certificate = known(ca);
      if (!certificate.known) throw new Error("it is known");
      return {
        hub: HUB,
        name: "plant",
        sha1Thumbprint: certificate.summary.sha1Thumbprint,
        ...(isShown && { certificate }),
      };
    };
    const stolen = (name: string) => ({ ...all.base, caCertificates: {}, ...breach(name) });
    const remove =
      "delete it from the hub: devices of the authentication type certificateAuthority get in below it without DPS";

    it("with the compromised key, also where only its thumbprint is shown", () => {
      const expected = [
        `DPS-CERT-079 at compromised: found CA certificate plant of hub ${HUB}, which has a key that compromised[0] names (leaked): ${shown(all.rootA)}; fix: ${remove}`,
      ];
      for (const isShown of [true, false]) {
        const facts = found(fact(all.rootA, isShown));
        assert.deepEqual(messages(all.base, stolen("root-a"), facts), expected);
      }
    });

    it("below a compromised one, and above one", () => {
      assert.deepEqual(messages(all.base, stolen("root-a"), found(fact(all.lowA))), [
        `DPS-CERT-079 at compromised: found CA certificate plant of hub ${HUB}, which was issued by ${shown(all.rootA)}, which has a key that compromised[0] names (leaked): ${shown(all.lowA)}; fix: ${remove}`,
      ]);
      assert.deepEqual(messages(all.base, stolen("low"), found(fact(all.rootA))), [
        `DPS-CERT-079 at compromised: found CA certificate plant of hub ${HUB}, which stands above a compromised certificate, ${shown(all.lowA)}: ${shown(all.rootA)}; fix: disable the hub's devices of the authentication type certificateAuthority, or give them thumbprints: chains through the compromised certificate get in without DPS`,
      ]);
    });

    it("of which nothing is shown that is known", async () => {
      const stranger = await root("Stranger");
      assert.deepEqual(messages(all.base, stolen("root-a"), found(fact(stranger, false))), [
        `DPS-CERT-069 at service: found facts that are not complete: what CA certificate plant of hub ${HUB} is (SHA-1 ${summarize(stranger.pem).sha1Thumbprint}), because the resource manager does not show it; fix: see for yourself, in the portal or with the Azure CLI`,
      ]);
    });

    it("is none for another CA, and without a breach", async () => {
      const stranger = await root("Stranger");
      assert.deepEqual(messages(all.base, stolen("root-a"), found(fact(stranger))), []);
      assert.deepEqual(messages(all.base, all.base, found(fact(all.rootA))), []);
    });
  });

  describe("of a CA certificate that is to become part of the stack", () => {
    const live = (ca: { pem: string }, isVerified = true): LiveCaFact => {
      const { sha1Thumbprint, subjectCommonName } = summarize(ca.pem);
      return { name: "Root-A", sha1Thumbprint, subject: subjectCommonName, isVerified };
    };
    const joining = (adopt: boolean, caCertificates: LiveCaFact[], hasProof = false) =>
      messages(
        { ...all.base, caCertificates: {} },
        {
          ...all.base,
          caCertificates: { "root-a": { certificate: "root-a", adopt, hasProof } },
        },
        { fleet: { entries: {}, leftOut: [], caCertificates } },
      );
    const sha1 = (ca: { pem: string }) => summarize(ca.pem).sha1Thumbprint;

    it("that is adopted", () => {
      assert.deepEqual(joining(true, []), [
        "DPS-CERT-118 at caCertificates.root-a.adopt: found no CA certificate `root-a` in DPS; fix: remove adopt, and it is uploaded; or give the name that it has in DPS",
      ]);
      assert.deepEqual(joining(true, [live(all.rootB)]), [
        `DPS-CERT-118 at caCertificates.root-a.adopt: found another certificate in DPS: Root B, SHA-1 ${sha1(all.rootB)}; declared: ${shown(all.rootA)}, SHA-1 ${sha1(all.rootA)}; fix: declare the certificate that is there, or give this one another name`,
      ]);
      assert.deepEqual(joining(true, [live(all.rootA, false)]), [
        `DPS-CERT-118 at caCertificates.root-a.adopt: found ${shown(all.rootA)}, which is not verified in DPS; fix: give a proof of possession`,
      ]);
      assert.deepEqual(joining(true, [live(all.rootA, false)], true), []);
      assert.deepEqual(joining(true, [live(all.rootA)]), []);
    });

    it("under a name that is taken", () => {
      assert.deepEqual(joining(false, [live(all.rootB)]), [
        `DPS-CERT-160 at caCertificates.root-a: found another certificate in DPS: Root B, SHA-1 ${sha1(all.rootB)}; declared: ${shown(all.rootA)}, SHA-1 ${sha1(all.rootA)}; fix: give this one another name`,
      ]);
      assert.deepEqual(joining(false, []), []);
      assert.deepEqual(joining(false, [live(all.rootA)]), []);
    });
  });
});
