/** Edits of a configuration, for the properties. */
import fc from "fast-check";
import type { Declared } from "../../certificates/declared";

const NAMES = ["one", "two", "three", "low", "low2", "root-a", "root-b"] as const;

/** What is issued below each certificate of the cast. */
export const BELOW: Partial<Record<string, string[]>> = {
  low: ["one", "two"],
  "root-a": ["low", "low2", "one", "two"],
  "root-b": ["three"],
};

/** An entry of either kind. */
interface Held {
  primary?: { ca: string } | { certificate: string };
  secondary?: { ca: string } | { certificate: string };
  status: "enabled" | "disabled";
}

function slotOf(name: string): { ca: string } | { certificate: string } {
  return name.startsWith("root") ? { ca: name } : { certificate: name };
}

function compromise(declared: Declared, certificate: string): void {
  const isNamed = declared.compromised.some(
    (each) => "certificate" in each && each.certificate === certificate,
  );
  if (!isNamed) declared.compromised.push({ certificate, reason: "leaked" });
}

/** Changes a configuration in place. */
export type Edit = (declared: Declared) => void;

const rootSlot = fc.constantFrom({ ca: "root-a" }, { ca: "root-b" }, undefined);
const lowSlot = fc.constantFrom({ certificate: "low" }, { certificate: "low2" }, undefined);
const leafSlot = fc.constantFrom("one", "two", "three", undefined);
const status = fc.constantFrom<"enabled" | "disabled">("enabled", "enabled", "enabled", "disabled");
const slots = <T extends object>(slot: fc.Arbitrary<T | undefined>) =>
  fc.tuple(slot, slot).map(([primary, secondary]) => ({
    ...(primary && { primary }),
    ...(secondary && { secondary }),
  }));

const anything: fc.Arbitrary<Edit> = fc.oneof(
  fc
    .tuple(fc.constantFrom("sensors", "plant"), fc.oneof(slots(rootSlot), slots(lowSlot)), status)
    .map(([id, held, enabled]): Edit => (declared) => {
      declared.enrollmentGroups[id] = { ...held, status: enabled };
    }),
  fc.constantFrom("sensors", "plant").map((id): Edit => (declared) => {
    delete declared.enrollmentGroups[id];
  }),
  fc
    .tuple(slots(leafSlot.map((name) => name && { certificate: name })), status)
    .map(([held, enabled]): Edit => (declared) => {
      declared.individualEnrollments["device-1"] = { ...held, status: enabled };
    }),
  fc.constant<Edit>((declared) => {
    delete declared.individualEnrollments["device-1"];
  }),
  fc
    .tuple(fc.constantFrom("root-a", "root-b"), fc.boolean())
    .map(([name, there]): Edit => (declared) => {
      if (there) declared.caCertificates[name] = { certificate: name };
      else delete declared.caCertificates[name];
    }),
  fc.constantFrom(...NAMES).map((certificate): Edit => (declared) => {
    compromise(declared, certificate);
  }),
  fc.constant<Edit>((declared) => {
    declared.compromised.pop();
  }),
  fc.boolean().map((denied): Edit => (declared) => {
    declared.denied = denied ? [{ registrationId: "device-1", reason: "stolen" }] : [];
  }),
);

/* What a person does on purpose: one phase of one roll. */
const rolled: fc.Arbitrary<Edit> = fc
  .tuple(
    fc.constantFrom("sensors", "plant", "device-1"),
    fc.constantFrom("fill", "empty primary", "empty secondary", "swap"),
    fc.constantFrom(...NAMES),
  )
  .map(([id, what, name]): Edit => (declared) => {
    const entry: Held | undefined =
      declared.enrollmentGroups[id] ?? declared.individualEnrollments[id];
    if (entry === undefined) return;
    const { primary, secondary } = entry;
    if (what === "fill") entry[primary === undefined ? "primary" : "secondary"] ??= slotOf(name);
    else if (what === "empty primary") delete entry.primary;
    else if (what === "empty secondary") delete entry.secondary;
    else if (primary && secondary) Object.assign(entry, { primary: secondary, secondary: primary });
  });
const breach: fc.Arbitrary<Edit> = fc
  .tuple(fc.constantFrom(...NAMES), fc.option(fc.constantFrom(...NAMES), { nil: undefined }))
  .map(([stolen, instead]): Edit => (declared) => {
    compromise(declared, stolen);
    const reached = [stolen, ...(BELOW[stolen] ?? [])];
    for (const entry of [
      ...Object.values<Held>(declared.enrollmentGroups),
      ...Object.values<Held>(declared.individualEnrollments),
    ]) {
      const holds = (slot: Held["primary"]): boolean =>
        slot !== undefined && reached.includes("ca" in slot ? slot.ca : slot.certificate);
      if (!holds(entry.primary) && !holds(entry.secondary)) continue;
      if (instead === undefined) entry.status = "disabled";
      else {
        if (holds(entry.primary)) delete entry.primary;
        if (holds(entry.secondary)) delete entry.secondary;
        if (!entry.primary && !entry.secondary) entry.primary = slotOf(instead);
      }
    }
    const isReferred = Object.values(declared.enrollmentGroups).some(({ primary, secondary }) =>
      [primary, secondary].some((slot) => slot && "ca" in slot && slot.ca === stolen),
    );
    if (!isReferred) delete declared.caCertificates[stolen];
  });
/** One edit of a configuration: a phase of a roll, a breach, or anything else. */
export const edit: fc.Arbitrary<Edit> = fc.oneof(
  { arbitrary: rolled, weight: 4 },
  { arbitrary: breach, weight: 1 },
  { arbitrary: anything, weight: 2 },
);
