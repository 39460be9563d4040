/** What is opened again after somebody closed it by hand. */
import { pathOf } from "../certificates/text";
import type { StackConfiguration } from "./configuration";

/**
 * `reenable` with the reason why this entry or CA certificate is opened again; empty when it is not. It
 * acts once: whoever carries it out keeps the reason in the state, and the same reason does nothing a
 * second time.
 */
export function reenabled(
  { reenable }: StackConfiguration,
  section: "caCertificates" | "enrollmentGroups" | "individualEnrollments",
  name: string,
): { reenable?: string } {
  const found = reenable.find(({ path }) => path === pathOf(section, name));
  return found === undefined ? {} : { reenable: found.reason };
}
