import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { TestCa, type Issued } from "../../support/test-ca";
import { GOOD_TOKEN } from "../sandbox-parts";
import {
  request,
  smallSandbox,
  startHttps,
  type Answer,
  type RawRequest,
  type SmallSandbox,
} from "./small-sandbox";

const VERSION = "api-version=2021-10-01";
const IN_AN_HOUR = Math.floor(Date.now() / 1000) + 3600;

describe("access to the service API, and its edges", () => {
  let small: SmallSandbox;
  let front: { port: number; close(): Promise<void> };
  let leaf: Issued;

  beforeEach(async () => {
    small = await smallSandbox();
    front = await startHttps(small);
    leaf = await TestCa.selfSigned("truck-7");
  });

  afterEach(async () => {
    await front.close();
    await small.close();
  });

  const send = (path: string, more: Partial<RawRequest> = {}): Promise<Answer> =>
    request(small, front.port, {
      path: path.includes("?") ? path : `${path}?${VERSION}`,
      ...more,
      headers: { authorization: `Bearer ${GOOD_TOKEN}`, ...more.headers },
    });
  const sas = (policy: string, key: string, audience = "localhost", expiry = IN_AN_HOUR) => {
    const signature = createHmac("sha256", Buffer.from(key, "base64"))
      .update(`${audience}\n${expiry}`)
      .digest("base64");
    const sig = encodeURIComponent(signature);
    return `SharedAccessSignature sr=${audience}&sig=${sig}&skn=${policy}&se=${expiry}`;
  };
  const key = () => small.service().authorizationPolicies[0]!.primaryKey;
  const body = () => ({
    registrationId: "truck-7",
    attestation: {
      type: "x509",
      x509: { clientCertificates: { primary: { certificate: leaf.pem } } },
    },
  });

  it("refuses without saying why, and logs why", async () => {
    const owner = "provisioningserviceowner";
    const wrong = Buffer.alloc(32).toString("base64");
    for (const authorization of [
      "",
      "Bearer of-somebody-else",
      "Basic abc",
      sas(owner, wrong),
      sas("nobody", key()),
      sas(owner, key(), "other.azure-devices-provisioning.net"),
      sas(owner, key(), "localhost", 1_000_000_000),
    ]) {
      const answer = await send("/enrollments/truck-7", { headers: { authorization } });
      assert.equal(answer.status, 401, authorization.slice(0, 40));
      assert.equal(answer.body["message"], "Unauthorized");
      assert.equal(answer.headers["x-ms-error-code"], "401002");
    }
    assert.match(small.requests[4]!.note!, /no access policy "nobody"/);
    assert.match(small.requests[6]!.note!, /expired/);
    assert.ok(small.requests.every(({ note }) => !note?.includes(key())));
  });

  it("takes signatures for its own host name, escaped or with a port", async () => {
    const own = small.service().serviceHostName;
    for (const audience of [
      own,
      `${own}:443`,
      encodeURIComponent(`${own}:443`),
      "localhost:28443",
    ]) {
      const authorization = sas("provisioningserviceowner", key(), audience);
      const { status } = await send("/enrollments/truck-7", { headers: { authorization } });
      assert.equal(status, 404, audience);
    }
  });

  it("asks for the right of each operation", async () => {
    const rights = ["EnrollmentRead", "RegistrationStatusRead", "RegistrationStatusWrite"];
    const secret = Buffer.alloc(32, 7).toString("base64");
    small.change({
      authorizationPolicies: [...rights, "ServiceConfig", "EnrollmentWrite"].map((right) => ({
        keyName: right,
        primaryKey: secret,
        secondaryKey: secret,
        rights: right,
      })),
    });
    const query = { method: "POST", body: { query: "SELECT *" } };
    const operations: [string, Partial<RawRequest>, string[]][] = [
      ["/enrollments/x", {}, ["EnrollmentRead", "EnrollmentWrite"]],
      ["/enrollments/query", query, ["EnrollmentRead", "EnrollmentWrite"]],
      ["/enrollmentGroups/x", {}, ["EnrollmentRead", "EnrollmentWrite"]],
      ["/enrollments/x", { method: "PUT", body: {} }, ["EnrollmentWrite"]],
      ["/enrollments/x", { method: "DELETE" }, ["EnrollmentWrite"]],
      ["/enrollments", { method: "POST", body: {} }, ["EnrollmentWrite"]],
      [
        "/registrations/x",
        {},
        ["EnrollmentWrite", "RegistrationStatusRead", "RegistrationStatusWrite"],
      ],
      ["/registrations/x", { method: "DELETE" }, ["EnrollmentWrite", "RegistrationStatusWrite"]],
    ];
    for (const [path, how, enough] of operations) {
      const admitted = [];
      for (const policy of [...rights, "ServiceConfig", "EnrollmentWrite"]) {
        const headers = { authorization: sas(policy, secret) };
        if ((await send(path, { ...how, headers })).status !== 401) {
          admitted.push(policy);
        }
      }
      assert.deepEqual(admitted.sort(), enough, `${how.method ?? "GET"} ${path}`);
    }
  });

  it("demands an api-version and does not mind which", async () => {
    assert.equal((await send("/enrollments/x?")).status, 400);
    assert.equal((await send("/enrollments/x?api-version=new")).status, 400);
    assert.equal((await send("/enrollments/x?api-version=2019-03-31")).status, 404);
    assert.equal((await send("/enrollments/x?api-version=2026-11-01")).status, 404);
  });

  it("finds paths in any case and with a slash at the end", async () => {
    assert.equal((await send("/Enrollments/truck-7", { method: "PUT", body: body() })).status, 200);
    assert.equal((await send("/ENROLLMENTS/TRUCK-7")).status, 200);
    const bulk = { enrollments: [body()], mode: "delete" };
    assert.equal((await send("/enrollments/", { method: "POST", body: bulk })).status, 200);
    assert.equal(
      (await send("/enrollmentgroups/none/attestationmechanism", { method: "POST" })).status,
      404,
    );
  });

  it("answers 501 by name to what it does not have", async () => {
    const where = { method: "POST", body: { query: "SELECT * WHERE provisioningStatus = 'x'" } };
    assert.equal((await send("/enrollments/query", where)).status, 501);
    const answer = await send("/enrollments/truck-7", { method: "PATCH", body: {} });
    assert.equal(answer.status, 501);
    assert.match(String(answer.body["message"]), /PATCH \/enrollments\/truck-7/);
  });

  it("answers 400 to a bad continuation token, page size or body", async () => {
    const query = { method: "POST", body: { query: "SELECT *" } };
    for (const headers of [
      { "x-ms-continuation": "AAAA" },
      { "x-ms-max-item-count": "0" },
      { "x-ms-max-item-count": "many" },
    ]) {
      const answer = await send("/enrollments/query", { ...query, headers });
      assert.equal(answer.status, 400);
      assert.equal(answer.body["errorCode"], 400000);
    }
    assert.equal((await send("/enrollments/query", { method: "POST" })).status, 400);
    assert.equal((await send("/enrollments/x", { method: "PUT", body: [] })).status, 400);
  });

  it("deletes a registration only with its etag", async () => {
    await send("/enrollments/truck-7", { method: "PUT", body: body() });
    const device = { cert: leaf.pem, key: leaf.key };
    const path = `/0ne00ABCDEF/registrations/truck-7/register?${VERSION}`;
    const started = { method: "PUT", body: { registrationId: "truck-7" }, ...device };
    assert.equal((await request(small, front.port, { path, ...started })).status, 202);
    const { etag } = (await send("/registrations/truck-7")).body;
    const remove = (match: string) =>
      send("/registrations/truck-7", { method: "DELETE", headers: { "if-match": match } });
    assert.equal((await remove("AAAA")).status, 412);
    assert.equal((await remove(String(etag))).status, 204);
    assert.equal((await remove("*")).status, 404);
  });

  it("deletes the registration record together with its individual enrollment", async () => {
    await send("/enrollments/truck-7", { method: "PUT", body: body() });
    await request(small, front.port, {
      path: `/0ne00ABCDEF/registrations/truck-7/register?${VERSION}`,
      method: "PUT",
      body: { registrationId: "truck-7" },
      cert: leaf.pem,
      key: leaf.key,
    });
    await send("/enrollments/truck-7", { method: "DELETE" });
    assert.equal((await send("/registrations/truck-7")).status, 404);
  });

  it("starts empty when the service was deleted and made anew", async () => {
    await send("/enrollments/truck-7", { method: "PUT", body: body() });
    small.change({ idScope: "0ne00000002" });
    assert.equal((await send("/enrollments/truck-7")).status, 404);
    small.sandbox.services.delete(small.service().name);
    assert.equal((await send("/enrollments/truck-7")).body["errorCode"], 404000);
  });

  describe("with other settings for what is not known", () => {
    const restart = async (switches: Parameters<typeof startHttps>[1]) => {
      await front.close();
      front = await startHttps(small, switches);
    };

    for (const [setting, status] of [
      ["accepted", 200],
      ["refused", 400],
    ] as const) {
      it(`sameCertificateTwice=${setting}: one certificate in two enrollments`, async () => {
        await restart({ sameCertificateTwice: setting });
        const other = { ...body(), registrationId: "truck-8" };
        const put = async (id: string, sent: object, headers = {}) =>
          (await send(`/enrollments/${id}`, { method: "PUT", body: sent, headers })).status;
        assert.equal(await put("truck-7", body()), 200);
        assert.equal(await put("truck-8", other), status);
        // Its own is not another one.
        assert.equal(await put("truck-7", body(), { "if-match": "*" }), 200);
      });
    }

    it("leaves the registration record when an individual enrollment is deleted", async () => {
      await restart({ individualDeleteRemovesRegistration: false });
      await send("/enrollments/truck-7", { method: "PUT", body: body() });
      await request(small, front.port, {
        path: `/0ne00ABCDEF/registrations/truck-7/register?${VERSION}`,
        method: "PUT",
        body: { registrationId: "truck-7" },
        cert: leaf.pem,
        key: leaf.key,
      });
      await send("/enrollments/truck-7", { method: "DELETE" });
      assert.equal((await send("/registrations/truck-7")).status, 200);
    });

    for (const [setting, status] of [
      ["listed", 200],
      ["not-found", 404],
    ] as const) {
      it(`registrationsOfDeletedGroup=${setting}: the records of a group that was deleted`, async () => {
        await restart({ registrationsOfDeletedGroup: setting });
        const { status: answered } = await send("/registrations/gone/query", {
          method: "POST",
          body: {},
        });
        assert.equal(answered, status);
      });
    }

    it("makes new keys when an update sends none", async () => {
      await restart({ keysOmittedInUpdate: "generated" });
      const entry = { registrationId: "truck-7", attestation: { type: "symmetricKey" } };
      const made = await send("/enrollments/truck-7", { method: "PUT", body: entry });
      const headers = { "if-match": "*" };
      const again = await send("/enrollments/truck-7", { method: "PUT", body: entry, headers });
      const keyOf = (answer: typeof made) =>
        (answer.body["attestation"] as { symmetricKey: { primaryKey: string } }).symmetricKey
          .primaryKey;
      assert.notEqual(keyOf(made), keyOf(again));
    });

    it("takes a secondary certificate alone", async () => {
      await restart({ primaryRequired: false });
      const clientCertificates = { secondary: { certificate: leaf.pem } };
      const alone = { ...body(), attestation: { type: "x509", x509: { clientCertificates } } };
      const answer = await send("/enrollments/truck-7", { method: "PUT", body: alone });
      assert.equal(answer.status, 200);
      const { x509 } = answer.body["attestation"] as { x509: { clientCertificates: object } };
      assert.deepEqual(Object.keys(x509.clientCertificates), ["secondary"]);
    });
  });
});
