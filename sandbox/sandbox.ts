/** Starts and stops a sandbox: the emulated Azure in one process, on loopback. */
import { randomBytes, randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { isIP } from "node:net";
import type { ArmContext } from "./arm/context";
import { Operations } from "./arm/operations";
import { resumeDeletions } from "./arm/resource-groups";
import { createArm } from "./arm/server";
import { OffsetClock, type Clock } from "./common/clock";
import { listen } from "./common/http";
import { InjectedFaults } from "./common/injected-faults";
import { createControl, newControlToken } from "./control/server";
import type { Sandbox } from "./common/model";
import { RequestLog } from "./common/request-log";
import { Store } from "./common/store";
import { DEFAULT_SWITCHES, type Switches } from "./common/switches";
import { Throttles, type ThrottleOptions } from "./common/throttles";
import { TlsRoot, type SavedTlsRoot } from "./common/tls";
import { writeJson, type EndpointsFile } from "./endpoints";
import { environmentOf, type EnvironmentFile } from "./environment";
import { SandboxError, SandboxFolder } from "./folder";
import { LocalFronts } from "./front-keeper";
import { loadFronts, type Fronts } from "./fronts";
import { standardAddresses } from "./loopback";
import { TokenAuthority, type SavedAuthority } from "./token/token-authority";
import { createTokenService } from "./token/token-service";

export interface SandboxOptions {
  /** Folder of the sandbox, made when missing; must be empty or a sandbox's. */
  dir: string;
  /** Find the services, enrollments and devices again at the next start. Default: all is thrown away. */
  keep?: boolean;
  /**
   * Each service gets a loopback address of its own, MQTT on 8883 and, where that is permitted,
   * HTTPS on 443; the addresses are then the host names. Default: host names under `sandbox.test`,
   * and free ports. Services of a kept sandbox stay as they were created.
   */
  standardPorts?: boolean;
  /** Sandbox time. Default: the machine's. */
  clock?: Clock;
  /** Long-running operations of ARM take this long, milliseconds. Default 0: done at the first poll. */
  operationMs?: number;
  /** What is not known about Azure. Default for each: `DEFAULT_SWITCHES`. Not kept. */
  switches?: Partial<Switches>;
  /** The published limits on rates, or false for none. Default: as in Azure. */
  throttle?: ThrottleOptions | false;
  /** The services to start. Default: all. */
  fronts?: Fronts;
}

export interface RunningSandbox {
  readonly folder: SandboxFolder;
  readonly sandbox: Sandbox;
  /** What the person who started it should know. */
  readonly notices: string[];
  /** As in `endpoints.json` at this moment. */
  endpoints(): EndpointsFile;
  /** Variables for Pulumi and SDK processes; see `environmentOf`. */
  environment(current?: NodeJS.ProcessEnv): Record<string, string>;
  /** What it holds now is not thrown away when it stops: as though it had been started with `keep`. */
  keep(): void;
  /** Stops everything; resolves when all ports are closed. May be called again. */
  close(): Promise<void>;
}

/** What a kept sandbox must find again to be the same one. */
interface Identity {
  tls: SavedTlsRoot;
  authority: SavedAuthority;
  subscriptionId: string;
  passphrase: string;
}

/** Throws `SandboxError` with a sentence for the terminal when it cannot start. */
export async function startSandbox(options: SandboxOptions): Promise<RunningSandbox> {
  const folder = new SandboxFolder(options.dir);
  folder.claim(options.keep ?? false);
  const closers: (() => unknown)[] = [() => folder.release()];
  const close = once(() => closeAll(closers));
  try {
    closers.push(() => (folder.isKept ? folder.withdraw() : folder.empty()));
    return await start(options, folder, closers, close);
  } catch (error) {
    // The reason it did not start is what matters, not what then could not be closed.
    await close().catch(() => undefined);
    throw error;
  }
}

async function start(
  options: SandboxOptions,
  folder: SandboxFolder,
  closers: (() => unknown)[],
  close: () => Promise<void>,
): Promise<RunningSandbox> {
  const store = new Store(folder.records, options.keep ?? false);
  closers.push(() => store.close());
  const identity = await identityOf(store);
  const tls = await TlsRoot.restore(identity.tls);
  const authority = new TokenAuthority(identity.authority);
  writeFileSync(folder.caFile, tls.certificatePem);

  const clock = options.clock ?? keptClock(store);
  const log = new RequestLog(folder.requestsFile, () => clock.now());
  closers.push(() => log.close());
  const fronts = options.fronts ?? loadFronts();
  const switches = { ...DEFAULT_SWITCHES, ...options.switches };
  const throttles = new Throttles(options.throttle ?? {});
  const sandbox = assemble({ store, clock, switches, throttles, log, tls, authority }, fronts);

  const own = await sandbox.serverIdentity(["localhost"]);
  const tokenService = createTokenService(sandbox, authority, own);
  closers.push(() => tokenService.close());
  authority.host = `https://localhost:${await listen(tokenService, "127.0.0.1", 0)}`;

  refuseOtherMode(sandbox, options.standardPorts ?? false);
  const standard = options.standardPorts === true ? await standardAddresses() : undefined;
  let endpoints: (() => EndpointsFile) | undefined;
  const keeper = new LocalFronts(sandbox, store, fronts, standard, () => {
    if (endpoints !== undefined) {
      writeJson(folder.endpointsFile, endpoints());
    }
  });
  closers.push(() => keeper.close());

  const context: ArmContext = {
    sandbox,
    groups: store.collection("resource-groups"),
    operations: new Operations(options.operationMs ?? 0),
    fronts: keeper,
    pending: new Map(),
    deletions: store.collection("arm-deletions"),
    subscriptionId: identity.subscriptionId,
    tenantId: identity.authority.tenantId,
    endpoint: "",
    authorityHost: authority.host,
  };
  const arm = createArm(context, own);
  closers.push(async () => {
    await arm.close();
    await context.operations.settled();
  });
  context.endpoint = `https://localhost:${await listen(arm, "127.0.0.1", 0)}`;
  await reopen(sandbox, keeper);
  resumeDeletions(context);

  const token = newControlToken();
  const control = createControl(sandbox, own, token);
  closers.push(() => control.close());
  const controlPort = await listen(control, "127.0.0.1", 0);
  const file: EnvironmentFile = {
    version: 1,
    passphrase: identity.passphrase,
    control: { url: `https://localhost:${controlPort}`, token },
  };
  // What was true last, for those who ask when the sandbox has stopped.
  let final: EndpointsFile | undefined;
  const published = (): EndpointsFile => final ?? endpointsOf(folder, context, identity, keeper);
  if (fronts.azureNative !== undefined) {
    const plugin = await fronts.azureNative({ endpointsFile: folder.endpointsFile });
    closers.push(() => plugin.close());
    file.azureNativePort = plugin.port;
  }
  writeJson(folder.environmentFile, file);
  // Last, because it says that the sandbox is there; and first to go.
  writeJson(folder.endpointsFile, published());
  endpoints = published;
  closers.push(() => {
    final = published();
    endpoints = undefined;
    folder.withdraw();
  });
  return {
    folder,
    sandbox,
    notices: [
      ...(standard?.httpsAllowed === false
        ? ["Port 443 is not permitted to this user: HTTPS is on free ports instead."]
        : []),
      ...(fronts.azureNative === undefined
        ? ["For SDKs and devices only: Pulumi (@pulumi/pulumi) is not installed beside it."]
        : []),
    ],
    endpoints: published,
    environment: (current = process.env) => environmentOf(folder, published(), file, current),
    keep: () => folder.keep(),
    close,
  };
}

async function identityOf(store: Store): Promise<Identity> {
  const kept = store.collection<Identity>("sandbox");
  return (
    kept.get("identity") ??
    kept.put("identity", {
      tls: (await TlsRoot.create()).saved,
      authority: (await TokenAuthority.create()).saved,
      subscriptionId: randomUUID(),
      passphrase: randomBytes(24).toString("base64url"),
    })
  );
}

/** The machine's clock, or for a sandbox that was kept the one that it had. */
function keptClock(store: Store): OffsetClock {
  const kept = store.collection<{ offsetMs: number }>("sandbox-clock");
  return new OffsetClock(kept.get("clock")?.offsetMs, (offsetMs) =>
    kept.put("clock", { offsetMs }),
  );
}

function assemble(
  parts: {
    store: Store;
    clock: Clock;
    switches: Switches;
    throttles: Throttles;
    log: RequestLog;
    tls: TlsRoot;
    authority: TokenAuthority;
  },
  fronts: Fronts,
): Sandbox {
  const { store, clock, switches, throttles, log, tls, authority } = parts;
  const sandbox = {
    clock,
    switches,
    throttles,
    faults: new InjectedFaults(),
    log,
    services: store.collection("provisioning-services"),
    caCertificates: store.collection("ca-certificates"),
    hubs: store.collection("iot-hubs"),
    collection: (name: string) => store.collection(name),
    atomically: <T>(run: () => T) => store.atomically(run),
    // Every server can be reached by its address as well, without name resolution.
    serverIdentity: (names: string[]) =>
      tls.serverIdentity([...new Set([...names, "localhost", "127.0.0.1"])]),
    verifyToken: (bearer: string) => authority.verify(bearer),
  } as Omit<Sandbox, "linkedHubs"> as { -readonly [K in keyof Sandbox]: Sandbox[K] };
  sandbox.linkedHubs = fronts.linkedHubs(sandbox);
  return sandbox;
}

/** A kept service whose host name is an address needs the standard ports again. */
function refuseOtherMode(sandbox: Sandbox, standardPorts: boolean): void {
  const hostNames = [
    ...sandbox.hubs.list().map((hub) => hub.hostName),
    ...sandbox.services.list().map((service) => service.serviceHostName),
  ];
  if (!standardPorts && hostNames.some((name) => isIP(name) !== 0)) {
    throw new SandboxError(
      "This sandbox was kept with services that have addresses of their own: start it with --standard-ports.",
    );
  }
}

/** Brings up the services of a kept sandbox. */
async function reopen(sandbox: Sandbox, keeper: LocalFronts): Promise<void> {
  for (const hub of sandbox.hubs.list()) {
    await keeper.open("iot-hub", hub.name);
  }
  for (const service of sandbox.services.list()) {
    await keeper.open("provisioning-service", service.name);
  }
}

function endpointsOf(
  folder: SandboxFolder,
  context: ArmContext,
  identity: Identity,
  keeper: LocalFronts,
): EndpointsFile {
  return {
    version: 1,
    pid: process.pid,
    caFile: folder.caFile,
    arm: {
      endpoint: context.endpoint,
      authorityHost: context.authorityHost,
      tenantId: identity.authority.tenantId,
      clientId: identity.authority.clientId,
      clientSecret: identity.authority.clientSecret,
      subscriptionId: identity.subscriptionId,
    },
    provisioningServices: keeper.provisioningServices(),
    iotHubs: keeper.iotHubs(),
  };
}

/** Last opened, first closed. What cannot be closed does not keep the rest open. */
async function closeAll(closers: (() => unknown)[]): Promise<void> {
  const faults: unknown[] = [];
  for (const step of closers.reverse()) {
    try {
      await step();
    } catch (error) {
      faults.push(error);
    }
  }
  if (faults.length > 0) {
    throw new AggregateError(faults, `The sandbox did not stop cleanly: ${faults.join("; ")}`);
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
