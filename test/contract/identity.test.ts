import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ClientAssertionCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  DefaultAzureCredential,
  EnvironmentCredential,
} from "@azure/identity";
import { rsa, TestCa } from "../support/test-ca";
import { type AttachedSandbox, openAttached } from "../clients/attached-sandbox";
import { aim, needsOwnSandbox } from "./aim";
import { Contract } from "./answers";

const FLOW = "learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow";
const CODES = "learn.microsoft.com/entra/identity-platform/reference-error-codes";
const SCOPE = "https://azure-devices-provisioning.net/.default";

describe("@azure/identity", () => {
  // The one operation of a credential; what else the classes have is declared private.
  const contract = ({ name }: { name: string }) =>
    new Contract<{ getToken: unknown }>(`@azure/identity ${name}`, ["getToken"]);
  const secret = contract(ClientSecretCredential);
  const environment = contract(EnvironmentCredential);
  const usual = contract(DefaultAzureCredential);
  const certificate = contract(ClientCertificateCredential);
  const assertion = contract(ClientAssertionCredential);
  let sandbox: AttachedSandbox;
  let folder: string;

  before(async function () {
    needsOwnSandbox(this, "secrets of the sandbox's own client, and what it answers 501");
    sandbox = await openAttached();
    folder = mkdtempSync(join(tmpdir(), "dps-identity-"));
  });
  after(async () => {
    if (aim !== undefined) return;
    rmSync(folder, { recursive: true, force: true });
    await sandbox.close();
  });

  const options = () => ({
    authorityHost: sandbox.endpoints().arm.authorityHost,
    disableInstanceDiscovery: true,
    retryOptions: { maxRetries: 0 },
    tlsOptions: sandbox.clientOptions.tlsOptions,
  });

  secret.answers(
    "getToken",
    "a token for the audience of the scope, for an hour",
    FLOW,
    async () => {
      const { tenantId, clientId, clientSecret } = sandbox.endpoints().arm;
      const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, options());
      const { token, expiresOnTimestamp } = await credential.getToken(SCOPE);
      const claims = JSON.parse(
        Buffer.from(token.split(".")[1]!, "base64url").toString(),
      ) as Record<string, unknown>;
      assert.equal(claims["aud"], "https://azure-devices-provisioning.net");
      assert.equal(claims["tid"], tenantId);
      const minutes = (expiresOnTimestamp - Date.now()) / 60_000;
      assert.ok(minutes > 50 && minutes < 95, `${minutes} minutes`);
    },
  );
  secret.answers("getToken", "AADSTS7000215 to another secret", CODES, async () => {
    const { tenantId, clientId } = sandbox.endpoints().arm;
    const credential = new ClientSecretCredential(tenantId, clientId, "guess", options());
    await assert.rejects(credential.getToken(SCOPE), /AADSTS7000215/);
  });
  secret.answers("getToken", "AADSTS700016 to another client", CODES, async () => {
    const { tenantId, clientSecret } = sandbox.endpoints().arm;
    const other = "00000000-0000-0000-0000-00000000000f";
    const credential = new ClientSecretCredential(tenantId, other, clientSecret, options());
    await assert.rejects(credential.getToken(SCOPE), /AADSTS700016/);
  });
  for (const [contract_, Credential] of [
    [environment, EnvironmentCredential],
    [usual, DefaultAzureCredential],
  ] as const) {
    contract_.answers(
      "getToken",
      "by what the sandbox's environment sets",
      "client: it reads AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET",
      async () => {
        const set = sandbox.environment({});
        const names = Object.keys(set).filter((name) => name.startsWith("AZURE_"));
        assert.ok(names.includes("AZURE_CLIENT_SECRET"));
        const before = Object.fromEntries(names.map((name) => [name, process.env[name]]));
        Object.assign(process.env, Object.fromEntries(names.map((name) => [name, set[name]])));
        try {
          const { token } = await new Credential(options()).getToken(SCOPE);
          assert.equal(token.split(".").length, 3);
        } finally {
          for (const [name, value] of Object.entries(before)) {
            if (value === undefined) delete process.env[name];
            else process.env[name] = value;
          }
        }
      },
    );
  }
  certificate.answers(
    "getToken",
    "501: a client that proves itself by a certificate",
    "client: it sends client_assertion",
    async () => {
      const { tenantId, clientId } = sandbox.endpoints().arm;
      const leaf = await TestCa.selfSigned("client", { algorithm: rsa(2048) });
      const certificatePath = join(folder, "client.pem");
      writeFileSync(certificatePath, leaf.key + leaf.pem, { mode: 0o600 });
      const credential = new ClientCertificateCredential(
        tenantId,
        clientId,
        { certificatePath },
        options(),
      );
      await assert.rejects(
        credential.getToken(SCOPE),
        /does not have this operation|not_implemented/,
      );
    },
  );
  assertion.answers(
    "getToken",
    "501: a client that proves itself by an assertion",
    "client: it sends client_assertion",
    async () => {
      const { tenantId, clientId } = sandbox.endpoints().arm;
      const credential = new ClientAssertionCredential(
        tenantId,
        clientId,
        async () => "a.b.c",
        options(),
      );
      await assert.rejects(
        credential.getToken(SCOPE),
        /does not have this operation|not_implemented/,
      );
    },
  );
});
