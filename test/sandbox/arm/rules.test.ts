import assert from "node:assert/strict";
import { createPublicKey, type JsonWebKey } from "node:crypto";
import { ClientSecretCredential } from "@azure/identity";
import jwt from "jsonwebtoken";
import { ARM_ONLY, openSandbox, type TestSandbox } from "../../support/sandbox";

describe("rules for every ARM request", () => {
  let sandbox: TestSandbox;

  before(async () => {
    sandbox = await openSandbox({ fronts: ARM_ONLY });
  });

  after(() => sandbox.close());

  it("wants a token that the sandbox issued, for any audience", async () => {
    const url = `${sandbox.endpoints().arm.endpoint}/subscriptions?api-version=2022-12-01`;
    const none = await sandbox.http("GET", url);
    assert.equal(none.status, 401);
    assert.equal(none.body.error.code, "AuthenticationFailed");
    assert.match(String(none.headers["www-authenticate"]), /^Bearer authorization_uri="https:/);
    const forged = jwt.sign({ tid: sandbox.endpoints().arm.tenantId }, "guess");
    const wrong = await sandbox.http("GET", url, {
      headers: { authorization: `Bearer ${forged}` },
    });
    assert.equal(wrong.body.error.code, "InvalidAuthenticationToken");
    const { token } = await sandbox.credential.getToken("https://elsewhere.example/.default");
    const right = await sandbox.http("GET", url, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(right.status, 200);
  });

  it("wants an api-version that looks like one", async () => {
    const missing = await sandbox.arm("GET", "/subscriptions?api-version=");
    assert.equal(missing.body.error.code, "MissingApiVersionParameter");
    const odd = await sandbox.arm("GET", "/subscriptions", { apiVersion: "latest" });
    assert.equal(odd.body.error.code, "InvalidApiVersionParameter");
  });

  it("takes paths in any case", async () => {
    const path = `/SUBSCRIPTIONS/${sandbox.subscriptionId.toUpperCase()}/RESOURCEGROUPS`;
    assert.equal((await sandbox.arm("GET", path)).status, 200);
  });

  it("answers 501 with the operation's name to what is not written", async () => {
    const path = `/subscriptions/${sandbox.subscriptionId}/providers/Microsoft.Compute/virtualMachines`;
    const { status, body } = await sandbox.arm("GET", path);
    assert.equal(status, 501);
    assert.equal(body.error.message, `The sandbox does not have this operation: GET ${path}`);
  });

  it("knows one subscription, and says which", async () => {
    const { status, body } = await sandbox.arm("GET", "/subscriptions/other/resourcegroups");
    assert.equal(status, 404);
    assert.ok(body.error.message.includes(sandbox.subscriptionId));
  });

  it("refuses a body that is not JSON", async () => {
    const path = `/subscriptions/${sandbox.subscriptionId}/resourcegroups/rg`;
    const headers = { "content-type": "application/json" };
    const { status, body } = await sandbox.arm("PUT", path, { body: "{", headers });
    assert.equal(status, 400);
    assert.equal(body.error.message, "The body is not valid JSON.");
  });

  it("describes its cloud without a token, as one object or, in 2019, a list", async () => {
    const url = `${sandbox.endpoints().arm.endpoint}/metadata/endpoints?api-version=`;
    const now = (await sandbox.http("GET", `${url}2022-09-01`)).body as unknown as {
      authentication: { loginEndpoint: string };
    };
    assert.equal(now.authentication.loginEndpoint, sandbox.endpoints().arm.authorityHost);
    assert.ok(Array.isArray((await sandbox.http("GET", `${url}2019-05-01`)).body));
  });

  it("logs every request, without its token", async () => {
    const seen: string[] = [];
    const listener = (entry: object): void => void seen.push(JSON.stringify(entry));
    sandbox.sandbox.log.on("request", listener);
    await sandbox.arm("GET", "/tenants");
    sandbox.sandbox.log.off("request", listener);
    assert.equal(seen.length, 1);
    assert.match(seen[0]!, /"service":"arm".*"method":"GET","path":"\/tenants","status":200/);
  });
});

describe("the token endpoint", () => {
  let sandbox: TestSandbox;

  before(async () => {
    sandbox = await openSandbox({ fronts: ARM_ONLY });
  });

  after(() => sandbox.close());

  it("signs tokens that its published key verifies", async () => {
    const { arm } = sandbox.endpoints();
    const { token } = await sandbox.credential.getToken("https://iothubs.azure.net/.default");
    const { payload } = jwt.decode(token, { complete: true })!;
    assert.equal((payload as jwt.JwtPayload).aud, "https://iothubs.azure.net");
    const keys = await sandbox.http(
      "GET",
      `${arm.authorityHost}/${arm.tenantId}/discovery/v2.0/keys`,
    );
    const [key] = (keys.body as unknown as { keys: JsonWebKey[] }).keys;
    jwt.verify(token, createPublicKey({ key: key!, format: "jwk" }), { algorithms: ["RS256"] });
  });

  it("refuses a wrong secret as Entra does", async () => {
    const { arm } = sandbox.endpoints();
    const wrong = new ClientSecretCredential(arm.tenantId, arm.clientId, "wrong", {
      authorityHost: arm.authorityHost,
      disableInstanceDiscovery: true,
      tlsOptions: sandbox.clientOptions.tlsOptions,
      retryOptions: { maxRetries: 0 },
    });
    await assert.rejects(wrong.getToken(`${arm.endpoint}/.default`), /AADSTS7000215/);
  });

  const good = { grant_type: "client_credentials", scope: "https://x/.default" };
  const rows: [string, Record<string, string>, number, string, RegExp][] = [
    ["another grant", { ...good, grant_type: "password" }, 400, "unsupported_grant_type", /70003/],
    ["another client", { ...good, client_id: "x" }, 400, "unauthorized_client", /700016/],
    ["a wrong secret", { ...good, client_secret: "x" }, 401, "invalid_client", /7000215/],
    ["no scope", { ...good, scope: "" }, 400, "invalid_request", /900144/],
    [
      "a scope of a delegated right",
      { ...good, scope: "https://x/read" },
      400,
      "invalid_scope",
      /1002012/,
    ],
    ["an assertion", { ...good, client_assertion: "x" }, 501, "not_implemented", /assertion/],
  ];
  for (const [name, form, status, error, description] of rows) {
    it(`refuses ${name}`, async () => {
      const { arm } = sandbox.endpoints();
      const own = { client_id: arm.clientId, client_secret: arm.clientSecret };
      const url = `${arm.authorityHost}/${arm.tenantId}/oauth2/v2.0/token`;
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      const body = new URLSearchParams({ ...own, ...form }).toString();
      const answer = await sandbox.http("POST", url, { body, headers });
      assert.equal(answer.status, status);
      assert.equal(answer.body.error, error);
      assert.match(answer.body.error_description, description);
    });
  }
});
