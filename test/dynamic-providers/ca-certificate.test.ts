import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import {
  caCertificate as handler,
  type CaCertificateInputs,
  type CaCertificateOutputs,
} from "../../dynamic-providers/ca-certificate/provider";
import { UNKNOWN } from "../../dynamic-providers/handler";
import { summarize } from "../../certificates/summary";
import { TestCa } from "../support/test-ca";
import { failure, Stage, WITHOUT_HUBS } from "./stage";

describe("CA certificates, as the engine calls them", () => {
  let stage: Stage;
  let client: CaCertificatesClient;
  let root: TestCa;
  let other: TestCa;
  let count = 0;
  let name: string;

  before(async () => {
    stage = await Stage.open(WITHOUT_HUBS);
    client = new CaCertificatesClient(stage.connection);
    root = await TestCa.root("Root A");
    other = await TestCa.root("Root B");
  });

  after(() => stage.close());

  beforeEach(() => {
    count += 1;
    name = `root-${count}`;
    stage.reset();
  });

  afterEach(async () => {
    for (const { enrollmentGroupId, etag } of await stage.enrollments.queryGroups()) {
      await stage.enrollments.deleteGroup(enrollmentGroupId, etag);
    }
    for (const found of await client.list()) {
      await client.delete(found.name, found.etag);
    }
  });

  function inputs(ca: TestCa, proof?: CaCertificateInputs["proof"]): CaCertificateInputs {
    return {
      connection: stage.connection,
      name,
      pem: ca.pem,
      certificate: summarize(ca.pem),
      proof: proof ?? { keyPem: ca.certificate.key },
    };
  }

  const create = async (from: CaCertificateInputs): Promise<CaCertificateOutputs> =>
    stage.listening(async () => (await handler.create(from)).outs);
  const update = async (
    olds: CaCertificateOutputs,
    news: CaCertificateInputs,
  ): Promise<CaCertificateOutputs> =>
    stage.listening(async () => (await handler.update(name, olds, news)).outs);
  const sha1 = (ca: TestCa): string => summarize(ca.pem).sha1Thumbprint;

  it("uploads, proves possession with the key, and reads back that it is verified", async () => {
    const outs = await create(inputs(root));
    assert.deepEqual(
      { ...outs.live, etag: "" },
      { sha1Thumbprint: sha1(root), subject: "Root A", isVerified: true, etag: "" },
    );
    assert.deepEqual(
      stage.writes.map((write) => write.replace(/^(\w+) .*\/certificates\//, "$1 ")),
      [`PUT ${name}`, `POST ${name}/generateVerificationCode`, `POST ${name}/verify`],
    );
    assert.equal((await handler.diff(name, outs, inputs(root))).changes, false);
  });

  it("reads the key from a file when the proof is given, and keeps only its path", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ca-key-"));
    try {
      const keyFile = join(folder, "root.key");
      writeFileSync(keyFile, root.certificate.key, { mode: 0o600 });
      const outs = await create(inputs(root, { keyFile }));
      assert.equal(outs.live.isVerified, true);
      assert.ok(!JSON.stringify(outs).includes("PRIVATE KEY"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("says which CA certificate's key file cannot be read, before anything is uploaded", async () => {
    const message = await failure(create(inputs(root, { keyFile: "/nowhere/root.key" })));
    assert.match(message, new RegExp(`CA certificate "${name}"`));
    assert.match(message, /\/nowhere\/root\.key/);
    assert.equal(await client.get(name), undefined);
    assert.deepEqual(stage.writes, []);
  });

  it("asks for no proof when the certificate is self-attested", async () => {
    const outs = await create(inputs(root, { selfAttested: true }));
    assert.equal(outs.live.isVerified, true);
    assert.equal(stage.writes.length, 1);
  });

  it("does not ask for the key of a certificate that is verified already", async () => {
    await create(inputs(root));
    const outs = await create(inputs(root, { keyFile: "/nowhere/root.key" }));
    assert.equal(outs.live.isVerified, true);
  });

  it("refuses the key of another certificate without showing it", async () => {
    const { key } = other.certificate;
    const message = await failure(create(inputs(root, { keyPem: key })));
    const lines = key.split("\n").slice(1, -2);
    assert.ok(lines.length > 0 && lines.every((line) => !message.includes(line)));
    assert.match(message, /the private key given as proof does not belong to the CA certificate/);
    assert.deepEqual(stage.writes, []);
  });

  it("goes on from an upload that a killed run left without its proof", async () => {
    await client.upload(name, root.pem);
    stage.reset();
    const outs = await create(inputs(root));
    assert.equal(outs.live.isVerified, true);
    assert.equal(stage.writes.filter((write) => write.startsWith("PUT")).length, 0);
    assert.match(stage.said.join(), /in DPS already with this content; going on from there/);
  });

  it("writes nothing when exactly this certificate is there and verified", async () => {
    const before = await create(inputs(root));
    stage.reset();
    assert.deepEqual((await create(inputs(root))).live, before.live);
    assert.deepEqual(stage.writes, []);
  });

  it("does not take a name that holds another certificate, and shows both", async () => {
    await client.upload(name, other.pem, { selfAttested: true });
    stage.reset();
    const message = await failure(create(inputs(root)));
    for (const part of ["Root B", sha1(other), "Root A", sha1(root), "Choose another name"]) {
      assert.ok(message.includes(part), part);
    }
    assert.deepEqual(stage.writes, []);
  });

  it("gives a name to another certificate only while no group refers to it", async () => {
    const before = await create(inputs(root));
    await stage.putGroup("plant", { primary: name });
    stage.reset();
    const message = await failure(update(before, inputs(other)));
    assert.match(
      message,
      /is not given another certificate: enrollment group "plant" still refers to it/,
    );
    assert.deepEqual(stage.writes, []);

    await stage.enrollments.deleteGroup("plant", (await stage.enrollments.getGroup("plant"))!.etag);
    const after = await update(before, inputs(other));
    assert.equal(after.live.sha1Thumbprint, sha1(other));
    assert.equal(after.live.isVerified, true);
  });

  it("stops when somebody put another certificate under the name", async () => {
    const before = await create(inputs(root));
    const third = await TestCa.root("Root C");
    const { etag } = (await client.get(name))!;
    await client.upload(name, third.pem, { ifMatch: etag, selfAttested: true });
    stage.reset();
    const message = await failure(update(before, inputs(other)));
    assert.match(
      message,
      new RegExp(`found Root C, SHA-1 ${sha1(third)}; expected SHA-1 ${sha1(root)}`),
    );
    const deleting = await failure(handler.delete(name, before));
    assert.match(
      deleting,
      new RegExp(`holds another certificate \\(Root C, SHA-1 ${sha1(third)}\\)`),
    );
    assert.deepEqual(stage.writes, []);
  });

  it("uploads again what somebody deleted, and proves it again when it lost its verification", async () => {
    const before = await create(inputs(root));
    await client.delete(name, before.live.etag);
    assert.deepEqual(await handler.read(name, before), {});
    const again = await update(before, inputs(root));
    assert.equal(again.live.isVerified, true);
    const replaced = await client.upload(name, root.pem, { ifMatch: again.live.etag });
    assert.equal(replaced.isVerified, false);
    const { props } = await handler.read(name, again);
    assert.equal((await handler.diff(name, props!, inputs(root))).changes, true);
    assert.equal((await update(props!, inputs(root))).live.isVerified, true);
  });

  it("is not deleted while a group refers to it, in whichever slot", async () => {
    const before = await create(inputs(root));
    await client.upload("second", other.pem, { selfAttested: true });
    await stage.putGroup("plant", { primary: "second", secondary: name });
    stage.reset();
    const message = await failure(handler.delete(name, before));
    assert.match(message, /is not deleted: enrollment group "plant" still refers to it/);
    assert.deepEqual(stage.writes, []);
    await stage.enrollments.deleteGroup("plant", (await stage.enrollments.getGroup("plant"))!.etag);
    await handler.delete(name, before);
    assert.equal(await client.get(name), undefined);
    await handler.delete(name, before);
  });

  it("finds a referring group that spells the name in another case", async () => {
    const before = await create(inputs(root));
    await stage.putGroup("plant", { primary: name.toUpperCase() });
    assert.match(await failure(handler.delete(name, before)), /"plant" still refers to it/);
  });

  it("does not parse what is not known yet, and replaces for another name or service", async () => {
    const olds = await create(inputs(root));
    const unknown = {
      ...inputs(root),
      pem: UNKNOWN,
      certificate: UNKNOWN as never,
      connection: UNKNOWN as never,
    };
    assert.deepEqual((await handler.check(olds, unknown)).inputs, unknown);
    assert.deepEqual(await handler.diff(name, olds, unknown), { changes: true, replaces: [] });
    const renamed = { ...inputs(root), name: "other" };
    assert.deepEqual((await handler.diff(name, olds, renamed)).replaces, ["name"]);
    const moved = { ...inputs(root), connection: { ...stage.connection, serviceHostName: "x" } };
    assert.deepEqual((await handler.diff(name, olds, moved)).replaces, ["connection"]);
  });
});
