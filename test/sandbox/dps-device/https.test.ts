import "reflect-metadata";
import assert from "node:assert/strict";
import { SubjectAlternativeNameExtension } from "@peculiar/x509";
import { KeyUsageFlags, rsa, TestCa, type CertificateOptions } from "../../support/test-ca";
import { ID_SCOPE, request } from "../dps-service/small-sandbox";
import {
  fixture,
  groupBody,
  ID,
  individualBody,
  stateOf,
  withGroup,
  type Fixture,
} from "./fixture";

describe("the device API over HTTPS", () => {
  let f: Fixture;

  beforeEach(async () => {
    f = await fixture();
  });

  afterEach(() => f.close());

  it("answers a registration with 202, where to ask, and when", async () => {
    const { leaf } = await withGroup(f);
    const answer = await f.device(leaf, "PUT", `${ID}/register`, { registrationId: ID });
    assert.equal(answer.status, 202);
    assert.equal(answer.headers["retry-after"], "3");
    assert.equal(answer.body["status"], "assigning");
    const operationId = String(answer.body["operationId"]);
    assert.match(operationId, /^5\.[0-9a-f]{16}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.ok(String(answer.headers["location"]).endsWith(`/${ID}/operations/${operationId}`));
    assert.equal((await f.service("GET", `/registrations/${ID}`)).body["status"], "assigning");
  });

  it("assigns at the first poll, and answers the same at later ones", async () => {
    const { leaf } = await withGroup(f);
    const started = await f.device(leaf, "PUT", `${ID}/register`, { registrationId: ID });
    const path = `${ID}/operations/${String(started.body["operationId"])}`;
    const answer = await f.device(leaf, "GET", path);
    assert.equal(answer.status, 200);
    assert.equal(answer.body["status"], "assigned");
    const { createdDateTimeUtc, lastUpdatedDateTimeUtc, etag, ...rest } = stateOf(answer);
    assert.deepEqual(rest, {
      x509: {},
      registrationId: ID,
      assignedHub: "alpha.azure-devices.net",
      deviceId: ID,
      status: "assigned",
      substatus: "initialAssignment",
    });
    assert.ok(createdDateTimeUtc && lastUpdatedDateTimeUtc && etag);
    assert.deepEqual((await f.device(leaf, "GET", path)).body, answer.body);
    assert.deepEqual(f.small.hubs.calls, [
      `assign alpha.azure-devices.net/${ID} ${leaf.thumbprint}`,
    ]);
  });

  it("says assigning for as many polls as it is set to", async () => {
    await f.close();
    f = await fixture({ pollsWhileAssigning: 2 });
    const { leaf } = await withGroup(f);
    const started = await f.device(leaf, "PUT", `${ID}/register`, { registrationId: ID });
    const path = `${ID}/operations/${String(started.body["operationId"])}`;
    const statuses = [];
    for (let at = 0; at < 3; at++) {
      statuses.push((await f.device(leaf, "GET", path)).status);
    }
    assert.deepEqual(statuses, [202, 202, 200]);
  });

  it("assigns a device that never polls, once the time has passed", async () => {
    const { leaf } = await withGroup(f);
    await f.device(leaf, "PUT", `${ID}/register`, { registrationId: ID });
    f.small.clock.advance(3000);
    assert.equal((await f.service("GET", `/registrations/${ID}`)).body["status"], "assigned");
  });

  it("lets a newer registration take the place of one under way, or answers 409 where it is set to", async () => {
    const twice = async () => {
      const { leaf } = await withGroup(f);
      const start = () => f.device(leaf, "PUT", `${ID}/register`, { registrationId: ID });
      const first = await start();
      const second = await start();
      return { leaf, first, second, start };
    };
    const replaced = await twice();
    assert.equal(replaced.second.status, 202);
    const path = `${ID}/operations/${String(replaced.first.body["operationId"])}`;
    assert.equal((await f.device(replaced.leaf, "GET", path)).status, 404);

    await f.close();
    f = await fixture({ concurrentRegistration: "conflict" });
    const { second, start } = await twice();
    assert.deepEqual([second.status, second.body["errorCode"]], [409, 409200]);
    f.small.clock.advance(3000);
    assert.equal((await start()).status, 202);
  });

  it("looks up the registration of the device that asks", async () => {
    const { leaf } = await withGroup(f);
    assert.equal((await f.device(leaf, "POST", ID, {})).status, 404);
    await f.register(leaf);
    const answer = await f.device(leaf, "POST", ID, {});
    assert.equal(answer.status, 200);
    assert.equal(answer.body["assignedHub"], "alpha.azure-devices.net");
  });

  it("gives an individual enrollment's device its own device ID", async () => {
    const leaf = await TestCa.selfSigned(ID);
    await f.enroll(`/enrollments/${ID}`, individualBody(leaf, { deviceId: "seven" }));
    assert.equal(stateOf(await f.register(leaf))["deviceId"], "seven");
    const entry = await f.service("GET", `/enrollments/${ID}`);
    assert.equal(stateOf(entry)["deviceId"], "seven");
  });

  it("takes no notice of the case of a registration ID", async () => {
    const leaf = await TestCa.selfSigned(ID.toUpperCase());
    await f.enroll(`/enrollments/${ID}`, individualBody(leaf));
    assert.equal((await f.register(leaf, ID.toUpperCase())).body["status"], "assigned");
    assert.equal((await f.service("GET", `/registrations/${ID}`)).status, 200);
  });

  describe("refuses with 401 and code 401002", () => {
    const refused = async (promise: Promise<{ status: number; headers: object; body: object }>) => {
      const { status, headers, body } = await promise;
      const { errorCode, message } = body as { errorCode: number; message: string };
      assert.equal(status, 401);
      assert.equal(errorCode, 401002);
      assert.equal((headers as Record<string, unknown>)["x-ms-error-code"], "401002");
      return message;
    };

    it("a CA that was not uploaded: CA certificate not found.", async () => {
      const leaf = await (await TestCa.root("Unknown")).leaf(ID);
      assert.equal(await refused(f.register(leaf)), "CA certificate not found.");
    });

    it("a CA that was uploaded and not verified", async () => {
      const root = await TestCa.root("Root");
      f.small.addCa("root", root.der, false);
      await f.enroll("/enrollmentGroups/trucks", groupBody("trucks", "root"));
      assert.equal(await refused(f.register(await root.leaf(ID))), "CA certificate not found.");
    });

    it("a leaf that is in neither slot: Invalid certificate", async () => {
      await f.enroll(`/enrollments/${ID}`, individualBody(await TestCa.selfSigned(ID)));
      const other = await TestCa.selfSigned(ID);
      assert.equal(await refused(f.register(other)), "Invalid certificate");
    });

    it("another common name", async () => {
      const { ca } = await withGroup(f);
      const other = await ca.leaf("truck-8");
      assert.equal(await refused(f.register(other, ID)), "Invalid certificate");
    });

    it("a disabled group and a deleted one: Unauthorized", async () => {
      const { leaf } = await withGroup(f, { provisioningStatus: "disabled" });
      assert.equal(await refused(f.register(leaf)), "Unauthorized");
      await f.service("DELETE", "/enrollmentGroups/trucks");
      assert.equal(await refused(f.register(leaf)), "Unauthorized");
    });

    it("a disabled individual enrollment inside an enabled group", async () => {
      const { leaf } = await withGroup(f);
      const body = individualBody(leaf, { provisioningStatus: "disabled" });
      await f.enroll(`/enrollments/${ID}`, body);
      assert.equal(await refused(f.register(leaf)), "Unauthorized");
      assert.deepEqual(f.small.hubs.calls, []);
    });

    it("a certificate of a group under a registration ID that is disabled by a symmetric key", async () => {
      const { ca, leaf } = await withGroup(f);
      const attestation = { type: "symmetricKey" };
      const denied = { registrationId: ID, attestation, provisioningStatus: "disabled" };
      await f.enroll(`/enrollments/${ID}`, denied);
      assert.equal(await refused(f.register(leaf)), "Unauthorized");
      assert.equal(await refused(f.register(await ca.leaf(ID))), "Unauthorized");
      assert.equal((await f.register(await ca.leaf("truck-8"), "truck-8")).status, 200);
    });

    it("a certificate where an enabled enrollment has symmetric keys", async () => {
      const { leaf } = await withGroup(f);
      await f.enroll(`/enrollments/${ID}`, {
        registrationId: ID,
        attestation: { type: "symmetricKey" },
      });
      assert.equal(await refused(f.register(leaf)), "Invalid certificate");
    });

    it("a leaf whose time is over by the sandbox's clock", async () => {
      const { leaf } = await withGroup(f);
      assert.equal((await f.register(leaf)).status, 200);
      f.small.clock.advance(31 * 24 * 60 * 60 * 1000);
      assert.equal(await refused(f.register(leaf)), "Invalid certificate");
    });

    it("no certificate at all", async () => {
      await withGroup(f);
      const answer = request(f.small, f.port, {
        method: "PUT",
        path: `/${ID_SCOPE}/registrations/${ID}/register?api-version=2021-10-01`,
        body: { registrationId: ID },
      });
      assert.equal(await refused(answer), "Unauthorized");
    });

    it("a poll with another certificate than registered", async () => {
      const { ca, leaf } = await withGroup(f);
      const started = await f.device(leaf, "PUT", `${ID}/register`, { registrationId: ID });
      const path = `${ID}/operations/${String(started.body["operationId"])}`;
      await refused(f.device(await ca.leaf(ID), "GET", path));
    });
  });

  it("lets a certificate pass a disabled symmetric key where disabled entries deny by certificate", async () => {
    await f.close();
    f = await fixture({ disabledIndividualDenies: "certificate" });
    const { leaf } = await withGroup(f);
    await f.enroll(`/enrollments/${ID}`, {
      registrationId: ID,
      attestation: { type: "symmetricKey" },
      provisioningStatus: "disabled",
    });
    assert.equal((await f.register(leaf)).status, 200);
  });

  it("fails the operation for an unverified CA where it is set to, as seen in 2018", async () => {
    await f.close();
    f = await fixture({ unverifiedCa: "operation-failed" });
    const root = await TestCa.root("Root");
    f.small.addCa("root", root.der, false);
    await f.enroll("/enrollmentGroups/trucks", groupBody("trucks", "root"));
    const answer = await f.register(await root.leaf(ID));
    assert.equal(answer.body["status"], "failed");
    assert.equal(stateOf(answer)["errorCode"], 401002);
    assert.equal(stateOf(answer)["errorMessage"], "Invalid certificate");
  });

  it("names what it does not have: TPM, certificate requests", async () => {
    const { leaf } = await withGroup(f);
    for (const extra of [{ tpm: { endorsementKey: "AA" } }, { csr: "AA" }]) {
      const body = { registrationId: ID, ...extra };
      assert.equal((await f.device(leaf, "PUT", `${ID}/register`, body)).status, 501);
    }
  });

  it("takes a payload and returns none: only a webhook's would be (documentation)", async () => {
    // learn.microsoft.com/azure/iot-dps/how-to-send-additional-data; the CLI extension's tests send one.
    const { leaf } = await withGroup(f);
    const body = { registrationId: ID, payload: { Thermostat: { $metadata: {} } } };
    const started = await f.device(leaf, "PUT", `${ID}/register`, body);
    assert.equal(started.status, 202);
    const path = `${ID}/operations/${String(started.body["operationId"])}`;
    const answer = await f.device(leaf, "GET", path);
    assert.equal(answer.body["status"], "assigned");
    assert.ok(!("payload" in stateOf(answer)));
  });

  it("answers 400 to registration IDs that none can be (characters: documentation; status: assumed)", async () => {
    const { ca } = await withGroup(f);
    for (const id of ["truck 7", "truck.", "trück", "truck$", "t".repeat(129)]) {
      const leaf = await ca.leaf(id);
      const path = `${encodeURIComponent(id)}/register`;
      const answer = await f.device(leaf, "PUT", path, { registrationId: id });
      assert.deepEqual([id, answer.status, answer.body["errorCode"]], [id, 400, 400000]);
    }
    for (const id of ["a", "7", "-", "a.b_c:d-e", "T".repeat(128)]) {
      const answer = await f.register(await ca.leaf(id), id);
      assert.deepEqual([id, answer.body["status"]], [id, "assigned"]);
    }
  });

  it("hears of odd keys, signatures and sizes, because TLS lets them through", async () => {
    const { ca } = await withGroup(f);
    const names = Array.from({ length: 300 }, (_, at) => `alias-${at}.trucks.example`);
    const alternatives = names.map((value) => ({ type: "dns" as const, value }));
    const odd: CertificateOptions[] = [
      { algorithm: rsa(2048) },
      { algorithm: rsa(1024) },
      { algorithm: { name: "ECDSA", namedCurve: "P-384" } },
      { algorithm: { name: "ECDSA", namedCurve: "P-521" } },
      { algorithm: { name: "Ed25519" } },
      { hash: "SHA-1" },
      { extendedKeyUsage: ["1.3.6.1.5.5.7.3.2"] },
      { keyUsage: KeyUsageFlags.keyEncipherment },
      { extensions: [new SubjectAlternativeNameExtension(alternatives)] },
    ];
    for (const options of odd) {
      const answer = await f.register(await ca.leaf(ID, options));
      assert.deepEqual([answer.status, answer.body["status"]], [200, "assigned"]);
    }
  });

  it("does not know other scopes, other operations, other bodies", async () => {
    const { leaf } = await withGroup(f);
    const elsewhere = await request(f.small, f.port, {
      method: "PUT",
      path: `/0ne00000000/registrations/${ID}/register?api-version=2021-10-01`,
      body: { registrationId: ID },
      cert: leaf.chainPem,
      key: leaf.key,
    });
    assert.equal(elsewhere.status, 404);
    assert.equal((await f.device(leaf, "GET", `${ID}/operations/5.0.0`)).status, 404);
    const mixed = await f.device(leaf, "PUT", `${ID}/register`, { registrationId: "truck-8" });
    assert.equal(mixed.status, 400);
    const unversioned = await request(f.small, f.port, {
      method: "PUT",
      path: `/${ID_SCOPE}/registrations/${ID}/register`,
      body: { registrationId: ID },
    });
    assert.equal(unversioned.status, 400);
  });

  it("logs who was admitted or why not, under the right service", async () => {
    const { leaf } = await withGroup(f);
    await f.register(leaf);
    await f.register(await TestCa.selfSigned(ID));
    const logged = f.small.requests.filter(({ service }) => service === "dps-device");
    assert.deepEqual(
      logged.map(({ status }) => status),
      [202, 200, 401],
    );
    assert.match(logged[0]!.note!, new RegExp(`group trucks, leaf ${leaf.thumbprint}`));
    assert.match(logged[2]!.note!, /CA certificate not found.*no issuer/);
    assert.ok(f.small.requests.some(({ service }) => service === "dps-service"));
  });
});
