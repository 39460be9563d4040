import assert from "node:assert/strict";
import { hubFailure, provisioningFailure } from "../../device/failure";

const wrapped = (message: string): Error =>
  new Error(`mqtt.js returned Failure on first connection (Not authorized): ${message} error`);

describe("failures of a device", () => {
  const atHub: [string, Error, "refused" | "fault"][] = [
    ["CONNACK 5", wrapped("Connection refused: Not authorized"), "refused"],
    ["CONNACK 4", wrapped("Connection refused: Bad username or password"), "refused"],
    ["CONNACK 3", wrapped("Connection refused: Server unavailable"), "fault"],
    ["a refused connection", wrapped("connect ECONNREFUSED 127.0.0.1:8883"), "fault"],
    ["an unknown host", wrapped("getaddrinfo ENOTFOUND hub.example"), "fault"],
    ["a server of another CA", wrapped("unable to verify the first certificate"), "fault"],
    ["a dropped connection", wrapped("Unable to establish a connection"), "fault"],
  ];
  for (const [name, error, kind] of atHub) {
    it(`takes ${name} at the hub as a ${kind === "fault" ? kind : "refusal"}`, () => {
      const failure = hubFailure(error);
      assert.equal(failure.kind, kind);
      assert.doesNotMatch(failure.reason, /first connection/);
    });
  }

  it("takes DPS's answer as a refusal, and honours how long it asks to wait", () => {
    const error = Object.assign(new Error("incoming message failure"), {
      result: { errorCode: 401002, message: "CA certificate not found." },
      transportObject: { topic: "$dps/registrations/res/401/?$rid=1&retry-after=3" },
    });
    assert.deepEqual(provisioningFailure(error), {
      where: "dps",
      kind: "refused",
      reason: "401002 CA certificate not found.",
      retryAfterMs: 3000,
    });
  });

  it("takes a registration that failed or is disabled as a refusal", () => {
    const failed = Object.assign(new Error("registration failed"), {
      result: {
        status: "failed",
        registrationState: { errorCode: 400207, errorMessage: "Custom allocation failed." },
      },
    });
    assert.equal(provisioningFailure(failed).reason, "400207 Custom allocation failed.");
    const disabled = Object.assign(new SyntaxError("status is disabled"), {
      result: { status: "disabled" },
    });
    assert.deepEqual(provisioningFailure(disabled), {
      where: "dps",
      kind: "refused",
      reason: "status is disabled",
    });
  });

  it("takes anything that DPS did not say as a fault", () => {
    const error = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    assert.equal(provisioningFailure(error).kind, "fault");
    assert.equal(provisioningFailure(Object.assign(new Error("x"), { code: 5 })).kind, "refused");
  });
});
