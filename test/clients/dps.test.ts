import assert from "node:assert/strict";
import { issueProofOfPossession, keySigner } from "../../certificates/proof-of-possession";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { EnrollmentsClient } from "../../clients/enrollments";
import { startProvisioningFront } from "../../sandbox/dps-service/front";
import { ARM_ONLY } from "../support/sandbox";
import { type Issued, TestCa } from "../support/test-ca";
import { type AttachedSandbox, openAttached } from "./attached-sandbox";

const WITHOUT_HUBS = { ...ARM_ONLY, provisioningService: startProvisioningFront };

describe("clients of the provisioning service", () => {
  let sandbox: AttachedSandbox;
  let ca: TestCa;
  let leaf: Issued;

  before(async () => {
    sandbox = await openAttached({ fronts: WITHOUT_HUBS });
    ca = await TestCa.root("Contoso root");
    leaf = await TestCa.selfSigned("truck-7");
  });

  after(() => sandbox.close());

  describe("CA certificates", () => {
    let client: CaCertificatesClient;

    before(() => {
      client = new CaCertificatesClient(sandbox.connection);
    });

    it("uploads, proves possession, replaces and deletes, each with the etag that was read", async () => {
      const uploaded = await client.upload("root", ca.pem);
      assert.equal(uploaded.isVerified, false);
      assert.equal(uploaded.subject, "Contoso root");
      assert.match(uploaded.thumbprint, /^[0-9A-F]{40}$/);
      const { code, etag } = await client.generateVerificationCode("root", uploaded.etag);
      assert.notEqual(etag, uploaded.etag);
      const proof = await issueProofOfPossession(
        code,
        ca.pem,
        keySigner(ca.pem, ca.certificate.key),
      );
      const verified = await client.verify("root", proof, etag);
      assert.equal(verified.isVerified, true);
      assert.deepEqual(await client.list(), [await client.get("root")]);
      await assert.rejects(client.delete("root", uploaded.etag), { code: "PreconditionFailed" });
      await assert.rejects(client.upload("root", ca.pem), { code: "PreconditionFailed" });
      await client.delete("root", verified.etag);
      assert.equal(await client.get("root"), undefined);
      await client.delete("root", verified.etag);
    });

    it("takes a self-attested certificate as verified", async () => {
      const uploaded = await client.upload("told", ca.pem, { selfAttested: true });
      assert.equal(uploaded.isVerified, true);
      await client.delete("told", uploaded.etag);
    });

    it("refuses a proof by another key", async () => {
      const other = await TestCa.root("Contoso root");
      const { etag } = await client.upload("mine", ca.pem);
      const next = await client.generateVerificationCode("mine", etag);
      const proof = await issueProofOfPossession(
        next.code,
        other.pem,
        keySigner(other.pem, other.certificate.key),
      );
      await assert.rejects(client.verify("mine", proof, next.etag), { code: "BadRequest" });
    });

    it("does not take a missing service for a missing certificate", async () => {
      const elsewhere = new CaCertificatesClient({ ...sandbox.connection, service: "nowhere" });
      await assert.rejects(elsewhere.get("root"), { code: "NotFound" });
    });
  });

  for (const auth of ["entra", "keys"] as const) {
    describe(`enrollments with auth: ${auth}`, () => {
      let client: EnrollmentsClient;

      before(() => {
        client = new EnrollmentsClient({ ...sandbox.connection, auth });
      });

      it("creates, reads, updates and deletes an individual enrollment by its etag", async () => {
        const record = {
          registrationId: "truck-7",
          attestation: {
            type: "x509",
            x509: { clientCertificates: { primary: { certificate: leaf.pem } } },
          },
          provisioningStatus: "enabled",
        };
        assert.equal(await client.getIndividual("truck-7"), undefined);
        const made = await client.putIndividual(record);
        await assert.rejects(client.putIndividual(record), { code: "Conflict" });
        const read = await client.getIndividual("truck-7");
        assert.equal(read?.etag, made.etag);
        const { primary } = read.attestation.x509?.clientCertificates ?? {};
        assert.equal(primary?.info?.sha256Thumbprint, leaf.thumbprint);

        // What was read can be sent back: the certificate stays.
        const off = await client.putIndividual(
          { ...read, provisioningStatus: "disabled" },
          read.etag,
        );
        assert.equal(off.provisioningStatus, "disabled");
        const kept = off.attestation.x509?.clientCertificates?.primary;
        assert.equal(kept?.info?.sha256Thumbprint, leaf.thumbprint);
        await assert.rejects(client.putIndividual(read, read.etag), { code: "PreconditionFailed" });
        await assert.rejects(client.deleteIndividual("truck-7", read.etag), {
          code: "PreconditionFailed",
        });
        await client.deleteIndividual("truck-7", off.etag);
        assert.equal(await client.getIndividual("truck-7"), undefined);
        await client.deleteIndividual("truck-7", off.etag);
      });

      it("creates, reads, updates and deletes an enrollment group by its etag", async () => {
        const record = {
          enrollmentGroupId: "plant",
          attestation: {
            type: "x509",
            x509: { signingCertificates: { primary: { certificate: ca.pem } } },
          },
        };
        const made = await client.putGroup(record);
        assert.equal((await client.getGroup("plant"))?.etag, made.etag);
        const off = await client.putGroup({ ...made, provisioningStatus: "disabled" }, made.etag);
        assert.deepEqual(off.attestation, made.attestation);
        await assert.rejects(client.deleteGroup("plant", made.etag), {
          code: "PreconditionFailed",
        });
        assert.deepEqual(
          (await client.queryGroups()).map(({ enrollmentGroupId }) => enrollmentGroupId),
          ["plant"],
        );
        assert.deepEqual(await client.registrationsOfGroup("plant"), []);
        await client.deleteGroup("plant", off.etag);
        assert.deepEqual(await client.queryGroups(), []);
      });
    });
  }

  it("lists more enrollments than fit on one page, each once", async () => {
    const client = new EnrollmentsClient(sandbox.connection);
    const ids = Array.from({ length: 101 }, (_, index) => `van-${index}`);
    await Promise.all(
      ids.map((registrationId) =>
        client.putIndividual({
          registrationId,
          attestation: {
            type: "x509",
            x509: { clientCertificates: { primary: { certificate: leaf.pem } } },
          },
        }),
      ),
    );
    const found = (await client.queryIndividuals()).map(({ registrationId }) => registrationId);
    assert.deepEqual(found.sort(), ids.sort());
  });

  it("finds no registration of a device that never registered", async () => {
    const client = new EnrollmentsClient(sandbox.connection);
    assert.equal(await client.getRegistration("never"), undefined);
    await client.deleteRegistration("never", "AAAA");
  });

  it("names the sandbox's preload when a host of the sandbox is not known", async () => {
    const client = new EnrollmentsClient({
      ...sandbox.connection,
      serviceHostName: "gone.azure-devices-provisioning.sandbox.test",
    });
    await assert.rejects(client.getGroup("plant"), { code: "UnknownHost" });
  });
});
