/**
 * Expiration rolls on the handlers with real registrations: at each instant the device's certificate is
 * admitted, however often it is rolled, in whichever slot it stands, and on the way back.
 */
import assert from "node:assert/strict";
import type { Declared, DeclaredIndividual } from "../../certificates/declared";
import { refusals } from "../../certificates/faults";
import { judge } from "../../certificates/rules";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import type { EnrollmentOutputs } from "../../dynamic-providers/enrollment/live";
import type { Slot, Slots } from "../../dynamic-providers/enrollment/slots";
import { declared } from "../certificates/fixtures";
import { type Issued, TestCa } from "../support/test-ca";
import { TestEntry } from "./entries";
import { reference, slot, Stage } from "./stage";

/** What stands in a slot, and a device's certificate that is admitted by it. */
interface Link {
  slot: Slot;
  leaf: Issued;
  /** PEM of what stands in the slot, or of the CA that it refers to. */
  held: string;
  /** The same in a configuration: name of a CA, or of a certificate. */
  name: string;
}

type Device = Pick<Link, "leaf" | "name">;
type Form = "individual" | "intermediates" | "references";
const PROCEDURES = { individual: "P5", references: "P8", intermediates: "P9" } as const;

class World {
  private constructor(
    readonly stage: Stage,
    private readonly root: TestCa,
  ) {}

  static async open(primaryRequired: boolean): Promise<World> {
    const stage = await Stage.open(undefined, { primaryRequired });
    const root = await TestCa.root("Root of all");
    await new CaCertificatesClient(stage.connection).upload("root-of-all", root.pem, {
      selfAttested: true,
    });
    return new World(stage, root);
  }

  /** Certificates of one device, each with what admits it. */
  async links(form: Form, id: string, count: number): Promise<Link[]> {
    return Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const name = `${id}-${index}`;
        if (form === "individual") {
          const leaf = await TestCa.selfSigned(id);
          return { slot: slot(leaf), leaf, held: leaf.pem, name };
        }
        if (form === "intermediates") {
          const intermediate = await this.root.intermediate(`Intermediate ${name}`);
          const leaf = await intermediate.leaf(id);
          return { slot: slot(intermediate), leaf, held: intermediate.pem, name };
        }
        const ca = await TestCa.root(`Root ${name}`);
        await new CaCertificatesClient(this.stage.connection).upload(name, ca.pem, {
          selfAttested: true,
        });
        return { slot: reference(name, ca), leaf: await ca.leaf(id), held: ca.pem, name };
      }),
    );
  }

  entry(form: Form, id: string, [a, b]: Link[]): TestEntry {
    const kind = form === "individual" ? "individual" : "group";
    return TestEntry.of(this.stage, kind, id, [a!.slot, b!.slot, b!.slot]);
  }

  async refuses(id: string, ...links: Device[]): Promise<void> {
    for (const { leaf, name } of links) {
      assert.equal(await this.stage.admits(id, leaf), false, `admits ${name}`);
    }
  }

  async admits(id: string, ...links: Device[]): Promise<void> {
    for (const { leaf, name } of links) {
      assert.equal(await this.stage.admits(id, leaf), true, `does not admit ${name}`);
    }
  }

  /** The configuration in which the entry holds these links. */
  declared(form: Form, id: string, all: Link[], { primary, secondary }: Slots<Link>): Declared {
    const inSlot = ({ name }: Link) =>
      form === "references" ? { ca: name } : { certificate: name };
    const entry = {
      status: "enabled" as const,
      ...(primary && { primary: inSlot(primary) }),
      ...(secondary && { secondary: inSlot(secondary) }),
    };
    const cas = form === "references" ? all.map(({ name }) => name) : ["root-of-all"];
    return declared(
      {
        "root-of-all": this.root,
        ...Object.fromEntries(all.map(({ name, held }) => [name, { pem: held }])),
      },
      {
        caCertificates: Object.fromEntries(cas.map((name) => [name, { certificate: name }])),
        ...(form === "individual"
          ? { individualEnrollments: { [id]: entry as DeclaredIndividual } }
          : { enrollmentGroups: { [id]: entry } }),
      },
    );
  }
}

function slotsOf({ primary, secondary }: Slots<Link>): Slots<Slot> {
  return {
    ...(primary && { primary: primary.slot }),
    ...(secondary && { secondary: secondary.slot }),
  };
}

