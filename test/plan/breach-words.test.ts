import assert from "node:assert/strict";
import type { Declared } from "../../certificates/declared";
import { markdown } from "../../plan/markdown";
import type { Plan } from "../../plan/model";
import { buildPlan } from "../../plan/build";
import { NOW } from "../certificates/fixtures";
import { edited, inventoryOf, scene, type Scene } from "./scene";
import { planOf, previewOf } from "./scene-preview";

describe("the words of a breach", () => {
  let all: Scene;
  before(async () => {
    all = await scene();
  });

  /** Plant CA 1 is compromised, and what is accepted beside it stays. */
  const withoutPlant1 = (copy: Declared): void => {
    copy.enrollmentGroups["gateways"] = {
      secondary: { certificate: "plant-2" },
      status: "enabled",
    };
    copy.compromised = [{ certificate: "plant-1", reason: "key leaked by the plant" }];
  };
  const overlapping = (copy: Declared): void => {
    copy.enrollmentGroups["gateways"]!.secondary = { certificate: "plant-2" };
  };
  const summary = (plan: Plan): string[] => plan.changes.flatMap((each) => each.summary);

  it("do not say that nothing replaces the CA where the other slot is accepted still", () => {
    const base = edited(all.base, overlapping);
    const plan = planOf(all, base, edited(base, withoutPlant1));
    assert.deepEqual(summary(plan), [
      "The key of Plant CA 1 counts as stolen: nothing admits it any more.",
      "Both devices of enrollment group `gateways` are disconnected.",
      "How many can come back is not known: 0 confirmed, 2 without evidence.",
    ]);
    assert.equal(plan.registrations?.devices, 2);
    assert.match(markdown(plan), /come back only with a certificate below Plant CA 2/);
  });

  it("do not say that all are disconnected where a manifest of issued leaves proves some good", () => {
    const base = edited(all.base, overlapping);
    const issued = [
      {
        registrationId: "gateway-2",
        leafSha256: all.certificates["gateway-2"]!.thumbprint,
        issuerThumbprint: all.certificates["plant-2"]!.thumbprint,
      },
    ];
    const after = edited(base, withoutPlant1);
    const inventory = inventoryOf(all, base, all.devices);
    const preview = previewOf(base, after, inventory);
    for (const each of preview.judgements)
      if (each.by === "removal") each.goodIssuers = [all.certificates["plant-2"]!.thumbprint];
    const plan = buildPlan({ preview, inventory, issued, now: NOW });
    assert.equal(
      summary(plan)[1],
      "1 of 2 devices of enrollment group `gateways` is disconnected.",
    );
    assert.match(markdown(plan), /1 of 2 devices on record under it loses connection/);
  });

  it("expect no registration by an entry that is closed, and say so of the group", () => {
    const plan = planOf(
      all,
      all.base,
      edited(all.base, (copy) => {
        copy.enrollmentGroups["gateways"]!.status = "disabled";
        copy.compromised = [{ certificate: "plant-1", reason: "key leaked by the plant" }];
      }),
    );
    assert.equal(plan.registrations?.devices, 0);
    assert.match(markdown(plan), /^Group: enabled → disabled\.$/m);
    assert.doesNotMatch(markdown(plan), /come back only with a certificate below|Gap:/);
  });

  it("name an entry that nobody declared and that admits the compromised CA too", () => {
    const live = edited(all.base, (copy) => {
      copy.enrollmentGroups["lab"] = { primary: { certificate: "plant-1" }, status: "enabled" };
    });
    const inventory = inventoryOf(all, live, all.devices);
    const after = edited(all.base, withoutPlant1);
    const alone = planOf(all, all.base, after);
    const beside = planOf(all, all.base, after, { inventory });
    assert.match(markdown(alone), /below Plant CA 1 is refused afterwards: no other entry/);
    assert.match(
      markdown(beside),
      /below Plant CA 1 is admitted as well by enrollment group `lab`/,
    );
  });
});
