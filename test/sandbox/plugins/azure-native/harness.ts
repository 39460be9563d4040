/**
 * The sandbox's real ARM and token endpoint without DPS and hub listeners, and a client that talks
 * to the plugin as the engine does.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Deletion, FrontKeeper } from "../../../../sandbox/arm/context";
import { Operations } from "../../../../sandbox/arm/operations";
import { createArm } from "../../../../sandbox/arm/server";
import { listen } from "../../../../sandbox/common/http";
import type { LinkedHubOperations } from "../../../../sandbox/common/model";
import type { LoggedRequest } from "../../../../sandbox/common/request-log";
import { TlsRoot } from "../../../../sandbox/common/tls";
import { startAzureNative } from "../../../../sandbox/plugins/azure-native/server";
import { decode, encode, type Values } from "../../../../sandbox/plugins/azure-native/values";
import { TokenAuthority } from "../../../../sandbox/token/token-authority";
import { createTokenService } from "../../../../sandbox/token/token-service";
import { sandboxParts } from "../../sandbox-parts";

export const GROUP = "azure-native:resources:ResourceGroup";
export const DPS = "azure-native:deviceprovisioningservices:IotDpsResource";

/** Inputs of a service in the resource group that `makeGroup` makes. */
export const service: Values = {
  resourceGroupName: "g",
  provisioningServiceName: "dps-1",
  location: "westeurope",
  sku: { name: "S1", capacity: 1 },
  properties: {},
  tags: { a: "b" },
};

export async function makeGroup(engine: TestEngine): Promise<string> {
  const inputs = { resourceGroupName: "g", location: "westeurope", tags: { a: "b" } };
  return (await engine.create(GROUP, inputs)).id;
}

/** An answer that the next request of this method gets instead of ARM's own. */
export interface Fault {
  method: string;
  /** Only requests to such a URL; default: any. */
  url?: RegExp;
  status: number;
  headers?: Record<string, string>;
  body?: object;
}

export interface TestArm {
  endpointsFile: string;
  subscriptionId: string;
  clientId: string;
  tenantId: string;
  requests: LoggedRequest[];
  faults: Fault[];
  /** What happens when ARM starts a service's listeners; replace it to let it fail. */
  openFront: () => Promise<void>;
  close(): Promise<void>;
}

/** Starts ARM and tokens on free ports, with an `endpoints.json` of their own. */
export async function startTestArm(): Promise<TestArm> {
  const { root, authority, identity } = await keys();
  const subscriptionId = "00000000-0000-4000-8000-000000000001";
  const { tenantId, clientId, clientSecret } = authority.saved;
  const parts = sandboxParts({
    root,
    verifyToken: (bearer) => authority.verify(bearer),
    // No device registers here, so a linked hub is only looked at.
    linkedHubs: { accepts: (text) => text.includes("SharedAccessKey=") } as LinkedHubOperations,
  });
  const { sandbox, store, folder, requests } = parts;
  const fronts: FrontKeeper = {
    hostName: (kind, name) => `${name}.${kind}.sandbox.test`,
    open: () => arm.openFront(),
    remove: async () => undefined,
  };
  const context = {
    sandbox,
    groups: store.collection<{ name: string; location: string; tags: Record<string, string> }>(
      "resource-groups",
    ),
    operations: new Operations(0),
    fronts,
    pending: new Map(),
    deletions: store.collection<Deletion>("deletions"),
    subscriptionId,
    tenantId,
    endpoint: "",
    authorityHost: "",
  };
  const app = createArm(context, identity);
  const tokens = createTokenService(sandbox, authority, identity);
  app.addHook("onRequest", async (request, reply) => {
    const index = arm.faults.findIndex(
      ({ method, url }) => method === request.method && (url?.test(request.url) ?? true),
    );
    const [fault] = index < 0 ? [] : arm.faults.splice(index, 1);
    if (fault !== undefined) {
      return reply
        .code(fault.status)
        .headers(fault.headers ?? {})
        .send(fault.body);
    }
    return undefined;
  });
  const arm: TestArm = {
    endpointsFile: join(folder, "endpoints.json"),
    subscriptionId,
    clientId,
    tenantId,
    requests,
    faults: [],
    openFront: async () => undefined,
    async close() {
      await app.close();
      await tokens.close();
      await context.operations.settled();
      await parts.close();
    },
  };
  context.endpoint = `https://localhost:${await listen(app, "127.0.0.1", 0)}`;
  context.authorityHost = `https://localhost:${await listen(tokens, "127.0.0.1", 0)}`;
  authority.host = context.authorityHost;
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, root.saved.cert);
  const { endpoint, authorityHost } = context;
  const armEndpoints = {
    endpoint,
    authorityHost,
    tenantId,
    clientId,
    clientSecret,
    subscriptionId,
  };
  writeFileSync(arm.endpointsFile, JSON.stringify({ caFile, arm: armEndpoints }));
  return arm;
}

