/** What a reviewer sees of a plan's HTML page, against pictures that people have looked at. */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { html } from "../../plan/html";
import { needsBrowser } from "../support/browser";
import { cut, difference, matchesPicture, picture } from "../support/pictures";
import { withStableThumbprints } from "./golden";
import { goldenPlan, goldenRow } from "./golden-plans";
import { scene, type Scene } from "./scene";

const WIDTH = 800;
/** What is seen first; of one plan the rest as well. */
const TOP = 1700;
const LARGEST_BYTES = 150_000;
const PICTURES = join(__dirname, "golden", "pictures");

describe("pictures of a plan", function () {
  this.timeout(180_000);
  before(needsBrowser);

  let all: Scene;
  before(async () => {
    all = await scene();
  });

  const page = (name: string): string =>
    withStableThumbprints(html(goldenPlan(all, goldenRow(name))), all.certificates);

  async function matches(name: string, shot: Buffer): Promise<void> {
    const file = join(PICTURES, `${name}.png`);
    await matchesPicture(file, shot);
    assert.ok(statSync(file).size < LARGEST_BYTES, `${file} is too large to be reviewed often`);
  }

  for (const name of [
    "p4-individual-breach",
    "p5-individual-expiration",
    "p6-root-breach",
    "p7-intermediate-breach",
    "p9-intermediate-expiration",
    "breach-without-replacement",
    "refused-devices-depend",
  ]) {
    it(`${name}, as far as one sees without much scrolling`, async () => {
      await matches(name, await picture({ html: page(name), width: WIDTH, height: TOP }));
    });
  }

  it("p8-root-prepare, the whole of it", async () => {
    const shot = await picture({ html: page("p8-root-prepare"), width: WIDTH, height: 2 * TOP });
    await matches("p8-root-prepare-1", cut(shot, 0, TOP));
    await matches("p8-root-prepare-2", cut(shot, TOP, TOP));
  });

  it("p6-root-breach, on a phone", async () => {
    await matches(
      "p6-root-breach-phone",
      await picture({ html: page("p6-root-breach"), width: 500, height: TOP }),
    );
  });

  it("p8-root-retire, printed", async () => {
    const printed = page("p8-root-retire").replace("@media print", "@media all");
    await matches(
      "p8-root-retire-print",
      await picture({ html: printed, width: 700, height: TOP }),
    );
  });

  it("tell a page whose layout is broken, or that says another thing", async () => {
    const good = page("p8-root-prepare");
    const look = { width: WIDTH, height: 1000 };
    const shot = await picture({ ...look, html: good });
    assert.equal(await difference(shot, await picture({ ...look, html: good })), undefined);
    for (const [from, to] of [
      ["border-collapse:collapse", "border-collapse:separate"],
      ["padding:.5rem 1rem", "padding:0"],
      ["none would be", "some would be"],
    ] as const) {
      assert.ok(good.includes(from), from);
      const broken = await picture({ ...look, html: good.replaceAll(from, to) });
      assert.notEqual(await difference(shot, broken), undefined, `${from} → ${to}`);
    }
  });
});
