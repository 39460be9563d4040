/**
 * A stand-in for the azure-native plugin, which is on no package registry: it speaks Pulumi's
 * provider protocol for the resource types in `table.ts` and does its work through the sandbox's ARM.
 * The engine attaches to it by `PULUMI_DEBUG_PROVIDERS=azure-native:PORT`.
 */
import {
  Server,
  ServerCredentials,
  type ServiceError,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { Provider } from "./provider";
import { rpcErrorOf } from "./rpc-errors";

export interface AzureNativeOptions {
  /** The running sandbox's `endpoints.json`; read anew by each run of the engine. */
  endpointsFile: string;
  /** Default: any free port. */
  port?: number;
  /**
   * Take secrets with their marks, so that only what was secret stays secret (default). With false
   * the engine marks every output whose input held a secret, so that linking a hub by a secret
   * connection string makes all `properties` secret. Not known: which of the two plugin 3.28.0 does;
   * the sources that could be read, of the time of 2.x and 3.0, do not announce it.
   */
  acceptSecrets?: boolean;
}

export interface AzureNativePlugin {
  /** On 127.0.0.1. */
  port: number;
  /** Cancels what is under way and stops. */
  close(): Promise<void>;
}

/** Starts the plugin on loopback. Throws when the port is taken. */
export async function startAzureNative(options: AzureNativeOptions): Promise<AzureNativePlugin> {
  const provider = new Provider(options.endpointsFile, options.acceptSecrets ?? true);
  const server = new Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  server.addService(ResourceProviderService, implementation(provider));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `127.0.0.1:${options.port ?? 0}`,
      ServerCredentials.createInsecure(),
      (error, bound) => (error === null ? resolve(bound) : reject(error)),
    );
  });
  return {
    port,
    async close() {
      provider.close();
      server.forceShutdown();
    },
  };
}

interface UnaryCall<Request> {
  request: Request;
  getPeer(): string;
}
type Reply = (error: Partial<ServiceError> | null, response?: unknown) => void;

/** Turns methods that return promises into gRPC handlers; what they throw becomes a gRPC error. */
function implementation(provider: Provider): UntypedServiceImplementation {
  const unary =
    <Request>(method: (request: Request, peer: string) => Promise<unknown>) =>
    (call: UnaryCall<Request>, reply: Reply): void => {
      method(call.request, call.getPeer()).then(
        (response) => reply(null, response),
        (error: unknown) => reply(rpcErrorOf(error)),
      );
    };
  // What is not here (Parameterize, Call, Construct, GetMapping, ...) gRPC answers with "unimplemented".
  const methods = {
    handshake: unary(provider.handshake.bind(provider)),
    attach: unary(provider.attach.bind(provider)),
    getPluginInfo: unary(provider.getPluginInfo.bind(provider)),
    getSchema: unary(provider.getSchema.bind(provider)),
    checkConfig: unary(provider.checkConfig.bind(provider)),
    diffConfig: unary(provider.diffConfig.bind(provider)),
    configure: unary(provider.configure.bind(provider)),
    check: unary(provider.check.bind(provider)),
    diff: unary(provider.diff.bind(provider)),
    create: unary(provider.create.bind(provider)),
    read: unary(provider.read.bind(provider)),
    update: unary(provider.update.bind(provider)),
    delete: unary(provider.delete.bind(provider)),
    invoke: unary(provider.invoke.bind(provider)),
    cancel: unary(provider.cancel.bind(provider)),
  };
  return methods;
}
