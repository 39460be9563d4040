/** Waivers: a waivable fault becomes a warning that carries the reason. */
import type { Waiver } from "./declared";
import { FAULTS, fault, type Fault, type FaultCode } from "./faults";
import { choice } from "./name-rules";
import { displayName, listed, someOf } from "./text";

/** As many as a person reads through. */
const MOST_NAMED = 20;

/** The fault of which a waiver says for which devices it is. */
const OF_DEVICES: FaultCode = "DPS-CERT-058";

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
    const unnamed = unnamedDevices(waiver, each);
    if (unnamed.length > 0) {
      const names = someOf(unnamed, MOST_NAMED);
      return { ...each, found: `${each.found} (the waiver does not name ${names})` };
    }
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

/* Device IDs are compared with case (IoT Hub identity registry). */
function unnamedDevices({ devices = [] }: Waiver, each: Fault): string[] {
  const named = new Set(devices);
  return (each.devices ?? []).filter((id) => !named.has(id));
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
  if ((waiver.devices !== undefined) !== (waiver.code === OF_DEVICES)) {
    return waiver.devices === undefined
      ? fault(
          "DPS-CERT-030",
          path,
          `a waiver of ${OF_DEVICES} that names no devices`,
          "name in devices those that may be cut off, as the refusal lists them; for many of them set retirement",
        )
      : fault(
          "DPS-CERT-030",
          `${path}.devices`,
          `devices in a waiver of ${displayName(waiver.code)}, which is not about single devices`,
          "remove devices",
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
