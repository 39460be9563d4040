import assert from "node:assert/strict";
import { html } from "../../plan/html";
import { markdown } from "../../plan/markdown";
import type { Plan } from "../../plan/model";
import { evaluate, needsBrowser, screenshot } from "../support/browser";
import { rendered } from "./rendered";
import { breach, edited, inventoryOf, scene, type Scene } from "./scene";
import { planOf, previewOf } from "./scene-preview";
import { buildPlan } from "../../plan/build";
import { NOW } from "../certificates/fixtures";

describe("a plan as Markdown", () => {
  let all: Scene;
  before(async () => {
    all = await scene();
  });

  /** A plan of so many changes, as long as they come. */
  const many = (count: number): Plan => {
    const plan = planOf(all, all.base, edited(all.base, breach));
    const [change] = plan.changes;
    return { ...plan, changes: Array.from({ length: count }, () => change!) };
  };

  it("fits a comment: it folds, and says what it left out", () => {
    assert.doesNotMatch(markdown(many(1)), /Left out|left out, because/);
    const folded = markdown(many(50));
    assert.ok(folded.length <= 65_536, String(folded.length));
    assert.match(
      folded,
      /_Left out, so that this fits a comment: .*\. The HTML page and the JSON have everything\._/,
    );
    assert.match(folded, /### 25 more changes/);
    const cut = markdown(many(2000));
    assert.ok(cut.length <= 65_536, String(cut.length));
    assert.match(cut, /_The rest was left out, because the plan is longer than a comment may be/);
    // What nobody may miss stands before what is left out.
    for (const text of [folded, cut])
      assert.match(text, /3 hub identities in 2 hubs will be removed/);
  });

  it("becomes tables, lists and headings where a comment is shown", async () => {
    const plan = planOf(all, all.base, edited(all.base, breach));
    const page = await rendered(markdown(plan));
    const captions = [...page.matchAll(/<th[^>]*>(.*?)<\/th>/g)].map(([, text]) => text);
    assert.deepEqual(
      ["Devices", "Hub", "Slot", "Subject"].filter((first) => !captions.includes(first)),
      [],
    );
    // A row of a table that is none would be an item of a list, or text.
    assert.doesNotMatch(page, /(^|>)[^<]*\|/m);
    assert.match(page, /<h2>Certificate plan for stack <code>dev<\/code><\/h2>/);
  });

  it("has no names of devices where these are not wanted, in no form", () => {
    const after = edited(all.base, breach);
    const inventory = inventoryOf(all, all.base, all.devices);
    const preview = previewOf(all.base, after, inventory);
    const plan = buildPlan({ preview, inventory, now: NOW, deviceNames: false });
    assert.equal(plan.namesLeftOut, true);
    for (const text of [markdown(plan), html(plan), JSON.stringify(plan)]) {
      assert.doesNotMatch(text, /sensor-\d|gateway-\d/);
      // An individual enrollment is part of the configuration that is reviewed.
      assert.match(text, /sensors/);
    }
    const gateways = edited(all.base, (copy) => {
      copy.enrollmentGroups["gateways"]!.secondary = { certificate: "plant-2" };
    });
    const counted = planOf(all, all.base, gateways, { deviceNames: false });
    for (const text of [markdown(counted), html(counted)]) {
      assert.match(
        text,
        /IoT Edge, which come back only when they are set to register again \(1\)/,
      );
    }
    assert.deepEqual(
      plan.removal?.hubs.map(({ goes }) => goes),
      [1, 2],
    );
  });
});

describe("a plan as HTML, in a browser", function () {
  this.timeout(120_000);
  before(needsBrowser);
  let page: string;

  before(async () => {
    const all = await scene();
    page = html(planOf(all, all.base, edited(all.base, breach)));
  });

  it("loads nothing from elsewhere and runs no script", () => {
    assert.doesNotMatch(page, /<script|<link|<img|@import|url\((?!#)/);
    assert.deepEqual(
      [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, to]) => to),
      [],
    );
  });

  for (const width of [1200, 600]) {
    it(`overflows nowhere at ${width} pixels, and shows every section`, async () => {
      const found = await evaluate<{
        scroll: number;
        client: number;
        headings: number;
        empty: number;
      }>(
        { html: page.replace(/<meta http-equiv[^>]*>/, ""), width, height: 900 },
        `({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth,
           headings: document.querySelectorAll("h2").length,
           empty: [...document.querySelectorAll("section")].filter((one) => one.getBoundingClientRect().height < 20).length })`,
      );
      assert.ok(found.scroll <= found.client, JSON.stringify(found));
      assert.ok(found.headings >= 6);
      assert.equal(found.empty, 0);
    });
  }

  it("is a picture with something on it", async () => {
    const shot = await screenshot({ html: page, width: 1000, height: 1400 });
    assert.deepEqual(
      [...shot.subarray(1, 4)],
      [..."PNG"].map((letter) => letter.charCodeAt(0)),
    );
    assert.ok(shot.length > 50_000, String(shot.length));
  });
});
