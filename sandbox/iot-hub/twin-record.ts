/** The twin of a device or of a module: how it begins, and what a back end's write makes of it. */
import type { Switches } from "../common/switches";
import { preconditionFailed } from "./faults";
import { twinEtag, type Json, type TwinFields } from "./records";
import {
  difference,
  emptyCollection,
  isObject,
  merged,
  patched,
  readPart,
  TAGS_BYTES,
} from "./twin-collection";

/** The back end's parts of a twin; a part that is missing is not written. */
export interface TwinParts {
  tags?: Json;
  desired?: Json;
}

/** Etag as a header or a body has it; undefined: the write has no condition. */
export type Condition = string | undefined;

export function newTwin({ tags, desired }: TwinParts, now: Date): TwinFields {
  const empty = emptyCollection(now);
  const options = { name: "properties.desired", now, versioned: true };
  return {
    tags: merged({}, tags ?? {}, "tags", TAGS_BYTES),
    desired:
      desired === undefined
        ? empty
        : { ...patched({ ...empty, version: 0 }, desired, options), version: 1 },
    reported: empty,
    version: tags === undefined && desired === undefined ? 1 : 2,
    twinEtag: 1,
  };
}

/** Merges a patch into tags and desired properties. */
export function patchedTwin<T extends TwinFields>(
  before: T,
  { tags, desired }: TwinParts,
  now: Date,
): T {
  const options = { name: "properties.desired", now, versioned: true };
  return {
    ...before,
    ...(tags && { tags: merged(before.tags, tags, "tags", TAGS_BYTES) }),
    ...(desired && { desired: patched(before.desired, desired, options) }),
    version: before.version + 1,
    twinEtag: before.twinEtag + 1,
  };
}

/** The patch that puts these parts in place of those that are there. */
export function replacement(
  before: TwinFields,
  parts: TwinParts,
  { twinReplaceEmptiesMissingParts }: Switches,
): TwinParts {
  const whole = twinReplaceEmptiesMissingParts ? { tags: {}, desired: {}, ...parts } : parts;
  return {
    ...(whole.tags && { tags: difference(before.tags, whole.tags) }),
    ...(whole.desired && { desired: difference(before.desired.values, whole.desired) }),
  };
}

/** Throws "PreconditionFailed" unless the condition holds for the current etag. */
export function checkEtag(current: string, ifMatch: Condition): void {
  if (ifMatch !== undefined && !["*", current].includes(unquoted(ifMatch))) {
    throw preconditionFailed();
  }
}

export function checkTwinEtag({ twinEtag: counter }: TwinFields, ifMatch: Condition): void {
  checkEtag(twinEtag(counter), ifMatch);
}

/** The back end's parts in a twin document. Throws `HubFault`. */
export function partsOf(document: unknown): TwinParts {
  const { tags, properties } = isObject(document) ? document : {};
  const desired = isObject(properties) ? properties["desired"] : undefined;
  return {
    ...(tags === undefined || tags === null ? {} : { tags: readPart(tags, "tags") }),
    ...(desired === undefined || desired === null
      ? {}
      : { desired: readPart(desired, "properties.desired") }),
  };
}

/** Microsoft's SDKs send etags with and without quotes, "*" too. */
function unquoted(etag: string): string {
  return /^"(.*)"$/.exec(etag)?.[1] ?? etag;
}
