/** A stack's deployment with something else in place of each secret, for a preview that may not read them. */

/** Marks a secret in a deployment: `pkg/resource/stack` of Pulumi, its signature of secrets. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/**
 * What devices' twins were saved as, and progress: lists. All other secrets of this project's stacks are
 * text (connection strings, keys).
 */
const LISTS: ReadonlySet<string> = new Set(["devices", "journal", "saved", "progress"]);

/** What `pulumi stack export` prints. */
export interface Exported {
  version: number;
  deployment: { resources?: unknown; secrets_providers?: unknown; [more: string]: unknown };
}

/**
 * The same deployment with "not read", or an empty list, in place of each secret; whoever imports it needs
 * no passphrase of the stack it came from. `exported` is not changed.
 */
export function withoutSecrets(exported: Exported): Exported {
  const deployment = { ...exported.deployment };
  delete deployment.secrets_providers;
  return {
    ...exported,
    deployment: { ...deployment, resources: replaced(deployment.resources, "") },
  };
}

function replaced(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((each) => replaced(each, name));
  if (typeof value !== "object" || value === null) return value;
  if ((value as Record<string, unknown>)[SIGNATURE] === SECRET) {
    // In clear: the engine (3.256.0) cannot import a secret without the provider that encrypted it.
    return LISTS.has(name) ? [] : "not read";
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, replaced(each, key)]));
}
