import assert from "node:assert/strict";
import { markdown } from "../../plan/markdown";
import { matchesGolden, named } from "./golden";
import { GOLDEN_PLANS, goldenPlan } from "./golden-plans";
import { scene, type Scene } from "./scene";
import { isPlan } from "./schema";

describe("golden plans", () => {
  let all: Scene;
  before(async () => {
    all = await scene();
  });

  for (const row of GOLDEN_PLANS) {
    it(row.name, () => {
      const plan = goldenPlan(all, row);
      assert.equal(plan.verdict, row.verdict, JSON.stringify(plan.refusals));
      assert.ok(isPlan(plan), isPlan.problem(plan));
      matchesGolden(`${row.name}.md`, named(markdown(plan), all.certificates));
      const json = `${JSON.stringify(plan, null, 2)}\n`;
      matchesGolden(`${row.name}.json`, named(json, all.certificates));
    });
  }
});
