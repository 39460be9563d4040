import type { HandlerName } from "./handlers";

/** The type of a dynamic resource, as states and previews have it. */
export function resourceType(handler: HandlerName): string {
  return `pulumi-nodejs:dynamic/dps:${handler}`;
}
