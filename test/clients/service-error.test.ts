import assert from "node:assert/strict";
import { withoutSecrets } from "../../clients/sdk-error";
import {
  type Attempt,
  ServiceError,
  type ServiceErrorCode,
  toServiceError,
} from "../../clients/service-error";

const attempt: Attempt = {
  operation: 'write enrollment group "plant"',
  service: "dps",
  host: "contoso.azure-devices-provisioning.net",
  connection: { target: "azure", auth: "entra", resourceGroup: "rg", service: "contoso" },
};

/** As azure-iot-provisioning-service throws. */
function dpsError(statusCode: number, body: object | string = "", headers: object = {}): Error {
  const responseBody = typeof body === "string" ? body : JSON.stringify(body);
  return Object.assign(new Error("Error: ..."), {
    response: { statusCode, headers },
    responseBody,
  });
}

/** As the resource manager's clients throw. */
function armError(status: number, body: object): Error {
  const headers = { get: (): undefined => undefined };
  const response = { status, headers, bodyAsText: JSON.stringify(body) };
  return Object.assign(new Error("..."), { name: "RestError", statusCode: status, response });
}

function networkError(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code });
}

describe("service errors", () => {
  const rows: [string, Error, ServiceErrorCode, RegExp][] = [
    [
      "DPS 400",
      dpsError(400, { errorCode: 400004, message: "Bad certificate." }),
      "BadRequest",
      /answered 400 \(400004, "Bad certificate"\)/,
    ],
    [
      "DPS 401",
      dpsError(401, { errorCode: 401002, message: "Unauthorized" }),
      "Unauthorized",
      /"Device Provisioning Service Data Contributor" on the DPS/,
    ],
    ["DPS 403", dpsError(403), "Unauthorized", /Assign the role/],
    [
      "DPS 404",
      dpsError(404, { errorCode: 404201, message: "Not there." }),
      "NotFound",
      /404 \(404201/,
    ],
    [
      "DPS 409",
      dpsError(409, { errorCode: 409201, message: "Enrollment already exists." }),
      "Conflict",
      /read it again/,
    ],
    ["DPS 412", dpsError(412), "PreconditionFailed", /nothing was written/],
    ["DPS 429", dpsError(429), "Throttled", /later/],
    ["DPS 500", dpsError(500, "<html>"), "Unavailable", /safe/],
    ["sandbox 501", dpsError(501), "NotImplemented", /501/],
    [
      "hub 403 at a limit",
      dpsError(403, { Message: "ErrorCode:IotHubQuotaExceeded;Too many." }),
      "QuotaExceeded",
      /limit/,
    ],
    [
      "hub 404",
      dpsError(404, { Message: "ErrorCode:DeviceNotFound;E2002" }),
      "NotFound",
      /DeviceNotFound, "E2002"/,
    ],
    [
      "hub 404 of a method",
      dpsError(404, { Message: '{"errorCode":404103,"message":"Offline"}' }),
      "NotFound",
      /404103, "Offline"/,
    ],
    [
      "ARM 412, flat",
      armError(412, { code: 412001, message: "Invalid ETag supplied." }),
      "PreconditionFailed",
      /412001, "Invalid ETag supplied"/,
    ],
    [
      "ARM 404, nested",
      armError(404, { error: { code: "ResourceNotFound", message: "No." } }),
      "NotFound",
      /ResourceNotFound/,
    ],
    [
      "refused connection",
      networkError("ECONNREFUSED"),
      "Unavailable",
      /did not answer \(ECONNREFUSED/,
    ],
    [
      "several addresses",
      Object.assign(new AggregateError([networkError("ECONNREFUSED")]), {}),
      "Unavailable",
      /ECONNREFUSED/,
    ],
    ["unknown host", networkError("ENOTFOUND"), "UnknownHost", /Does contoso/],
    [
      "foreign CA",
      networkError("UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
      "UntrustedServer",
      /not trusted/,
    ],
    [
      "no credential",
      Object.assign(new Error("EnvironmentCredential is unavailable"), {
        name: "CredentialUnavailableError",
      }),
      "Unauthorized",
      /az login/,
    ],
    ["anything else", new TypeError("x is not a function"), "Unexpected", /x is not a function/],
  ];

  for (const [name, error, code, message] of rows) {
    it(`codes ${name} as ${code} and says what was attempted`, () => {
      const coded = toServiceError(error, attempt);
      assert.equal(coded.code, code);
      assert.match(coded.message, /^Could not write enrollment group "plant": /);
      assert.match(coded.message, message);
    });
  }

  it("keeps status, service code and the time to wait", () => {
    const coded = toServiceError(
      dpsError(429, { errorCode: 429001, message: "Slow down." }, { "retry-after": "7" }),
      attempt,
    );
    assert.deepEqual([coded.status, coded.serviceCode, coded.retryAfterMs], [429, "429001", 7000]);
  });

  it("reads the hub's words for how long to wait", () => {
    const body = { Message: "ErrorCode:ThrottlingException;Wait 10 seconds and try again." };
    assert.equal(toServiceError(dpsError(429, body), attempt).retryAfterMs, 10_000);
  });

  it("names access policies, not roles, when keys are used", () => {
    const withKeys = { ...attempt, connection: { ...attempt.connection, auth: "keys" as const } };
    assert.match(toServiceError(dpsError(401), withKeys).message, /EnrollmentWrite/);
  });

  it("leaves a coded error as it is, and carries no cause", () => {
    const coded = toServiceError(dpsError(412), attempt);
    assert.equal(toServiceError(coded, { ...attempt, operation: "x" }), coded);
    assert.equal(coded.cause, undefined);
    assert(coded instanceof ServiceError);
  });

  it("hides keys, tokens and PEM, and shows thumbprints", () => {
    const thumbprint = "AB".repeat(32);
    const key = Buffer.alloc(33, 7).toString("base64");
    const text = [
      `HostName=h;SharedAccessKey=${key}`,
      `SharedAccessSignature sr=h&sig=abc%2Bdef&se=1`,
      "Authorization: Bearer eyJhbGciOi.eyJzdWIi.c2ln",
      "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----",
      `"primaryKey":"short"`,
      thumbprint,
    ].join(" ");
    const shown = withoutSecrets(text);
    for (const secret of [key, "abc%2Bdef", "eyJhbGciOi", "MIGH", "short"]) {
      assert(!shown.includes(secret), secret);
    }
    assert(shown.includes(thumbprint));
  });
});
