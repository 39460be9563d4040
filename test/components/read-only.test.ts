import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { requireReadOnly } from "../../components/read-only";

describe("a run that may only read", () => {
  const isDryRun = Object.getOwnPropertyDescriptor(pulumi.runtime, "isDryRun")!;
  const preview = (is: boolean): void =>
    void Object.defineProperty(pulumi.runtime, "isDryRun", {
      configurable: true,
      value: () => is,
    });
  beforeEach(() => (process.env["DPS_CERTIFICATES_READ_ONLY"] = "1"));
  afterEach(() => {
    delete process.env["DPS_CERTIFICATES_READ_ONLY"];
    Object.defineProperty(pulumi.runtime, "isDryRun", isDryRun);
  });

  it("is no update", () => {
    preview(false);
    assert.throws(() => requireReadOnly("entra"), {
      message:
        "DPS-CERT-183 at DPS_CERTIFICATES_READ_ONLY: found an update; fix: unset it: it is for previews of a copy of the state",
    });
  });

  it("lists no keys", () => {
    preview(true);
    requireReadOnly("entra");
    assert.throws(() => requireReadOnly("keys"), {
      message:
        "DPS-CERT-183 at DPS_CERTIFICATES_READ_ONLY: found `auth: keys`, which would list access keys, as no identity that only reads may do; fix: use `auth: entra`",
    });
  });

  it("is everything else without the setting", () => {
    delete process.env["DPS_CERTIFICATES_READ_ONLY"];
    preview(false);
    requireReadOnly("keys");
  });
});
