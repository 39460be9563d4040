/** An `up` that is killed half way. */
import type { LoggedRequest } from "../sandbox/common/request-log";
import { type Engine, EngineError } from "./engine";
import type { Observer } from "./moments";
import type { Telling } from "./telling";

/** Where an `up` is killed: after a request that it made, before that is answered. */
export interface KillPoint {
  /** In words, e.g. "the containment". */
  what: string;
  at: (request: LoggedRequest) => boolean;
  /** Also asked of requests that change neither what DPS admits nor which devices hubs know. Default: false. */
  every?: true;
}

/** Kills it, and does what has to be done before the next one. Throws when it never came to the point. */
export async function upKilled(
  engine: Engine,
  { observer, telling }: { observer: Observer; telling: Telling },
  { what, at, every }: KillPoint,
): Promise<void> {
  telling.step(`pulumi up, killed (SIGKILL) after ${what}`);
  let killedAt: LoggedRequest | undefined;
  const look = (request: LoggedRequest): void => {
    if (killedAt === undefined && at(request)) {
      killedAt = request;
      engine.kill();
    }
  };
  const stop = every ? observer.atEachRequest(look) : observer.atEachWrite(look);
  try {
    await engine.up();
    throw new Error(`pulumi up came to its end: it never came to ${what}`);
  } catch (error) {
    if (!(error instanceof EngineError) || killedAt === undefined) {
      throw error;
    }
  } finally {
    stop();
  }
  telling.step(`killed after #${killedAt.seq} ${killedAt.method} ${killedAt.path}`);
  telling.step("pulumi cancel");
  await engine.cancel();
}
