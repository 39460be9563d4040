/** Tells devices one by one, with a direct method each. */
import { invokeMethod, type MethodAnswer, type MethodCall } from "../../clients/hub-methods";
import { ServiceError } from "../../clients/service-error";
import type { Connection } from "../../clients/target";
import { answerOf, type Told } from "./outcomes";
import type { Target } from "./targets";
import type { Deadline } from "./timing";

/** Calls at a time; the hub's own throttle for direct methods is far above (160 KB a second and unit). */
const AT_ONCE = 8;

/** Begins no call after the deadline. `left`: who was not told because of that. */
export async function tellByMethod(
  connection: Connection,
  targets: Target[],
  method: MethodCall,
  deadline: Deadline,
): Promise<{ told: Told[]; left: Target[] }> {
  const waiting = [...targets];
  const told: Told[] = [];
  const work = async (): Promise<void> => {
    while (!deadline.isOver) {
      const target = waiting.shift();
      if (target === undefined) {
        return;
      }
      told.push(await tell(connection, target, method));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { told, left: waiting };
}

async function tell(
  connection: Connection,
  { hub, deviceId }: Target,
  method: MethodCall,
): Promise<Told> {
  try {
    return toldOf(deviceId, method, await invokeMethod(connection, hub, deviceId, method));
  } catch (error) {
    // What the hub refuses to everybody (no right, no such hub) stops the run; one device does not.
    if (error instanceof ServiceError && ["BadRequest", "Unexpected"].includes(error.code)) {
      return { deviceId, result: "failed", why: error.message };
    }
    throw error;
  }
}

function toldOf(deviceId: string, method: MethodCall, answer: MethodAnswer): Told {
  switch (answer.kind) {
    case "answered":
      return answerOf(deviceId, answer.status);
    case "offline":
      return { deviceId, result: "offline" };
    case "late":
      return {
        deviceId,
        result: "late",
        why: `no answer within ${method.responseTimeoutInSeconds} s`,
      };
    case "absent":
      return { deviceId, result: "failed", why: "not in its hub any more" };
  }
}
