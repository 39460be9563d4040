/** What is opened again after somebody closed it by hand. */
import { pathOf } from "../certificates/text";
import type { StackConfiguration } from "./configuration";

/**
 * Why this entry or CA certificate is opened again; undefined when it is not. It acts once: whoever
 * carries it out keeps the reason in the state, and the same reason does nothing a second time.
 */
export function reenableReason(
  { reenable }: StackConfiguration,
  section: "caCertificates" | "enrollmentGroups" | "individualEnrollments",
  name: string,
): string | undefined {
  return reenable.find(({ path }) => path === pathOf(section, name))?.reason;
}
