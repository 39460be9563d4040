import assert from "node:assert/strict";
import type { Declared } from "../../certificates/declared";
import { judge } from "../../certificates/rules";
import { lockOut } from "../../plan/lock-out";
import { NOW } from "../certificates/fixtures";
import { edited, inventoryOf, scene, type Scene, type SceneDevice } from "./scene";

describe("who is locked out by a change", () => {
  let all: Scene;
  before(async () => {
    all = await scene();
  });

  function fates(
    change: (copy: Declared) => void,
    more: {
      base?: (copy: Declared) => void;
      devices?: SceneDevice[];
      live?: (copy: Declared) => void;
      heldOff?: string[];
    } = {},
  ): Record<string, string> {
    const base = edited(all.base, more.base ?? (() => undefined));
    const after = edited(base, change);
    const { rolls } = judge(base, after, NOW);
    const live = edited(base, more.live ?? (() => undefined));
    const inventory = inventoryOf(all, live, more.devices ?? all.devices);
    const found = lockOut(
      { before: base, after, rolls, now: NOW },
      inventory,
      new Set(more.heldOff),
    );
    return Object.fromEntries(
      found.map(({ deviceId, fate, depends }) => [
        deviceId,
        depends.length === 0 ? fate : `${fate}, unless ${depends.join(", ")}`,
      ]),
    );
  }

  it("names those whose certificate is admitted no more, and does not guess", () => {
    const found = fates((copy) => {
      copy.enrollmentGroups["sensors"] = { primary: { ca: "root-b" }, status: "enabled" };
      copy.caCertificates = {
        "root-b": { certificate: "root-b" },
        "root-i": { certificate: "root-i" },
      };
    });
    assert.deepEqual(found, {
      "sensor-1": "refused",
      "sensor-2": "refused",
      "sensor-4": "not known",
      "gateway-1": "same",
      "gateway-2": "not touched",
      "truck-7": "same",
    });
  });

  it("names the device that a group lets in again when its enrollment is taken away", () => {
    const base = (copy: Declared): void => {
      copy.caCertificates["root-b"] = { certificate: "root-b" };
      copy.enrollmentGroups["trucks"] = { primary: { ca: "root-b" }, status: "enabled" };
    };
    const taken = fates(
      (copy) => {
        delete copy.individualEnrollments["truck-7"];
      },
      { base },
    );
    assert.equal(taken["truck-7"], "other");
    const denied = fates(
      (copy) => {
        delete copy.individualEnrollments["truck-7"];
      },
      {
        base: (copy) => {
          base(copy);
          copy.individualEnrollments["truck-7"]!.status = "disabled";
        },
      },
    );
    assert.equal(denied["truck-7"], "let in");
  });

  it("tells those who are shut out on purpose from those who are not", () => {
    const found = fates((copy) => {
      copy.enrollmentGroups["gateways"]!.status = "disabled";
      copy.denied = [{ registrationId: "sensor-1", reason: "stolen" }];
    });
    assert.equal(found["gateway-1"], "refused");
    assert.match(found["sensor-1"] ?? "", /^shut out/);
    assert.equal(found["sensor-2"], "same");
  });

  it("says for whom it depends on what is not known about DPS", () => {
    const found = fates((copy) => {
      copy.denied = [{ registrationId: "sensor-1", reason: "stolen" }];
    });
    // A disabled entry without a certificate denies nobody if DPS goes by the certificate.
    assert.equal(found["sensor-1"], "shut out, unless disabledIndividualDenies");
  });

  it("does not take what was disabled by hand for open again", () => {
    const change = (copy: Declared): void => {
      copy.enrollmentGroups["gateways"]!.secondary = { certificate: "plant-2" };
    };
    const live = (copy: Declared): void => {
      copy.enrollmentGroups["gateways"]!.status = "disabled";
    };
    assert.equal(
      fates(change, { live, heldOff: ["group:gateways"] })["gateway-1"],
      "stays refused",
    );
    assert.equal(fates(change, { live })["gateway-1"], "let in");
  });

  it("believes a device's report only where no thief can have made it", () => {
    const stolen = (copy: Declared): void => {
      copy.enrollmentGroups["sensors"] = { primary: { ca: "root-b" }, status: "enabled" };
      copy.caCertificates = {
        "root-b": { certificate: "root-b" },
        "root-i": { certificate: "root-i" },
      };
      copy.compromised = [{ certificate: "root-a", reason: "copied" }];
    };
    const found = fates(stolen);
    assert.equal(found["sensor-1"], "not known");
    assert.equal(found["gateway-1"], "same");
  });

  it("believes no report in a group above a stolen intermediate, nor calls anybody there untouched", () => {
    const everybody = (copy: Declared): void => {
      copy.enrollmentGroups["all"] = { primary: { ca: "root-i" }, status: "enabled" };
    };
    const stolen = (copy: Declared): void => {
      copy.enrollmentGroups["gateways"] = {
        primary: { certificate: "plant-2" },
        status: "enabled",
      };
      copy.compromised = [{ certificate: "plant-1", reason: "copied" }];
    };
    const [hub] = all.devices.map((device) => device.hub);
    const devices = [
      // A thief below plant-1 may say the same.
      { id: "gateway-3", entry: "group:all", leaf: "gateway-3", hub: hub!, reports: true },
      { id: "gateway-2", entry: "group:all", leaf: "gateway-2", hub: hub! },
    ];
    const found = fates(stolen, { base: everybody, devices });
    assert.deepEqual(found, { "gateway-3": "not known", "gateway-2": "not known" });
    // Once that is carried out, a change that is no breach believes them again.
    const retires = (copy: Declared): void => {
      delete copy.enrollmentGroups["sensors"];
    };
    const later = fates(retires, {
      base: (copy) => {
        everybody(copy);
        stolen(copy);
      },
      devices,
    });
    assert.equal(later["gateway-3"], "same");
  });
});
