/** A stack that takes over what was made by hand before it. */
import { type Edit, set } from "./configuration";
import type { Declared } from "./hands";
import type { Sections } from "./setting";

/** The same sections, for a stack that finds everything there. */
export function adopting(sections: Sections): Sections {
  const declared = named(sections);
  return {
    ...declared,
    service: { ...declared.service, adopt: true },
    hubs: declared.hubs.map((hub) => ({ ...hub, adopt: true })),
    caCertificates: each(declared.caCertificates),
    enrollmentGroups: each(declared.enrollmentGroups),
    individualEnrollments: each(declared.individualEnrollments),
  };
}

/** The sections with a name for the service, as what is made by hand has one. */
export function named(sections: Sections): Declared & Sections {
  const declared = sections as Declared & Sections;
  return { ...declared, service: { ...declared.service, name: "dps-by-hand" } };
}

function each<T extends object>(all: Record<string, T>): Record<string, T & { adopt: true }> {
  return Object.fromEntries(
    Object.entries(all).map(([name, one]) => [name, { ...one, adopt: true as const }]),
  );
}

/**
 * Groups that were adopted stay in DPS when the stack lets go of them, so the CA certificates that rolls
 * gave them have to as well.
 */
export function retaining(cas: unknown): Edit[] {
  return Object.entries((cas ?? {}) as Record<string, object>)
    .filter(([, ca]) => !("adopt" in ca))
    .map(([name]) => set(["caCertificates", name, "retain"], true));
}
