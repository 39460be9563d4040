import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EndpointsFile } from "../../../sandbox/endpoints";
import { SandboxError } from "../../../sandbox/folder";
import { startSandbox } from "../../../sandbox/sandbox";
import { ARM_ONLY, openSandbox, type TestSandbox } from "../../support/sandbox";

describe("the life of a sandbox", () => {
  let dir: string;

  beforeEach(() => {
    dir = join(mkdtempSync(join(tmpdir(), "dps-sandbox-")), "it's here");
  });

  afterEach(() => rmSync(join(dir, ".."), { recursive: true, force: true }));

  it("publishes its endpoints for its owner only, and withdraws them when it stops", async () => {
    const sandbox = await openSandbox({ dir, fronts: ARM_ONLY });
    const file = join(dir, "endpoints.json");
    assert.deepEqual(read(file), sandbox.endpoints());
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(join(dir, "environment.json")).mode & 0o777, 0o600);
    assert.equal(statSync(dir).mode & 0o777, 0o700);
    const { arm, pid, version, caFile } = sandbox.endpoints();
    assert.deepEqual([pid, version, caFile], [process.pid, 1, join(dir, "ca.pem")]);

    await sandbox.close();
    await sandbox.close();

    assert.deepEqual(
      readdirSync(dir),
      ["requests.jsonl", "sandbox-folder.json"].filter((name) => existsSync(join(dir, name))),
    );
    for (const url of [arm.endpoint, arm.authorityHost]) {
      assert.equal(await answers(Number(new URL(url).port)), false);
    }
  });

  it("rewrites its endpoints as services come, change their keys and go", async () => {
    const sandbox = await openSandbox({ dir, fronts: ARM_ONLY });
    try {
      await create(sandbox, "provisioningServices/dps");
      await create(sandbox, "IotHubs/hub");
      const { provisioningServices, iotHubs } = read(join(dir, "endpoints.json"));
      const [service] = provisioningServices;
      const host = "dps.azure-devices-provisioning.sandbox.test";
      assert.deepEqual(
        { ...service, idScope: "", connectionString: "" },
        {
          name: "dps",
          resourceGroup: "rg",
          idScope: "",
          serviceEndpoint: "https://127.0.0.1:1",
          serviceHostName: host,
          connectionString: "",
          device: { mqtt: "127.0.0.1:1", https: "https://127.0.0.1:1" },
        },
      );
      assert.ok(service?.connectionString.startsWith(`HostName=${host};SharedAccessKeyName=`));
      assert.equal(iotHubs[0]?.hostName, "hub.azure-devices.sandbox.test");

      const key = Buffer.alloc(32, 7).toString("base64");
      await create(sandbox, "provisioningServices/dps", {
        authorizationPolicies: [
          { keyName: "mine", rights: "ServiceConfig", primaryKey: key, secondaryKey: key },
        ],
      });
      const [changed] = read(join(dir, "endpoints.json")).provisioningServices;
      assert.ok(
        changed?.connectionString.endsWith(`SharedAccessKeyName=mine;SharedAccessKey=${key}`),
      );

      await settled(sandbox, "DELETE", "provisioningServices/dps");
      await settled(sandbox, "DELETE", "IotHubs/hub");
      const gone = read(join(dir, "endpoints.json"));
      assert.deepEqual([gone.provisioningServices, gone.iotHubs], [[], []]);
    } finally {
      await sandbox.close();
    }
  });

  it("is the same sandbox again when it was kept", async () => {
    const first = await openSandbox({ dir, fronts: ARM_ONLY, keep: true });
    await create(first, "provisioningServices/dps");
    const before = first.endpoints();
    const passphrase = first.environment()["PULUMI_CONFIG_PASSPHRASE"];
    writeFileSync(join(dir, "state", "stack.json"), "{}");
    await first.close();

    await assert.rejects(startSandbox({ dir, fronts: ARM_ONLY }), /is kept: start it with --keep/);

    const second = await openSandbox({ dir, fronts: ARM_ONLY, keep: true });
    const after = second.endpoints();
    await second.close();
    assert.deepEqual(after.provisioningServices, before.provisioningServices);
    assert.equal(after.arm.clientSecret, before.arm.clientSecret);
    assert.equal(second.environment()["PULUMI_CONFIG_PASSPHRASE"], passphrase);
    assert.ok(existsSync(join(dir, "state", "stack.json")));
  });

  it("is the same sandbox again when it was told to be while it ran", async () => {
    const first = await openSandbox({ dir, fronts: ARM_ONLY });
    await create(first, "provisioningServices/dps");
    first.keep();
    const before = first.endpoints();
    await first.close();

    const second = await openSandbox({ dir, fronts: ARM_ONLY, keep: true });
    const after = second.endpoints();
    await second.close();
    assert.deepEqual(after.provisioningServices, before.provisioningServices);
  });

  it("throws everything away when it was not kept, also what a killed one left", async () => {
    const first = await openSandbox({ dir, fronts: ARM_ONLY });
    const passphrase = first.environment()["PULUMI_CONFIG_PASSPHRASE"];
    await create(first, "provisioningServices/dps");
    await first.close();
    leaveBehind(dir, deadPid());
    const second = await openSandbox({ dir, fronts: ARM_ONLY });
    try {
      assert.deepEqual(second.endpoints().provisioningServices, []);
      assert.notEqual(second.environment()["PULUMI_CONFIG_PASSPHRASE"], passphrase);
      assert.deepEqual(readdirSync(join(dir, "state")), []);
      assert.equal(read(join(dir, "endpoints.json")).pid, process.pid);
    } finally {
      await second.close();
    }
  });

  it("refuses a second sandbox in its folder while it lives", async () => {
    const first = await openSandbox({ dir, fronts: ARM_ONLY });
    try {
      await assert.rejects(startSandbox({ dir, fronts: ARM_ONLY }), (error) => {
        assert.ok(error instanceof SandboxError);
        assert.match(error.message, /^A sandbox already runs in .* \(process \d+\): stop it/);
        return true;
      });
      assert.deepEqual(read(join(dir, "endpoints.json")), first.endpoints());
    } finally {
      await first.close();
    }
  });

  it("refuses a folder with files that are not a sandbox's, and leaves them alone", async () => {
    mkdirSync(join(dir, "state"), { recursive: true });
    await assert.rejects(startSandbox({ dir, fronts: ARM_ONLY }), /not a sandbox's/);
    assert.deepEqual(readdirSync(dir), ["state"]);
  });

  it("gives everything back when it cannot start", async () => {
    const broken = {
      ...ARM_ONLY,
      azureNative: async () => Promise.reject(new Error("no plugin today")),
    };
    await assert.rejects(startSandbox({ dir, fronts: broken }), /no plugin today/);
    const sandbox = await openSandbox({ dir, fronts: ARM_ONLY });
    await sandbox.close();
  });

  it("tells a client that creates a service when its listeners cannot start", async () => {
    const broken = {
      ...ARM_ONLY,
      iotHub: async () => Promise.reject(new Error("port is taken")),
    };
    const sandbox = await openSandbox({ dir, fronts: broken });
    const { error } = console;
    console.error = () => undefined;
    try {
      const body = await settled(sandbox, "PUT", "IotHubs/hub", service());
      assert.equal(body.status, "Failed");
      assert.match(body.error.message, /port is taken/);
      assert.equal(sandbox.sandbox.hubs.has("hub"), false);
    } finally {
      console.error = error;
      await sandbox.close();
    }
  });

  it("deletes a service that is still being created", async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const closed: string[] = [];
    const slow = {
      ...ARM_ONLY,
      iotHub: async () => {
        await gate;
        return { httpsPort: 1, mqttPort: 1, close: async () => void closed.push("hub") };
      },
    };
    const sandbox = await openSandbox({ dir, fronts: slow });
    try {
      await group(sandbox);
      await sandbox.arm("PUT", path(sandbox, "IotHubs/hub"), { body: service() });
      const deleting = await sandbox.arm("DELETE", path(sandbox, "IotHubs/hub"));
      release();
      await sandbox.arm("GET", String(deleting.headers["azure-asyncoperation"]));
      assert.deepEqual(closed, ["hub"]);
      assert.deepEqual(sandbox.endpoints().iotHubs, []);
    } finally {
      await sandbox.close();
    }
  });

  it("gives each service an address of its own with --standard-ports", async function () {
    if (process.platform !== "linux") {
      console.log("    not run: only Linux has all of 127.0.0.0/8 without set-up");
      this.skip();
    }
    const listened: string[] = [];
    const fronts = {
      ...ARM_ONLY,
      iotHub: async (_: unknown, name: string, options: { address: string; mqttPort: number }) => {
        listened.push(`${name} ${options.address}:${options.mqttPort}`);
        return { httpsPort: 443, mqttPort: 8883, close: async () => undefined };
      },
    };
    const sandbox = await openSandbox({ dir, fronts, standardPorts: true });
    try {
      await create(sandbox, "IotHubs/one");
      await create(sandbox, "IotHubs/two");
      const [one, two] = sandbox.endpoints().iotHubs;
      assert.match(one!.hostName, /^127\.0\.0\.\d+$/);
      assert.notEqual(one!.hostName, two!.hostName);
      assert.equal(one!.mqtt, `${one!.hostName}:8883`);
      assert.deepEqual(listened, [`one ${one!.hostName}:8883`, `two ${two!.hostName}:8883`]);
    } finally {
      await sandbox.close();
    }
  });

  it("gives Pulumi and the SDKs their environment", async () => {
    const sandbox = await openSandbox({ dir, fronts: ARM_ONLY });
    const current = { NODE_OPTIONS: "--max-old-space-size=512" };
    const variables = sandbox.environment(current);
    const twice = sandbox.environment({ NODE_OPTIONS: variables["NODE_OPTIONS"] });
    await sandbox.close();
    const { arm } = sandbox.endpoints();
    assert.equal(variables["ARM_CLIENT_SECRET"], arm.clientSecret);
    assert.equal(variables["AZURE_AUTHORITY_HOST"], arm.authorityHost);
    assert.match(
      variables["NODE_OPTIONS"]!,
      /^--max-old-space-size=512 --require \S+preload\.cjs$/,
    );
    assert.equal(twice["NODE_OPTIONS"], variables["NODE_OPTIONS"]);
    assert.equal(variables["PULUMI_BACKEND_URL"], `file://${dir.replaceAll(" ", "%20")}/state`);
    assert.equal("SSL_CERT_FILE" in variables, false);
    assert.equal("PULUMI_DEBUG_PROVIDERS" in variables, false);
  });
});

