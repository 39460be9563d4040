/** What a twin is owed of what was saved from an earlier one of the same device. */

/** The parts of a twin that belong to the back end. */
export interface TwinParts {
  tags: Record<string, unknown>;
  desired: Record<string, unknown>;
}

export interface Owed {
  due: TwinParts;
  isNothing: boolean;
  /** Paths of fields that stay as they are, because somebody has written them since: `tags.site`. */
  newer: string[];
}

/**
 * Fields that are missing, and those that have the value an initial twin of DPS gave them. Any other value was
 * written after the twin was made, so it is newer than what was saved, and stays.
 */
export function owedTo(
  live: TwinParts,
  saved: TwinParts,
  initials: readonly Partial<TwinParts>[],
): Owed {
  const newer: string[] = [];
  const part = (name: keyof TwinParts): Record<string, unknown> =>
    (owed(
      live[name],
      saved[name],
      initials.map((one) => one[name]),
      name,
      newer,
    ) ?? {}) as Record<string, unknown>;
  const due = { tags: part("tags"), desired: part("desired") };
  return { due, isNothing: [due.tags, due.desired].every(isEmpty), newer };
}

/** Undefined: nothing. */
function owed(
  live: unknown,
  saved: unknown,
  initials: unknown[],
  path: string,
  newer: string[],
): unknown {
  if (live === undefined) return saved;
  if (isObject(live) && isObject(saved)) {
    const fields = Object.entries(saved).flatMap(([name, value]) => {
      const initial = initials.map((one) => (isObject(one) ? own(one, name) : undefined));
      const due = owed(own(live, name), value, initial, `${path}.${name}`, newer);
      return due === undefined ? [] : [[name, due] as const];
    });
    return fields.length === 0 ? undefined : Object.fromEntries(fields);
  }
  const text = JSON.stringify(live);
  if (text === JSON.stringify(saved)) return undefined;
  if (initials.some((one) => JSON.stringify(one) === text)) return saved;
  newer.push(path);
  return undefined;
}

/** A field may be called as what every object inherits: `constructor`. */
function own(from: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(from, name) ? from[name] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmpty(part: object): boolean {
  return Object.keys(part).length === 0;
}
