/** The calls of Pulumi's provider protocol (proto/pulumi/provider.proto), one method each. */
import { type PluginAttach, PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { invoke } from "./functions";
import * as resources from "./resources";
import { packageSchema } from "./schema";
import { type ProviderConfig, Session } from "./session";
import { armFunction, resourceType, type ResourceType, SHAPES } from "./table";
import { decode, encode, revealAll, type Values } from "./values";

const MODES = { 0: "propose", 1: "enforce", 2: "disable" } as const;

export class Provider {
  /** By the engine's connection: each run, and each explicit provider in it, has its own. */
  private readonly sessions = new Map<string, Session>();

  constructor(
    private readonly endpointsFile: string,
    private readonly acceptSecrets: boolean,
  ) {}

  /** Ends everything that is under way. */
  close(): void {
    this.sessions.forEach((session) => session.cancel());
    this.sessions.clear();
  }

  async handshake(_request: rpc.ProviderHandshakeRequest): Promise<rpc.ProviderHandshakeResponse> {
    return new rpc.ProviderHandshakeResponse()
      .setAcceptSecrets(this.acceptSecrets)
      .setSupportsAutonamingConfiguration(true);
  }

  async attach(_request: PluginAttach): Promise<Empty> {
    return new Empty();
  }

  async getPluginInfo(_request: Empty): Promise<PluginInfo> {
    return new PluginInfo().setVersion(SHAPES.version);
  }

  async getSchema(request: rpc.GetSchemaRequest): Promise<rpc.GetSchemaResponse> {
    if (request.getVersion() !== 0) {
      throw new Error(`unsupported schema version ${request.getVersion()}`);
    }
    return new rpc.GetSchemaResponse().setSchema(packageSchema());
  }

  async checkConfig(request: rpc.CheckRequest): Promise<rpc.CheckResponse> {
    return new rpc.CheckResponse().setInputs(request.getNews());
  }

  async diffConfig(_request: rpc.DiffRequest): Promise<rpc.DiffResponse> {
    return new rpc.DiffResponse();
  }

  async configure(request: rpc.ConfigureRequest, peer: string): Promise<rpc.ConfigureResponse> {
    const config: ProviderConfig = {};
    for (const [name, value] of Object.entries(revealAll(decode(request.getArgs())))) {
      if (typeof value === "string") {
        config[name] = value;
      }
    }
    this.sessions.get(peer)?.cancel();
    this.sessions.delete(peer);
    this.sessions.set(peer, Session.open(this.endpointsFile, config));
    return new rpc.ConfigureResponse()
      .setSupportspreview(true)
      .setAcceptsecrets(this.acceptSecrets)
      .setSupportsAutonamingConfiguration(true);
  }

  async check(request: rpc.CheckRequest, peer: string): Promise<rpc.CheckResponse> {
    const autonaming = request.getAutonaming();
    const { inputs, failures } = await resources.check(typeOf(request), this.session(peer), {
      name: nameOf(request),
      olds: decode(request.getOlds()),
      news: decode(request.getNews()),
      randomSeed: request.getRandomseed() as Uint8Array,
      autonaming: autonaming && {
        proposedName: autonaming.getProposedName(),
        mode: MODES[autonaming.getMode()],
      },
    });
    return new rpc.CheckResponse()
      .setInputs(encode(inputs))
      .setFailuresList(failures.map(({ reason }) => new rpc.CheckFailure().setReason(reason)));
  }

  async diff(request: rpc.DiffRequest): Promise<rpc.DiffResponse> {
    const olds = decode(request.getOldInputs());
    const result = resources.diff(typeOf(request), olds, decode(request.getNews()));
    const { DIFF_NONE, DIFF_SOME } = rpc.DiffResponse.DiffChanges;
    const response = new rpc.DiffResponse()
      .setChanges(result.differences.length === 0 ? DIFF_NONE : DIFF_SOME)
      .setReplacesList(result.replaces)
      .setDeletebeforereplace(result.deleteBeforeReplace)
      .setDiffsList([...new Set(result.differences.map(({ root }) => root))])
      .setHasdetaileddiff(true);
    for (const { path, kind } of result.differences) {
      const detail = new rpc.PropertyDiff()
        .setKind(kindOf(kind, result.replaces.includes(path)))
        .setInputdiff(true);
      response.getDetaileddiffMap().set(path, detail);
    }
    return response;
  }

  async create(request: rpc.CreateRequest, peer: string): Promise<rpc.CreateResponse> {
    const type = typeOf(request);
    const inputs = decode(request.getProperties());
    if (request.getPreview()) {
      return new rpc.CreateResponse().setProperties(encode(resources.preview(type, inputs)));
    }
    const session = this.session(peer);
    const made = await resources.create(type, session, inputs, request.getTimeout());
    return new rpc.CreateResponse().setId(made.id).setProperties(encode(made.outputs));
  }

  async read(request: rpc.ReadRequest, peer: string): Promise<rpc.ReadResponse> {
    const id = request.getId();
    const stored = {
      inputs: storedInputs(request),
      outputs: decode(request.getProperties()),
    };
    const live = await resources.read(typeOf(request), this.session(peer), id, stored);
    if (live === undefined) {
      return new rpc.ReadResponse();
    }
    return new rpc.ReadResponse()
      .setId(id)
      .setProperties(encode(live.outputs))
      .setInputs(encode(live.inputs));
  }

  async update(request: rpc.UpdateRequest, peer: string): Promise<rpc.UpdateResponse> {
    const type = typeOf(request);
    const news = decode(request.getNews());
    const outputs = request.getPreview()
      ? resources.preview(type, news, decode(request.getOlds()))
      : await resources.update(type, this.session(peer), news, request.getTimeout());
    return new rpc.UpdateResponse().setProperties(encode(outputs));
  }

  async delete(request: rpc.DeleteRequest, peer: string): Promise<Empty> {
    const session = this.session(peer);
    await resources.remove(typeOf(request), session, request.getId(), request.getTimeout());
    return new Empty();
  }

  async invoke(request: rpc.InvokeRequest, peer: string): Promise<rpc.InvokeResponse> {
    const called = armFunction(request.getTok());
    const result = await invoke(called, this.session(peer), decode(request.getArgs()));
    return new rpc.InvokeResponse().setReturn(encode(result));
  }

  /** The engine says goodbye with this call too, not only when the person interrupts. */
  async cancel(_request: Empty, peer: string): Promise<Empty> {
    this.sessions.get(peer)?.cancel();
    this.sessions.delete(peer);
    return new Empty();
  }

  /** A connection that was idle for long comes back under another port: the last `Configure` counts. */
  private session(peer: string): Session {
    const session = this.sessions.get(peer) ?? [...this.sessions.values()].at(-1);
    if (session === undefined) {
      throw new Error("the provider has not been configured");
    }
    return session;
  }
}

interface ResourceRequest {
  getUrn(): string;
  getType(): string;
  getName(): string;
}

/** The type at the end of a URN: `urn:pulumi:stack::project::parent$type::name`. */
function typeOf(request: ResourceRequest): ResourceType {
  const fromUrn = request.getUrn().split("::")[2]?.split("$").at(-1) ?? "";
  return resourceType(request.getType() === "" ? fromUrn : request.getType());
}

function nameOf(request: ResourceRequest): string {
  return request.getName() === ""
    ? request.getUrn().split("::").slice(3).join("::")
    : request.getName();
}

/** Undefined at an import: the engine has no inputs then. */
function storedInputs(request: rpc.ReadRequest): Values | undefined {
  const inputs = decode(request.getInputs());
  return Object.keys(inputs).length === 0 ? undefined : inputs;
}

function kindOf(kind: "add" | "delete" | "update", replaces: boolean): rpc.PropertyDiff.Kind {
  const { ADD, ADD_REPLACE, DELETE, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } =
    rpc.PropertyDiff.Kind;
  switch (kind) {
    case "add":
      return replaces ? ADD_REPLACE : ADD;
    case "delete":
      return replaces ? DELETE_REPLACE : DELETE;
    case "update":
      return replaces ? UPDATE_REPLACE : UPDATE;
  }
}
