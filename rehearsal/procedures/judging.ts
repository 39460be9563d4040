/** Judgements that several procedures make. */
import { X509Certificate } from "node:crypto";
import { type Edit, set } from "../configuration";
import type { Rehearsal } from "../rehearsal";
import type { Course } from "./course";
import type { Roll } from "./rolls";

/** Pulumi says in words what a change is, entry by entry. */
export function declareEach(
  course: Course,
  { entries }: Pick<Roll, "entries">,
  phase: string,
  printed: string,
  kind = "expiration",
): void {
  const unsaid = entries.filter((entry) => !printed.includes(`${kind} roll of ${entry}: ${phase}`));
  course.hold(
    `Pulumi calls it by its name: ${kind} roll, ${phase}`,
    entries.length > 0 && unsaid.length === 0,
    unsaid.length === 0 ? entries.join(", ") : `not said of ${unsaid.join(", ")}`,
  );
}

/**
 * What a preview has to say: what the change is, in words, and which certificates it is about, by
 * subject, thumbprint and dates.
 *
 * @param words what it calls the change, entry by entry
 * @param certificates names of certificates in the configuration
 */
export function previews(
  rehearsal: Rehearsal,
  course: Course,
  words: string[],
  certificates: string[],
): (preview: string) => void {
  return (preview) => {
    const shown = [...new Set(certificates)].map((name) =>
      asShown(rehearsal.pki.pair(name).certificate),
    );
    const missing = [...words, ...shown].filter((one) => !preview.includes(one));
    course.hold(
      "the preview names it in words, and shows certificates by subject, thumbprint and dates",
      words.length > 0 && shown.length > 0 && missing.length === 0,
      missing.length > 0
        ? `not in the preview: ${missing.join("; ")}`
        : `${words.join(", ")}; ${shown.join("; ")}`,
    );
  };
}

/** What a preview of the first phase of an expiration has to say. */
export function previewsRoll(
  rehearsal: Rehearsal,
  course: Course,
  { entries, old, declare }: Roll,
): (preview: string) => void {
  const words = entries.map((entry) => `expiration roll of ${entry}: prepare`);
  return previews(rehearsal, course, words, [...old, ...declaredIn(declare)]);
}

/** New certificates among edits of the configuration. */
export function declaredIn(edits: Edit[]): string[] {
  return edits.flatMap(({ path: [section, name], value }) =>
    section === "certificates" && value !== undefined ? [String(name)] : [],
  );
}

/** `Root B (SHA-256 947CBFAA…, self-signed, valid 2026-11-24 to 2028-11-23)`. */
function asShown(pem: string): string {
  const { subject, issuer, fingerprint256, validFrom, validTo } = new X509Certificate(pem);
  const name = (dn: string): string => /^CN=(.*)$/m.exec(dn)?.[1] ?? dn;
  const day = (date: string): string => new Date(date).toISOString().slice(0, 10);
  const thumbprint = fingerprint256.replaceAll(":", "").slice(0, 8);
  const origin = subject === issuer ? "self-signed" : `issued by ${name(issuer)}`;
  return `${name(subject)} (SHA-256 ${thumbprint}…, ${origin}, valid ${day(validFrom)} to ${day(validTo)})`;
}

/** A change is refused at the preview, with the code that says why, and nothing has been written. */
export async function refuses(
  rehearsal: Rehearsal,
  course: Course,
  what: string,
  edits: Edit[],
  expected: { code: string; words: string[] },
): Promise<void> {
  const written = course.window.moments.length;
  const message = await rehearsal.refused(what, edits);
  const line = message?.split("\n").find((each) => each.includes(expected.code));
  const unsaid = expected.words.filter((word) => line?.includes(word) !== true);
  course.hold(
    `${what}: refused before anything is written (${expected.code})`,
    line !== undefined && unsaid.length === 0 && course.window.moments.length === written,
    line?.trim() ??
      (message === undefined ? "not refused" : message.split("\n").slice(-6).join(" ")),
  );
}

/** Waivable faults are accepted until tomorrow. */
export function waive(
  rehearsal: Rehearsal,
  reason: string,
  faults: { code: string; path: string }[],
): Edit {
  const before = (rehearsal.configured("waivers") ?? []) as object[];
  const until = new Date(Date.now() + 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
  return set(["waivers"], [...before, ...faults.map((fault) => ({ ...fault, reason, until }))]);
}
