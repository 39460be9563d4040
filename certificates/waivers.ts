/** Waivers: a waivable fault becomes a warning that carries the reason. */
import type { Waiver } from "./declared";
import { FAULTS, fault, type Fault, type FaultCode } from "./faults";
import { choice } from "./name-rules";
import { displayName, listed } from "./text";

/**
 * Applies the waivers, and adds what is wrong with the waivers themselves. Each stands at its index
 * in the configuration; undefined is one that is about other faults than these.
 */
export function applyWaivers(
  faults: Fault[],
  waivers: readonly (Waiver | undefined)[],
  now: Date,
): Fault[] {
  const problems = waivers.map((waiver, index) =>
    waiver === undefined ? undefined : unusable(waiver, `waivers[${index}]`, now),
  );
  const usable = waivers.flatMap((waiver, index) =>
    waiver === undefined || problems[index] !== undefined ? [] : [waiver],
  );
  const judged = faults.map((each) => {
    const waiver = usable.find((candidate) => meets(candidate, each));
    if (waiver === undefined) return each;
    const { reason, until } = waiver;
    return { ...each, severity: "warning" as const, waived: { reason, until } };
  });
  const idle = waivers.flatMap((waiver, index) => {
    if (waiver === undefined || problems[index] !== undefined) return [];
    if (faults.some((each) => meets(waiver, each))) return [];
    return [
      fault(
        "DPS-CERT-031",
        `waivers[${index}]`,
        `a waiver of ${waiver.code} at ${displayName(waiver.path)}, where there is no such fault`,
        "remove the waiver",
      ),
    ];
  });
  return [...judged, ...problems.filter((each) => each !== undefined), ...idle];
}

function meets(waiver: Waiver, each: Fault): boolean {
  return each.severity === "waivable" && each.code === waiver.code && each.path === waiver.path;
}

function unusable(waiver: Waiver, path: string, now: Date): Fault | undefined {
  const waivable = codes().filter((code) => FAULTS[code].severity === "waivable");
  if (!waivable.some((code) => code === waiver.code)) {
    const known = codes().find((code) => code === waiver.code);
    const what = known === undefined ? "an unknown code" : `a fault that nobody can waive`;
    return fault(
      "DPS-CERT-030",
      `${path}.code`,
      `${what}: ${displayName(waiver.code)}`,
      known === undefined
        ? choice(waiver.code, waivable)
        : `remove the waiver and mend the fault; only these are waived: ${listed(waivable)}`,
    );
  }
  const day = new Date(`${waiver.until}T00:00:00Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(waiver.until) || Number.isNaN(day.getTime())) {
    const found = `a day that is not written as YYYY-MM-DD: ${displayName(waiver.until)}`;
    return fault("DPS-CERT-030", `${path}.until`, found, "write it as 2026-12-31");
  }
  // It holds through its last day.
  if (now.getTime() < day.getTime() + 24 * 3600 * 1000) return undefined;
  return fault(
    "DPS-CERT-081",
    `${path}.until`,
    `a waiver that ended on ${waiver.until}`,
    "remove the waiver, or renew it with a reason",
  );
}

function codes(): FaultCode[] {
  return Object.keys(FAULTS) as FaultCode[];
}
