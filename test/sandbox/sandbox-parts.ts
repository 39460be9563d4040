/** What every sandbox of these tests is made of, in this process and without listeners. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OffsetClock } from "../../sandbox/common/clock";
import { InjectedFaults } from "../../sandbox/common/injected-faults";
import type { LinkedHubOperations, Sandbox } from "../../sandbox/common/model";
import { type LoggedRequest, RequestLog } from "../../sandbox/common/request-log";
import { Store } from "../../sandbox/common/store";
import { DEFAULT_SWITCHES, type Switches } from "../../sandbox/common/switches";
import { Throttles } from "../../sandbox/common/throttles";
import type { TlsRoot } from "../../sandbox/common/tls";

export const GOOD_TOKEN = "a-token-of-this-sandbox";

export interface SandboxParts {
  sandbox: Sandbox;
  store: Store;
  clock: OffsetClock;
  log: RequestLog;
  requests: LoggedRequest[];
  /** For files of the test; it goes with the sandbox. */
  folder: string;
  close: () => Promise<void>;
}

export interface PartsOptions {
  root: TlsRoot;
  /** Default: without limits on rates. */
  throttles?: Throttles;
  switches?: Partial<Switches>;
  linkedHubs?: LinkedHubOperations;
  /** Default: takes `GOOD_TOKEN` alone. */
  verifyToken?: Sandbox["verifyToken"];
}

export function sandboxParts({
  root,
  throttles = new Throttles(false),
  switches = {},
  linkedHubs,
  verifyToken = verifyGoodToken,
}: PartsOptions): SandboxParts {
  const folder = mkdtempSync(join(tmpdir(), "sandbox-test-"));
  const store = new Store(join(folder, "store"), false);
  const clock = new OffsetClock();
  const log = new RequestLog(undefined, () => clock.now());
  const requests: LoggedRequest[] = [];
  log.on("request", (request) => requests.push(request));
  const sandbox: Sandbox = {
    switches: { ...DEFAULT_SWITCHES, ...switches },
    throttles,
    clock,
    log,
    faults: new InjectedFaults(),
    services: store.collection("services"),
    caCertificates: store.collection("ca-certificates"),
    hubs: store.collection("hubs"),
    collection: (name) => store.collection(name),
    atomically: (run) => store.atomically(run),
    serverIdentity: (names) => root.serverIdentity(names),
    verifyToken,
    // A test with hubs of its own makes them of the sandbox, so it can only set them afterwards.
    linkedHubs: linkedHubs as LinkedHubOperations,
  };
  const close = async (): Promise<void> => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { sandbox, store, clock, log, requests, folder, close };
}

function verifyGoodToken(bearer: string): void {
  if (bearer !== GOOD_TOKEN) throw new Error("not a token of this sandbox");
}