let made: ReturnType<typeof makeKeys> | undefined;

/** Keys are slow to make: one set for all tests of a run. */
async function keys(): ReturnType<typeof makeKeys> {
  made ??= makeKeys();
  return made;
}

async function makeKeys() {
  const root = await TlsRoot.create();
  const authority = await TokenAuthority.create();
  return { root, authority, identity: await root.serverIdentity(["localhost", "127.0.0.1"]) };
}

/** The plugin, started, and the calls of the engine with plain values. */
export class TestEngine {
  private constructor(
    private readonly client: ResourceProviderClient,
    private readonly stop: () => Promise<void>,
  ) {}

  static async start(endpointsFile: string): Promise<TestEngine> {
    const plugin = await startAzureNative({ endpointsFile });
    const client = new ResourceProviderClient(
      `127.0.0.1:${plugin.port}`,
      credentials.createInsecure(),
    );
    return new TestEngine(client, () => plugin.close());
  }

  async close(): Promise<void> {
    this.client.close();
    await this.stop();
  }

  async configure(config: Values = {}): Promise<rpc.ConfigureResponse> {
    const request = new rpc.ConfigureRequest().setArgs(encode(config));
    return call((done) => this.client.configure(request, done));
  }

  async cancel(): Promise<void> {
    await call<Empty>((done) => this.client.cancel(new Empty(), done));
  }

  async handshake(): Promise<rpc.ProviderHandshakeResponse> {
    const request = new rpc.ProviderHandshakeRequest();
    return call((done) => this.client.handshake(request, done));
  }

  async version(): Promise<string> {
    const info = await call<{ getVersion(): string }>((done) =>
      this.client.getPluginInfo(new Empty(), done),
    );
    return info.getVersion();
  }

  async check(
    token: string,
    news: Values,
    options: { olds?: Values; autonaming?: { proposedName: string; mode: 0 | 1 | 2 } } = {},
  ): Promise<{ inputs: Values; failures: string[] }> {
    const request = new rpc.CheckRequest()
      .setUrn(urn(token))
      .setOlds(encode(options.olds ?? {}))
      .setNews(encode(news))
      .setRandomseed(Buffer.alloc(32, 7));
    if (options.autonaming !== undefined) {
      const { proposedName, mode } = options.autonaming;
      request.setAutonaming(
        new rpc.CheckRequest.AutonamingOptions().setProposedName(proposedName).setMode(mode),
      );
    }
    const response = await call<rpc.CheckResponse>((done) => this.client.check(request, done));
    return {
      inputs: decode(response.getInputs()),
      failures: response.getFailuresList().map((failure) => failure.getReason()),
    };
  }

  async create(
    token: string,
    inputs: Values,
    preview = false,
  ): Promise<{ id: string; outputs: Values }> {
    const request = new rpc.CreateRequest()
      .setUrn(urn(token))
      .setProperties(encode(inputs))
      .setPreview(preview);
    const response = await call<rpc.CreateResponse>((done) => this.client.create(request, done));
    return { id: response.getId(), outputs: decode(response.getProperties()) };
  }

  async update(
    token: string,
    id: string,
    states: { olds: Values; news: Values },
    preview = false,
  ): Promise<Values> {
    const request = new rpc.UpdateRequest()
      .setId(id)
      .setUrn(urn(token))
      .setOlds(encode(states.olds))
      .setNews(encode(states.news))
      .setPreview(preview);
    const response = await call<rpc.UpdateResponse>((done) => this.client.update(request, done));
    return decode(response.getProperties());
  }

  async read(
    token: string,
    id: string,
    stored?: { inputs: Values; outputs: Values },
  ): Promise<{ id: string; inputs: Values; outputs: Values }> {
    const request = new rpc.ReadRequest().setId(id).setUrn(urn(token));
    if (stored !== undefined) {
      request.setInputs(encode(stored.inputs)).setProperties(encode(stored.outputs));
    }
    const response = await call<rpc.ReadResponse>((done) => this.client.read(request, done));
    return {
      id: response.getId(),
      inputs: decode(response.getInputs()),
      outputs: decode(response.getProperties()),
    };
  }

  async delete(token: string, id: string): Promise<void> {
    const request = new rpc.DeleteRequest().setId(id).setUrn(urn(token));
    await call<Empty>((done) => this.client.delete(request, done));
  }

  async invoke(token: string, args: Values = {}): Promise<Values> {
    const request = new rpc.InvokeRequest().setTok(token).setArgs(encode(args));
    const response = await call<rpc.InvokeResponse>((done) => this.client.invoke(request, done));
    return decode(response.getReturn());
  }
}

function urn(token: string): string {
  return `urn:pulumi:dev::project::parent:index:Parent$${token}::thing`;
}

async function call<T>(
  start: (done: (error: ServiceError | null, response: T) => void) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, response) => (error === null ? resolve(response) : reject(error)));
  });
}
