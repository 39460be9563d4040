import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import type { AccessPolicy } from "../../../sandbox/common/model";
import { SasError, verifySas, type SasFault } from "../../../sandbox/common/sas";

const HOST = "dps.azure-devices-provisioning.sandbox.test";
const NOW = new Date("2026-01-01T00:00:00Z");
const LATER = NOW.getTime() / 1000 + 3600;
const key = (byte: number): string => Buffer.alloc(32, byte).toString("base64");
const policy: AccessPolicy = {
  keyName: "owner",
  primaryKey: key(1),
  secondaryKey: key(2),
  rights: "ServiceConfig, EnrollmentWrite",
};

interface Parts {
  sr: string;
  se: string;
  skn: string;
  key: string;
}

function token(changed: Partial<Parts> = {}): string {
  const parts = { sr: HOST, se: String(LATER), skn: "owner", key: policy.primaryKey, ...changed };
  const signature = createHmac("sha256", Buffer.from(parts.key, "base64"))
    .update(`${parts.sr}\n${parts.se}`)
    .digest("base64");
  return `SharedAccessSignature sr=${parts.sr}&sig=${encodeURIComponent(signature)}&se=${parts.se}&skn=${parts.skn}`;
}

function judge(header: string | undefined, right: string | string[] = "ServiceConfig") {
  return verifySas(header, { policies: [policy], hostName: HOST, right, now: NOW });
}

describe("shared access signatures", () => {
  const accepted: [string, string][] = [
    ["with the primary key", token()],
    ["with the secondary key", token({ key: policy.secondaryKey })],
    ["with an audience that is percent-encoded, as it was signed", token({ sr: `${HOST}%3A443` })],
    ["with a port in the audience", token({ sr: `${HOST}:8443` })],
    ["with an audience in capitals", token({ sr: HOST.toUpperCase() })],
    ["with the policy's name in another case", token({ skn: "Owner" })],
  ];
  for (const [name, header] of accepted) {
    it(`are accepted ${name}`, () => {
      assert.equal(judge(header), policy);
    });
  }

  const other = `SharedAccessSignature sr=${HOST}%2f&sig=a&se=1`;
  const refused: [string, string | undefined, SasFault][] = [
    ["when there is none", undefined, "missing"],
    ["when the header is empty", "", "missing"],
    ["when it is a bearer token", "Bearer abc", "malformed"],
    ["when the expiry is no number", token({ se: "soon" }), "malformed"],
    [
      "when the signature is missing",
      `SharedAccessSignature sr=${HOST}&se=1&skn=owner`,
      "malformed",
    ],
    ["when the encoding is broken", token().replace("sig=", "sig=%zz"), "malformed"],
    ["when its time is over", token({ se: String(NOW.getTime() / 1000) }), "expired"],
    ["when it is old and malformed in nothing else", other, "expired"],
    ["when it is for another host", token({ sr: "hub.example" }), "audience"],
    ["when no policy has that name", token({ skn: "guest" }), "unknown policy"],
    ["when it names no policy", token({ skn: "" }), "unknown policy"],
    ["when it was made with another key", token({ key: key(3) }), "bad signature"],
    [
      "when the audience was changed after signing",
      token().replace(HOST, `${HOST}:1`),
      "bad signature",
    ],
  ];
  for (const [name, header, fault] of refused) {
    it(`are refused ${name}`, () => {
      assert.throws(
        () => judge(header),
        (error) => error instanceof SasError && error.fault === fault,
      );
    });
  }

  it("need one of the rights, and a right to write is a right to read", () => {
    assert.equal(judge(token(), "EnrollmentRead"), policy);
    assert.equal(judge(token(), ["DeviceConnect", "serviceconfig"]), policy);
    assert.throws(() => judge(token(), "DeviceConnect"), { fault: "right missing" });
    assert.throws(() => judge(token(), "RegistrationStatusRead"), { fault: "right missing" });
  });
});
