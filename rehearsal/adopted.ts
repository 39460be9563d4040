/** A stack that takes over what was made by hand before it. */
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
