/**
 * The life of a resource: check, diff, create, read, update, delete, as azure-native does them
 * (provider.go, diff.go of pulumi/pulumi-azure-native), against the sandbox's ARM.
 */
import { createHash, randomBytes } from "node:crypto";
import { ArmError } from "./arm-errors";
import { applyChanges, differences, type Difference } from "./diff";
import type { Session } from "./session";
import {
  bodyOf,
  type Fault,
  faultsOf,
  inputsOf,
  missingReason,
  outputsOf,
  previewOf,
} from "./shapes";
import type { ObjectShape } from "./shapes";
import { fillPath, parsePath, pathInputs, resourceShapes, type ResourceType } from "./table";
import { hasUnknowns, revealAll, type Rich, UNKNOWN, type Values } from "./values";

/** Says that a name was made up, so that a replacement can be created before the old one goes. */
const CREATE_BEFORE_DELETE = "__createBeforeDelete";

/** The engine's say in naming, `CheckRequest.AutonamingOptions`. */
export interface Autonaming {
  proposedName: string;
  mode: "propose" | "enforce" | "disable";
}

export interface CheckArguments {
  name: string;
  olds: Values;
  news: Values;
  /** Seed for made-up names; empty when the engine has none. */
  randomSeed: Uint8Array;
  autonaming: Autonaming | undefined;
}

/** Inputs with defaults filled in, secrets kept, and what is wrong with them. */
export async function check(
  type: ResourceType,
  session: Session,
  { name, olds, news, randomSeed, autonaming }: CheckArguments,
): Promise<{ inputs: Values; failures: Fault[] }> {
  const inputs: Values = { ...news };
  if (inputs[type.nameInput] === undefined) {
    Object.assign(inputs, defaultName(type, name, olds, randomSeed, autonaming));
  }
  if (inputs["location"] === undefined) {
    const location = await defaultLocation(type, session, olds, inputs);
    Object.assign(inputs, location === undefined ? {} : { location });
  }
  inputs["azureApiVersion"] ??= type.apiVersion;

  const { inputs: shape } = resourceShapes(type.token);
  const failures = faultsOf(inputs, shape, "");
  for (const required of [...pathInputs(type.path), "location"]) {
    if (inputs[required] === undefined && !shape.required.includes(required)) {
      failures.push({ reason: missingReason(required) });
    }
  }
  return { inputs, failures };
}

function defaultName(
  type: ResourceType,
  name: string,
  olds: Values,
  randomSeed: Uint8Array,
  autonaming: Autonaming | undefined,
): Values {
  const old = olds[type.nameInput];
  if (old !== undefined) {
    const made = olds[CREATE_BEFORE_DELETE] === true ? { [CREATE_BEFORE_DELETE]: true } : {};
    return { [type.nameInput]: old, ...made };
  }
  if (autonaming?.mode === "disable") {
    return {};
  }
  const seed = randomSeed.length > 0 ? randomSeed : randomBytes(32);
  const suffix = createHash("sha256").update(seed).digest("hex").slice(0, 8);
  return {
    [type.nameInput]: autonaming?.proposedName ?? `${name}${suffix}`,
    [CREATE_BEFORE_DELETE]: true,
  };
}

async function defaultLocation(
  type: ResourceType,
  session: Session,
  olds: Values,
  inputs: Values,
): Promise<Rich> {
  const known = olds["location"] ?? session.config["location"];
  const group = revealAll(inputs)["resourceGroupName"];
  if (known !== undefined || type.nameInput === "resourceGroupName" || group === undefined) {
    return known;
  }
  return typeof group === "string" ? session.locationOf(group, type.apiVersion) : UNKNOWN;
}

export interface DiffResult {
  differences: Difference[];
  /** Paths whose change replaces the resource. */
  replaces: string[];
  deleteBeforeReplace: boolean;
}

/** Old against new inputs; what is in the path of the ARM ID, or the location, replaces. */
export function diff(type: ResourceType, olds: Values, news: Values): DiffResult {
  const replacing = new Set([...pathInputs(type.path), ...type.replaceOnChange]);
  const found = differences(olds, news);
  const replaces = found.filter(({ root }) => replacing.has(root)).map(({ path }) => path);
  const madeUp = olds[CREATE_BEFORE_DELETE] === true;
  return { differences: found, replaces, deleteBeforeReplace: replaces.length > 0 && !madeUp };
}

/** A request was accepted and then failed: there is a resource, and it is not as it was asked for. */
export class PartialError extends Error {
  constructor(
    readonly id: string,
    readonly outputs: Values,
    readonly inputs: Values,
    cause: Error,
  ) {
    super(cause.message, { cause });
    this.name = "PartialError";
  }
}

/** Creates; a resource that is there already is an error and stays as it is. */
export async function create(
  type: ResourceType,
  session: Session,
  inputs: Values,
  timeoutSeconds: number,
): Promise<{ id: string; outputs: Values }> {
  const path = pathOf(type, session, inputs);
  const signal = session.signal(timeoutSeconds);
  if (await session.arm.exists(path, type.apiVersion, signal)) {
    throw new Error(`cannot create already existing resource '${path}'`);
  }
  return put(type, session, path, inputs, signal);
}

