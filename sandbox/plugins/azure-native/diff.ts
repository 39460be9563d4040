/**
 * What differs between two states of a resource, and how a change that somebody else made in Azure
 * comes into the stored inputs at a refresh. Secrecy is no difference: values are compared plain.
 */
import { isRecord, isUnknown, reveal, type Rich, Secret, type Values } from "./values";

export interface Difference {
  /** Pulumi's property path: "properties.iotHubs[0].location", 'tags["a.b"]'. */
  path: string;
  /** The input at the top of the path. */
  root: string;
  kind: "add" | "delete" | "update";
}

/** Inputs that azure-native keeps for itself; they are the provider's notes, not the person's wishes. */
const OWN_INPUTS = new Set(["__createBeforeDelete"]);

/** Differences from `olds` to `news`, as deep as they go. An unknown value differs from everything. */
export function differences(olds: Values, news: Values): Difference[] {
  const result: Difference[] = [];
  const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
  for (const root of names.filter((name) => !OWN_INPUTS.has(name))) {
    const before = olds[root];
    const after = news[root];
    if (root === "location" && sameLocation(before, after)) {
      continue;
    }
    compare(before, after, root, (path, kind) => result.push({ path, root, kind }));
  }
  return result;
}

type Report = (path: string, kind: Difference["kind"]) => void;

function compare(before: Rich, after: Rich, path: string, report: Report): void {
  const old = peel(before);
  const now = peel(after);
  if (old === undefined || now === undefined) {
    if (old !== now) {
      report(path, old === undefined ? "add" : "delete");
    }
  } else if (Array.isArray(old) && Array.isArray(now)) {
    for (let index = 0; index < Math.max(old.length, now.length); index += 1) {
      compare(old[index], now[index], `${path}[${index}]`, report);
    }
  } else if (isRecord(old) && isRecord(now)) {
    for (const name of new Set([...Object.keys(old), ...Object.keys(now)])) {
      compare(old[name], now[name], join(path, name), report);
    }
  } else if (old !== now || isUnknown(now)) {
    report(path, "update");
  }
}

function join(path: string, name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
}

function peel(value: Rich): Rich {
  return value instanceof Secret ? peel(value.value) : value;
}

/** "West Europe" and "westeurope" are one place. */
function sameLocation(a: Rich, b: Rich): boolean {
  const before = reveal(a);
  const after = reveal(b);
  const plain = (text: string): string => text.toLowerCase().replaceAll(" ", "");
  return typeof before === "string" && typeof after === "string" && plain(before) === plain(after);
}

/**
 * Stored inputs with the changes from `before` to `after`, which are what the inputs would have been
 * to give the outputs before and after. Defaults that the service filled in are in both, so they do
 * not get into the inputs; secrets that did not change stay secret.
 */
export function applyChanges(inputs: Values, before: Values, after: Values): Values {
  const result: Values = {};
  for (const name of new Set([...Object.keys(inputs), ...Object.keys(after)])) {
    const value = applyChange(inputs[name], before[name], after[name]);
    if (value !== undefined) {
      result[name] = value;
    }
  }
  return result;
}

function applyChange(input: Rich, before: Rich, after: Rich): Rich {
  if (same(before, after)) {
    return input;
  }
  if (input instanceof Secret && after !== undefined) {
    const inner = applyChange(input.value, before, after);
    return inner === undefined ? undefined : new Secret(inner);
  }
  if (isRecord(input) && isRecord(before) && isRecord(after)) {
    return applyChanges(input, before, after);
  }
  if (Array.isArray(input) && Array.isArray(before) && Array.isArray(after)) {
    return after.map((item, index) =>
      index < input.length && index < before.length
        ? applyChange(input[index], before[index], item)
        : item,
    );
  }
  return after;
}

function same(a: Rich, b: Rich): boolean {
  let equal = true;
  compare(a, b, "", () => (equal = false));
  return equal;
}
