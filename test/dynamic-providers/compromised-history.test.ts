import assert from "node:assert/strict";
import {
  rotationManifest as handler,
  type RotationManifestInputs,
} from "../../dynamic-providers/rotation-manifest/provider";
import type { Declared } from "../../certificates/declared";
import { declared } from "../certificates/fixtures";
import { type Issued, TestCa } from "../support/test-ca";

describe("what was once declared compromised, over several updates", () => {
  let stolen: Issued;
  let next: Issued;
  const print = console.log;

  before(async () => {
    stolen = await TestCa.selfSigned("truck-7");
    next = await TestCa.selfSigned("truck-7");
    console.log = () => undefined;
  });

  after(() => {
    console.log = print;
  });

  const manifest = (
    slots: "next" | "both",
    rest: Partial<Declared> = {},
  ): RotationManifestInputs => ({
    declared: declared(
      { stolen, next },
      {
        individualEnrollments: {
          "truck-7": {
            primary: { certificate: "next" },
            ...(slots === "both" && { secondary: { certificate: "stolen" } }),
            status: "enabled",
          },
        },
        ...rest,
      },
    ),
    made: {},
  });
  const breach = { compromised: [{ certificate: "stolen", reason: "leaked" }] };

  /** What the last of these updates is refused for; the others have to pass. */
  async function refused(...updates: RotationManifestInputs[]): Promise<string[]> {
    let olds: Partial<RotationManifestInputs> = {};
    let reasons: string[] = [];
    for (const news of updates) {
      assert.deepEqual(reasons, []);
      const { inputs, failures } = await handler.check(olds, news);
      reasons = (failures ?? []).map(({ reason }) => reason);
      olds = inputs!;
    }
    return reasons;
  }

  it("does not come back in two steps: the declaration first, then the certificate", async () => {
    const [reason, ...more] = await refused(
      manifest("both"),
      manifest("next", breach),
      manifest("next"),
      manifest("next"),
      manifest("both"),
    );
    assert.match(reason ?? "", /^DPS-CERT-073 at individualEnrollments\.truck-7\.secondary/);
    assert.deepEqual(more, []);
  });

  it("comes back by a waiver with a reason, and is then a certificate like any other", async () => {
    const day = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    const waiver = {
      code: "DPS-CERT-073",
      path: "individualEnrollments.truck-7.secondary.certificate",
      reason: "found in the safe",
      until: day,
    };
    const back = manifest("both", { waivers: [waiver] });
    assert.deepEqual(
      await refused(manifest("next", breach), manifest("next"), back, manifest("both")),
      [],
    );
  });
});
