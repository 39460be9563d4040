import assert from "node:assert/strict";
import type { ProvisioningServiceClient } from "azure-iot-provisioning-service";
import { TestCa, type Issued } from "../../support/test-ca";
import { fails, serve, type Json, type Served } from "./service-client";
import { GOOD_TOKEN } from "../sandbox-parts";
import { request, type SmallSandbox } from "./small-sandbox";

interface Slots {
  primary?: { certificate?: string; info?: { sha256Thumbprint: string } };
  secondary?: { certificate?: string; info?: { sha256Thumbprint: string } };
}

describe("groups, queries and bulk calls through Microsoft's service SDK", () => {
  let served: Served;
  let small: SmallSandbox;
  let client: ProvisioningServiceClient;
  let first: Issued;

  before(async () => {
    first = await TestCa.selfSigned("truck-7");
  });

  beforeEach(async () => {
    served = await serve();
    ({ small, client } = served);
  });

  afterEach(() => served.close());

  const individual = (slots: Slots, more: Json = {}) =>
    ({
      registrationId: "truck-7",
      attestation: { type: "x509", x509: { clientCertificates: slots } },
      ...more,
    }) as never;
  const group = (x509: Json, more: Json = {}) =>
    ({ enrollmentGroupId: "trucks", attestation: { type: "x509", x509 }, ...more }) as never;
  const put = (enrollment: never) => client.createOrUpdateIndividualEnrollment(enrollment);
  const get = async (id: string): Promise<Json> =>
    (await client.getIndividualEnrollment(id)).responseBody as unknown as Json;

  it("names CA certificates in a group, verified or not, and refuses unknown ones", async () => {
    const root = await TestCa.root("Root");
    small.addCa("root", root.der, false);
    const caReferences = { primary: "root" };
    const made = (await client.createOrUpdateEnrollmentGroup(group({ caReferences })))
      .responseBody as unknown as { attestation: Json };
    assert.deepEqual(made.attestation, { type: "x509", x509: { caReferences } });
    const unknown = group({ caReferences: { primary: "other" } }, { etag: "*" });
    await fails(client.createOrUpdateEnrollmentGroup(unknown), 400, 400000);
  });

  it("shows a group's signing certificates by info, also as attestation mechanism", async () => {
    const ca = await TestCa.root("Root");
    const signingCertificates = { primary: { certificate: ca.pem } };
    await client.createOrUpdateEnrollmentGroup(group({ signingCertificates }));
    const mechanism = (await client.getEnrollmentGroupAttestationMechanism("trucks"))
      .responseBody as unknown as { x509: { signingCertificates: Required<Slots> } };
    const { primary } = mechanism.x509.signingCertificates;
    assert.equal(primary.info?.sha256Thumbprint, ca.certificate.thumbprint);
    assert.ok(!("certificate" in primary));
  });

  it("has room for 100 X.509 groups", async () => {
    const root = await TestCa.root("Root");
    small.addCa("root", root.der);
    const make = (at: number) =>
      client.createOrUpdateEnrollmentGroup(
        group({ caReferences: { primary: "root" } }, { enrollmentGroupId: `group-${at}` }),
      );
    for (let at = 0; at < 100; at++) {
      await make(at);
    }
    await fails(make(100), 403, 403000);
  });

  it("pages through a query", async () => {
    const primary = { certificate: first.pem };
    for (const registrationId of ["a", "b", "c"]) {
      await put(individual({ primary }, { registrationId }));
    }
    const query = client.createIndividualEnrollmentQuery({ query: "SELECT *" }, 2);
    const types: unknown[] = [];
    // The promise form of `next` forgets the continuation token.
    const next = () =>
      new Promise<Json[]>((resolve, reject) =>
        query.next(query.continuationToken, (error, items, response) => {
          types.push((response as { headers?: Json } | undefined)?.headers?.["x-ms-item-type"]);
          return error ? reject(error) : resolve(items as unknown as Json[]);
        }),
      );
    const seen: string[][] = [];
    do {
      seen.push((await next()).map(({ registrationId }) => String(registrationId)));
    } while (query.hasMoreResults && query.continuationToken !== undefined);
    assert.deepEqual(types, ["Enrollment", "Enrollment"]);
    assert.deepEqual(seen, [["a", "b"], ["c"]]);
  });

  it("does up to ten things at once, and tells which of them failed", async () => {
    const bulk = (enrollments: never[], mode: string) =>
      new Promise<Json>((resolve, reject) => {
        client.runBulkEnrollmentOperation({ enrollments, mode } as never, (error, result) =>
          error ? reject(error) : resolve(result as unknown as Json),
        );
      });
    const primary = { certificate: first.pem };
    const a = individual({ primary }, { registrationId: "a" });
    const b = individual({ primary }, { registrationId: "b" });
    assert.deepEqual(await bulk([a], "create"), { errors: [], isSuccessful: true });
    assert.deepEqual(await bulk([a, b], "create"), {
      errors: [
        { registrationId: "a", errorCode: 409201, errorStatus: "Enrollment already exists." },
      ],
      isSuccessful: false,
    });
    assert.deepEqual((await bulk([a], "update"))["errors"], [
      { registrationId: "a", errorCode: 409201, errorStatus: "Enrollment already exists." },
    ]);
    const { etag } = await get("a");
    const current = individual({ primary }, { registrationId: "a", etag });
    assert.equal((await bulk([current], "updateIfMatchETag"))["isSuccessful"], true);
    assert.equal((await bulk([current], "updateIfMatchETag"))["isSuccessful"], false);
    assert.equal((await bulk([a, b], "delete"))["isSuccessful"], true);
    await assert.rejects(bulk(Array<never>(11).fill(a), "create"));
  });

  it("does the same to groups, each on its own terms", async () => {
    const bulk = async (enrollmentGroups: Json[], mode: string) => {
      const { body } = await request(small, served.port, {
        method: "POST",
        path: "/enrollmentGroups?api-version=2021-10-01",
        headers: { authorization: `Bearer ${GOOD_TOKEN}` },
        body: { enrollmentGroups, mode },
      });
      return (body["errors"] as Json[]).map((one) => [one["enrollmentGroupId"], one["errorCode"]]);
    };
    const named = (enrollmentGroupId: string, more: Json = {}) => ({
      enrollmentGroupId,
      attestation: { type: "symmetricKey" },
      ...more,
    });
    assert.deepEqual(await bulk([named("a"), named("b"), named("bad.")], "create"), [
      ["bad.", 400000],
    ]);
    const etag = async (id: string) =>
      String((await client.getEnrollmentGroup(id)).responseBody.etag);
    const [a, b] = [await etag("a"), await etag("b")];
    // Recorded for individual enrollments: an update without an etag answers 409201.
    assert.deepEqual(await bulk([named("a"), named("b", { etag: b })], "update"), [["a", 409201]]);
    assert.deepEqual(
      await bulk(
        [named("a", { etag: a }), named("b", { etag: b }), named("c")],
        "updateIfMatchETag",
      ),
      [
        ["b", 412001],
        ["c", 404201],
      ],
    );
    assert.deepEqual(await bulk([named("a", { etag: a }), named("b"), named("c")], "delete"), [
      ["a", 412001],
      ["c", 404201],
    ]);
    assert.equal((await client.getEnrollmentGroup("a")).responseBody.enrollmentGroupId, "a");
  });
});