/** Replaces the whole resource by a PUT; what is not in the inputs is not sent. */
export async function update(
  type: ResourceType,
  session: Session,
  inputs: Values,
  timeoutSeconds: number,
): Promise<Values> {
  const path = pathOf(type, session, inputs);
  return (await put(type, session, path, inputs, session.signal(timeoutSeconds))).outputs;
}

async function put(
  type: ResourceType,
  session: Session,
  path: string,
  inputs: Values,
  signal: AbortSignal,
): Promise<{ id: string; outputs: Values }> {
  let accepted = false;
  try {
    const body = bodyOf(inputs, bodyShape(type)) as object;
    const written = await session.arm.put(path, type.apiVersion, body, {
      longRunning: type.longRunning,
      accepted: () => (accepted = true),
      signal,
    });
    const id = typeof written["id"] === "string" ? written["id"] : path;
    const read = await session.arm.get(id, type.apiVersion, signal);
    return { id, outputs: outputs(type, read) };
  } catch (error) {
    throw accepted ? await partial(type, session, path, inputs, error as Error) : timedOut(error);
  }
}

async function partial(
  type: ResourceType,
  session: Session,
  path: string,
  inputs: Values,
  cause: Error,
): Promise<Error> {
  try {
    const read = await session.arm.get(path, type.apiVersion, session.signal(60));
    return new PartialError(path, outputs(type, read), inputs, timedOut(cause));
  } catch {
    // It is not there, or cannot be read: there is nothing to record.
    return timedOut(cause);
  }
}

export function timedOut(error: unknown): Error {
  const known = error instanceof Error ? error : new Error(String(error));
  return known.name === "TimeoutError" ? new Error("operation timed out", { cause: known }) : known;
}

/** Deletes and waits for the end. A resource that is gone already is no error. */
export async function remove(
  type: ResourceType,
  session: Session,
  id: string,
  timeoutSeconds: number,
): Promise<void> {
  try {
    await session.arm.delete(id, type.apiVersion, session.signal(timeoutSeconds));
  } catch (error) {
    throw timedOut(error);
  }
}

/**
 * Reads for a refresh (inputs and outputs are those stored) or an import (both empty). Undefined
 * when ARM says that the resource is not there.
 */
export async function read(
  type: ResourceType,
  session: Session,
  id: string,
  stored: { inputs: Values | undefined; outputs: Values },
): Promise<{ outputs: Values; inputs: Values } | undefined> {
  const live = await readLive(type, session, id);
  if (live === undefined) {
    return undefined;
  }
  const shape = bodyShape(type);
  if (stored.inputs === undefined) {
    const path = parsePath(type.path, id);
    delete path["subscriptionId"];
    const inputs = { ...inputsOf(live, shape), ...path, azureApiVersion: type.apiVersion };
    return { outputs: live, inputs };
  }
  const before = inputsOf(revealAll(stored.outputs), shape);
  return { outputs: live, inputs: applyChanges(stored.inputs, before, inputsOf(live, shape)) };
}

async function readLive(
  type: ResourceType,
  session: Session,
  id: string,
): Promise<Values | undefined> {
  try {
    return outputs(type, await session.arm.get(id, type.apiVersion, session.signal(0)));
  } catch (error) {
    if (error instanceof ArmError && error.notFound) {
      return undefined;
    }
    throw timedOut(error);
  }
}

/**
 * The outputs as far as a preview can know them. Of a resource that exists azure-native takes over
 * the name and the location and nothing else, so the ID scope of a service is unknown in the preview
 * of its update.
 */
export function preview(type: ResourceType, inputs: Values, stored?: Values): Values {
  const known = previewOf(
    { ...inputs, name: UNKNOWN },
    resourceShapes(type.token).outputs,
  ) as Values;
  const stable: Values = {};
  for (const name of ["name", "location"]) {
    if (stored?.[name] !== undefined) {
      stable[name] = stored[name];
    }
  }
  return { ...known, ...stable };
}

function pathOf(type: ResourceType, session: Session, inputs: Values): string {
  if (hasUnknowns(inputs)) {
    throw new Error("the inputs are not all known");
  }
  return fillPath(type.path, { ...revealAll(inputs), subscriptionId: session.subscriptionId });
}

function outputs(type: ResourceType, answer: Record<string, unknown>): Values {
  const shape = resourceShapes(type.token).outputs;
  return { ...(outputsOf(answer, shape) as Values), azureApiVersion: type.apiVersion };
}

/** The inputs that go into the body: all but those in the path. */
function bodyShape(type: ResourceType): ObjectShape {
  const { inputs } = resourceShapes(type.token);
  const inPath = new Set(pathInputs(type.path));
  const properties = Object.entries(inputs.properties).filter(([name]) => !inPath.has(name));
  return { ...inputs, properties: Object.fromEntries(properties) };
}
