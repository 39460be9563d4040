/** One cast of certificates, and configurations made of them, for the tests of changes. */
import type { Declared } from "../../certificates/declared";
import type { Issued, TestCa } from "../support/test-ca";
import { below, declared, leaf, root } from "./fixtures";

export const DEVICE = "individualEnrollments.device-1";
export const SENSORS = "enrollmentGroups.sensors";
const enabled = "enabled" as const;

export interface Cast {
  rootA: TestCa;
  rootB: TestCa;
  /** Two intermediates below root A. */
  lowA: TestCa;
  lowA2: TestCa;
  /** Leaves of device-1: two below `lowA`, one below root B. */
  one: Issued;
  two: Issued;
  three: Issued;
  /** Both roots are CAs; there are no entries. */
  base: Declared;
}

export async function cast(): Promise<Cast> {
  const rootA = await root("Root A");
  const rootB = await root("Root B");
  const lowA = await below(rootA, "Low A");
  const lowA2 = await below(rootA, "Low A2");
  const one = await leaf(lowA, "device-1");
  const two = await leaf(lowA, "device-1");
  const three = await leaf(rootB, "device-1");
  const base = declared(
    { "root-a": rootA, "root-b": rootB, low: lowA, low2: lowA2, one, two, three },
    {
      caCertificates: {
        "root-a": { certificate: "root-a" },
        "root-b": { certificate: "root-b" },
      },
    },
  );
  return { rootA, rootB, lowA, lowA2, one, two, three, base };
}

/** `device-1` with these certificates in its slots. */
export function device(
  { base }: Cast,
  primary?: string,
  secondary?: string,
  more: Partial<Declared> = {},
): Declared {
  return {
    ...base,
    individualEnrollments: {
      "device-1": {
        ...(primary === undefined ? {} : { primary: { certificate: primary } }),
        ...(secondary === undefined ? {} : { secondary: { certificate: secondary } }),
        status: enabled,
      },
    },
    ...more,
  };
}

/** The group `sensors` with these CA references or signing certificates in its slots. */
export function group(
  { base }: Cast,
  kind: "ca" | "certificate",
  primary?: string,
  secondary?: string,
  more: Partial<Declared> = {},
): Declared {
  const slot = (name: string) => (kind === "ca" ? { ca: name } : { certificate: name });
  return {
    ...base,
    enrollmentGroups: {
      sensors: {
        ...(primary === undefined ? {} : { primary: slot(primary) }),
        ...(secondary === undefined ? {} : { secondary: slot(secondary) }),
        status: enabled,
      },
    },
    ...more,
  };
}

export function breach(certificate: string): Pick<Declared, "compromised"> {
  return { compromised: [{ certificate, reason: "leaked" }] };
}