for (const primaryRequired of [true, false]) {
  describe(`expiration rolls, where a primary certificate is ${primaryRequired ? "required" : "not required"}`, function () {
    this.timeout(120_000);
    let world: World;

    before(async () => {
      world = await World.open(primaryRequired);
    });

    after(() => world.stage.close());

    for (const form of ["individual", "intermediates", "references"] as const) {
      it(`goes from one slot to the other and back, six times in a row (${form})`, async () => {
        const id = `rolling-${form}`;
        const links = await world.links(form, id, 7);
        const entry = world.entry(form, id, links);
        let outs: EnrollmentOutputs = await entry.create({ primary: links[0]!.slot });
        let place: "primary" | "secondary" = "primary";
        for (let roll = 0; roll < 6; roll += 1) {
          const old = links[roll]!;
          const next = links[roll + 1]!;
          const other: "primary" | "secondary" = place === "primary" ? "secondary" : "primary";
          const step = async (slots: Slots<Link>, admitted: Link[]): Promise<void> => {
            const writes = await world.stage.atEachWrite(
              () => world.admits(id, ...admitted),
              async () => {
                const done = await entry.up(outs, slotsOf(slots));
                assert.equal(done.updated, true);
                ({ outs } = done);
              },
            );
            assert.equal(writes, 1);
          };
          await step({ [place]: old, [other]: next }, [old, next]);
          await step({ [other]: next }, [next]);
          await world.refuses(id, old);
          // Whoever looks at DPS finds the one certificate where every client can read it.
          assert.equal(outs.live.secondary, undefined);
          assert.equal((await entry.up(outs, slotsOf({ [other]: next }))).updated, false);
          place = other;
        }
      });
    }

    it("moves a group from a root to an intermediate below it and back, each in one write", async () => {
      const id = "moving";
      const root = await TestCa.root("Root that moves");
      await new CaCertificatesClient(world.stage.connection).upload("moves", root.pem, {
        selfAttested: true,
      });
      const [mine, others] = [await root.intermediate("Mine"), await root.intermediate("Others")];
      const device = { leaf: await mine.leaf("van"), name: "device" };
      const stranger = { leaf: await others.leaf("van"), name: "stranger" };
      const whole = { primary: reference("moves", root) };
      const entry = TestEntry.of(world.stage, "group", id, [
        slot(mine),
        slot(others),
        whole.primary,
      ]);
      let outs = await entry.create(whole);
      await world.admits("van", device, stranger);
      const moves = [{ primary: slot(mine) }, whole, { secondary: slot(mine) }, whole];
      for (const fields of moves) {
        const writes = await world.stage.atEachWrite(
          () => world.admits("van", device),
          async () => ({ outs } = await entry.up(outs, fields)),
        );
        assert.equal(writes, 1);
        await (fields === whole ? world.admits("van", stranger) : world.refuses("van", stranger));
      }
      assert.deepEqual((await entry.record())?.attestation.x509, {
        caReferences: { primary: "moves" },
      });
    });
  });
}

describe("going back", function () {
  this.timeout(120_000);
  let world: World;

  before(async () => {
    world = await World.open(true);
  });

  after(() => world.stage.close());

  for (const form of ["individual", "references", "intermediates"] as const) {
    const procedure = PROCEDURES[form];

    it(`is accepted from each phase of ${procedure}, and does what it says`, async () => {
      const id = `back-${form}`;
      const links = await world.links(form, id, 2);
      const [a, b] = links as [Link, Link];
      const entry = world.entry(form, id, links);
      let now: Slots<Link> = { primary: a };
      let outs = await entry.create(slotsOf(now));

      /** One reviewed change: judged, then brought about; `admitted` and nobody else comes in. */
      async function change(next: Slots<Link>, phase: string, admitted: Link[]): Promise<void> {
        const [before, after] = [now, next].map((slots) => world.declared(form, id, links, slots));
        const { faults, rolls } = judge(before, after!, new Date());
        assert.deepEqual(refusals(faults), []);
        const [roll] = rolls.filter((each) => each.phase !== "none");
        assert.deepEqual([roll?.procedure, roll?.phase], [procedure, phase]);
        const writes = await world.stage.atEachWrite(
          () => world.admits(id, ...admitted),
          async () => ({ outs } = await entry.up(outs, slotsOf(next))),
        );
        assert.equal(writes, 1);
        await world.refuses(id, ...links.filter((link) => !admitted.includes(link)));
        now = next;
      }

      const prepared = { primary: a, secondary: b };
      await change(prepared, "prepare", [a, b]);
      // Back: the new one leaves its slot again.
      await change({ primary: a }, "retire", [a]);
      await change(prepared, "prepare", [a, b]);
      await change({ primary: b, secondary: a }, "activate", [a, b]);
      // Back: the slots change places again.
      await change(prepared, "activate", [a, b]);
      await change({ secondary: b }, "retire", [b]);
      // Back: the old one, as long as it is valid, comes beside the new one.
      await change(prepared, "prepare", [a, b]);
      await change({ primary: a }, "retire", [a]);
    });
  }
});