function read(file: string): EndpointsFile {
  return JSON.parse(readFileSync(file, "utf8")) as EndpointsFile;
}

function service(properties: object = {}): object {
  return { location: "westus", sku: { name: "S1", capacity: 1 }, properties };
}

function path(sandbox: TestSandbox, rest: string): string {
  return `/subscriptions/${sandbox.subscriptionId}/resourceGroups/rg/providers/Microsoft.Devices/${rest}`;
}

async function group(sandbox: TestSandbox): Promise<void> {
  const address = `/subscriptions/${sandbox.subscriptionId}/resourcegroups/rg`;
  await sandbox.arm("PUT", address, { body: { location: "westus" } });
}

/** Sends the request and waits for the end of its operation. */
async function settled(sandbox: TestSandbox, method: string, rest: string, body?: object) {
  await group(sandbox);
  const answer = await sandbox.arm(method, path(sandbox, rest), { body });
  const poll = await sandbox.arm("GET", String(answer.headers["azure-asyncoperation"]));
  return poll.body;
}

async function create(sandbox: TestSandbox, rest: string, properties: object = {}): Promise<void> {
  const body = await settled(sandbox, "PUT", rest, service(properties));
  assert.equal(body.status, "Succeeded");
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The id of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

/** What a sandbox that is killed leaves in its folder. */
function leaveBehind(dir: string, pid: number): void {
  writeFileSync(join(dir, "sandbox.lock"), String(pid));
  writeFileSync(join(dir, "endpoints.json"), JSON.stringify({ version: 1, pid }));
  mkdirSync(join(dir, "state"), { recursive: true });
  writeFileSync(join(dir, "state", "stack.json"), "{}");
}
