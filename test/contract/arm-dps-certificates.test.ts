import assert from "node:assert/strict";
import { IotDpsClient } from "@azure/arm-deviceprovisioningservices";
import type { DpsCertificate } from "@azure/arm-deviceprovisioningservices";
import { TestCa } from "../support/test-ca";
import { DPS_CERTIFICATE_CLI, groupOf, openArm, type ArmStage } from "./arm";
import { Contract, refused } from "./answers";

const PACKAGE = "@azure/arm-deviceprovisioningservices";
const SPEC = "azure-rest-api-specs: deviceprovisioningservices, 2022-02-05";
const SHAPE = new IotDpsClient({} as never, "none");

describe(`${PACKAGE}: CA certificates`, () => {
  const certificates = new Contract<DpsCertificate>(
    `${PACKAGE} dpsCertificate`,
    groupOf(SHAPE, "dpsCertificate"),
  );
  let stage: ArmStage;

  before(async () => {
    stage = await openArm();
  });
  after(() => stage.close());

  const group = () => stage.place.names.resourceGroup;
  const service = () => stage.place.names.service;
  const at = () => [group(), service()] as const;
  const upload = (name: string, ifMatch?: string, isVerified?: boolean) =>
    stage.dps.dpsCertificate.createOrUpdate(
      ...at(),
      name,
      {
        properties: {
          certificate: Buffer.from(stage.ca.pem),
          ...(isVerified === undefined ? {} : { isVerified }),
        },
      },
      ifMatch === undefined ? {} : { ifMatch },
    );

  certificates.answers(
    "createOrUpdate",
    "200, the subject's common name, SHA-1, not verified",
    DPS_CERTIFICATE_CLI,
    async () => {
      const { properties, type } = await upload("made");
      assert.equal(type, "Microsoft.Devices/provisioningServices/Certificates");
      assert.equal(properties?.subject, "Contoso root");
      assert.match(properties?.thumbprint ?? "", /^[0-9A-F]{40}$/);
      assert.equal(properties?.isVerified, false);
    },
  );
  certificates.answers(
    "createOrUpdate",
    "an update needs the newest etag: 412 without one, and with an old one",
    "terraform-provider-azurerm#20041",
    async () => {
      const { etag } = await upload("updated");
      await refused(upload("updated"), 412, 412001);
      await upload("updated", etag);
      await refused(upload("updated", etag), 412, 412001);
    },
  );
  certificates.answers(
    "createOrUpdate",
    "verified at once when it is sent so",
    DPS_CERTIFICATE_CLI,
    async () => assert.equal((await upload("told", undefined, true)).properties?.isVerified, true),
  );
  certificates.answers("get", "404015 when there is none", DPS_CERTIFICATE_CLI, async () =>
    refused(stage.dps.dpsCertificate.get("nobody", ...at()), 404, 404015),
  );
  certificates.answers("list", "all of a service", DPS_CERTIFICATE_CLI, async () => {
    await upload("listed");
    const { value } = await stage.dps.dpsCertificate.list(...at());
    assert.ok(value?.some(({ name }) => name === "listed"));
  });
  certificates.answers(
    ["generateVerificationCode", "verifyCertificate"],
    "a code of 48 digits with a new etag; a certificate of that name by the CA's key proves it",
    DPS_CERTIFICATE_CLI,
    async () => {
      const { dpsCertificate } = stage.dps;
      const { etag } = await upload("proved");
      const coded = await dpsCertificate.generateVerificationCode("proved", etag!, ...at());
      const code = coded.properties?.verificationCode ?? "";
      assert.match(code, /^[0-9A-F]{48}$/);
      assert.notEqual(coded.etag, etag);
      const prove = async (ca: typeof stage.ca) =>
        dpsCertificate.verifyCertificate("proved", coded.etag!, ...at(), {
          certificate: Buffer.from((await ca.leaf(code)).pem).toString("base64"),
        });
      await refused(prove(await TestCa.root("Contoso root")), 400);
      const proved = await prove(stage.ca);
      assert.equal(proved.properties?.isVerified, true);
      assert.notEqual(proved.etag, coded.etag);
    },
  );
  certificates.answers(
    "delete",
    "200 with the newest etag, 412 with an old one",
    SPEC,
    async () => {
      const first = await upload("deleted");
      const { etag } = await upload("deleted", first.etag);
      const remove = (value: string) =>
        stage.dps.dpsCertificate.delete(group(), value, service(), "deleted");
      await refused(remove(first.etag!), 412);
      await remove(etag!);
      await refused(stage.dps.dpsCertificate.get("deleted", ...at()), 404);
    },
  );
});
