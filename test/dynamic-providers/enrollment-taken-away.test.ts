/** An individual enrollment that leaves the configuration, while a group admits its device. */
import assert from "node:assert/strict";
import type { Declared } from "../../certificates/declared";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { rotationManifest } from "../../dynamic-providers/rotation-manifest/provider";
import { declared } from "../certificates/fixtures";
import { type Issued, TestCa } from "../support/test-ca";
import { TestEntry } from "./entries";
import { slot, Stage } from "./stage";

describe("an individual enrollment that is taken away", () => {
  let stage: Stage;
  let root: TestCa;
  let leaf: Issued;

  before(async () => {
    stage = await Stage.open();
    root = await TestCa.root("Root of the plant");
    leaf = await root.leaf("van-9");
    await new CaCertificatesClient(stage.connection).upload("plant", root.pem, {
      selfAttested: true,
    });
    await stage.putGroup("sensors", { primary: "plant" });
  });

  after(() => stage.close());

  function configuration(individualEnrollments: Declared["individualEnrollments"]): Declared {
    return declared(
      { plant: root, leaf },
      {
        caCertificates: { plant: { certificate: "plant" } },
        enrollmentGroups: { sensors: { primary: { ca: "plant" }, status: "enabled" } },
        individualEnrollments,
      },
    );
  }

  it("lets its device in through the group that the preview names", async () => {
    const held = slot(leaf);
    const entry = TestEntry.of(stage, "individual", "van-9", [held, held, held]);
    const outs = await entry.create({ primary: held, provisioningStatus: "disabled" });
    assert.equal(await stage.admits("van-9", leaf), false);

    const before = configuration({
      "van-9": { primary: { certificate: "leaf" }, status: "disabled" },
    });
    stage.reset();
    const { failures } = await stage.listening(() =>
      rotationManifest.check(
        { declared: before, made: {} },
        { declared: configuration({}), made: {} },
      ),
    );
    assert.deepEqual(failures, []);
    const said = stage.said.join("\n");
    assert.match(
      said,
      /DPS-CERT-067 at individualEnrollments\.van-9: found .* that is taken away, whose device enrollment group `sensors` admits from then on/,
    );

    await entry.handler.delete("van-9", outs);
    assert.equal(await stage.admits("van-9", leaf), true);
    const [registration] = await stage.enrollments.registrationsOfGroup("sensors");
    assert.equal(registration?.registrationId, "van-9");
  });
});
