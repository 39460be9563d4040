import type * as pulumi from "@pulumi/pulumi";

/**
 * What the engine calls for one kind of resource. Handlers are ordinary code: loaded at run time by
 * the serialised shim (`shim.ts`), never part of the state.
 *
 * `Inputs` are what the program declares (after `check`), `Outputs` what the state holds. Both are
 * plain JSON. During a preview an unknown value arrives as the string `UNKNOWN`.
 */
export interface Handler<Inputs = never, Outputs = Inputs> {
  check(olds: Partial<Inputs>, news: Inputs): Promise<pulumi.dynamic.CheckResult<Inputs>>;
  diff(id: string, olds: Outputs, news: Inputs): Promise<pulumi.dynamic.DiffResult>;
  create(inputs: Inputs): Promise<{ id: string; outs: Outputs }>;
  /** An empty result tells the engine that the resource is gone. */
  read(id: string, props: Outputs): Promise<{ id?: string; props?: Outputs }>;
  update(id: string, olds: Outputs, news: Inputs): Promise<{ outs: Outputs }>;
  delete(id: string, props: Outputs): Promise<void>;
}

/** How the engine spells a value that is not known yet (`pulumi.runtime.unknownValue`). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Is there a value in `value`, at any depth, that is not known until the update runs? */
export function hasUnknown(value: unknown): boolean {
  if (typeof value === "object" && value !== null) {
    return Object.values(value).some(hasUnknown);
  }
  return value === UNKNOWN;
}

/** Says something to the person at the terminal; never a key, a token or a PEM body. */
export function say(text: string): void {
  console.log(text);
}
