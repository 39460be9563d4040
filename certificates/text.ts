/** Text from outside (names in certificates, property names) made safe to print. */

/* Control characters, line and paragraph separators, lone surrogates, and the invisible or
   direction-changing characters with which one name can look like another (Unicode TR 36). */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The same, and what has a meaning in Markdown, in HTML or in the quotes used here. */
const UNPRINTABLE_OR_MARKUP = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}<>`|[\]"]/gu;

const PLAIN = /^[\p{L}\p{N} ._:@/+=*-]{1,128}$/u;
const LONGEST = 128;

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** Escapes what cannot be seen as `\u{hex}`, so that text cannot forge lines or their order. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/**
 * A name as shown to people: as it is when it is plain, otherwise quoted and with markup escaped,
 * so that it cannot be read as part of the sentence around it. Cut at 128 characters.
 */
export function displayName(name: string): string {
  if (PLAIN.test(name) && name === name.trim()) return name;
  const characters = [...name];
  const cut = characters.length > LONGEST ? `${characters.slice(0, LONGEST).join("")}…` : name;
  return `"${cut.replace(UNPRINTABLE_OR_MARKUP, escaped)}"`;
}

/** A reason of the configuration, in one line: YAML's blocks end in a new one. */
export function reasonWords(reason: string): string {
  return printable(reason.trim());
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[]): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} and ${items.at(-1) ?? ""}`;
}

/** The first of the names; the others are counted: `a, b and 3 more`. */
export function someOf(names: readonly string[], mostNamed: number): string {
  const shown = names.slice(0, mostNamed).map(displayName);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : listed(shown);
}

/**
 * A place in the configuration: `enrollmentGroups.sensors.primary`. A name with other characters
 * than letters, digits, `_` and `-` is put in brackets: `individualEnrollments["device.1"]`.
 */
export function pathOf(...segments: (string | number)[]): string {
  let path = "";
  for (const segment of segments) {
    if (typeof segment === "number") path += `[${segment}]`;
    else if (!/^[\w-]+$/.test(segment)) path += `[${printable(JSON.stringify(segment))}]`;
    else path += path === "" ? segment : `.${segment}`;
  }
  return path;
}

/** The known name that is nearest to a misspelt one, or undefined when none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(name.length / 3));
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit && distance < (best?.distance ?? Infinity)) {
      best = { name: candidate, distance };
    }
  }
  return best?.name;
}

/** Number of insertions, deletions, substitutions and swaps of neighbours from `a` to `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let distance = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        distance = Math.min(distance, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(distance);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}

/** Registration IDs and group IDs are compared without case (DPS service concepts). */
export function foldCase(id: string): string {
  return id.toLowerCase();
}
