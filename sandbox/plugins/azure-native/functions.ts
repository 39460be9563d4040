/** The functions: one request each, and who the provider is. */
import { timedOut } from "./resources";
import type { Session } from "./session";
import { faultsOf, outputsOf } from "./shapes";
import { type ArmFunction, CLIENT_CONFIG, fillPath, functionShapes } from "./table";
import { revealAll, type Values } from "./values";

/** Runs a function. Keys come back plain, as azure-native returns them: the program wraps them. */
export async function invoke(called: ArmFunction, session: Session, args: Values): Promise<Values> {
  if (called.token === CLIENT_CONFIG) {
    return clientConfig(session);
  }
  const shapes = functionShapes(called.token);
  const faults = faultsOf(args, shapes.inputs, "");
  if (faults.length > 0) {
    throw new Error(faults.map(({ reason }) => reason).join("; "));
  }
  const values = { ...revealAll(args), subscriptionId: session.subscriptionId };
  const path = fillPath(called.path, values);
  try {
    const signal = session.signal(0);
    const answer =
      called.method === "GET"
        ? await session.arm.get(path, called.apiVersion, signal)
        : await session.arm.post(path, called.apiVersion, {}, signal);
    const result = outputsOf(answer, shapes.outputs) as Values;
    return called.getsResource ? { ...result, azureApiVersion: called.apiVersion } : result;
  } catch (error) {
    throw new Error(`request failed ${path}: ${timedOut(error).message}`, { cause: error });
  }
}

async function clientConfig(session: Session): Promise<Values> {
  const { clientId, tenantId, subscriptionId } = session.arm.endpoints.arm;
  const { oid } = await session.arm.claims(session.signal(0));
  return { clientId, objectId: typeof oid === "string" ? oid : "", subscriptionId, tenantId };
}
