/** What a rehearsal begins with: the devices, and the first configuration of their stack. */
import type { Switches } from "../sandbox/common/switches";
import type { DeviceSpec } from "./fleet";
import type { Pki } from "./pki";

/** A device, and which enrollment it belongs to. */
export interface Member extends DeviceSpec {
  /** "individual", or the ID of an enrollment group. */
  enrollment: string;
}

/** The sections of a stack's configuration, without the project's namespace. */
export type Sections = Record<string, unknown>;

export interface Setting {
  members: Member[];
  /**
   * Makes the certificates and says what the stack declares at first. Absent: the repository's own
   * dev stack, whose certificates are made in the stack.
   */
  declare?: (pki: Pki, members: Member[]) => Promise<Sections>;
  /** What is not known about Azure, where it is not as the sandbox assumes it by default. */
  switches?: Partial<Switches>;
  /** What is declared was made by hand before, and is taken over. Default: false. */
  adopted?: boolean;
}

/** An individual enrollment that the observer rolls and tries; no device has it. */
export const TWIN_ENTRY = "canary-1";

/** So many devices of each enrollment; the last one goes to its hub first with a new certificate. */
function membersOf(names: Record<string, string>, count: number): Member[] {
  return Object.entries(names).flatMap(([enrollment, name]) =>
    Array.from({ length: count }, (_, at): Member => ({
      registrationId: `${name}-${at + 1}`,
      enrollment,
      rollFirst: at === count - 1 ? "connect" : "register",
    })),
  );
}

/** Two individual enrollments, a group below a root, a group below an intermediate; all from files. */
export const standard: Setting = {
  members: membersOf({ individual: "device", sensors: "sensor", gateways: "gateway" }, 2),
  async declare(pki, members) {
    const individuals = [
      TWIN_ENTRY,
      ...members
        .filter(({ enrollment }) => enrollment === "individual")
        .map(({ registrationId }) => registrationId),
    ];
    await pki.root("root-a", "Root A");
    await pki.root("root-i", "Root I");
    await pki.intermediate("intermediate-a", "Intermediate A", "root-i");
    for (const id of individuals) {
      await pki.selfSignedLeaf(`${id}-a`, id, 30);
    }
    const names = ["root-a", "root-i", "intermediate-a", ...individuals.map((id) => `${id}-a`)];
    return {
      target: "sandbox",
      service: { resourceGroup: "dps-rehearsal", location: "westeurope" },
      hubs: [{ name: "hub-1" }, { name: "hub-2" }],
      certificates: Object.fromEntries(names.map((name) => [name, { file: pki.file(name) }])),
      caCertificates: Object.fromEntries(
        ["root-a", "root-i"].map((name) => [
          name,
          { certificate: name, proof: { keyFile: pki.keyFile(name) } },
        ]),
      ),
      enrollmentGroups: {
        sensors: { primary: { ca: "root-a" } },
        gateways: { primary: { certificate: "intermediate-a" } },
      },
      individualEnrollments: Object.fromEntries(
        individuals.map((id) => [id, { primary: { certificate: `${id}-a` } }]),
      ),
    };
  },
};

/**
 * The standard one in a DPS that differs from what is assumed: a disabled individual enrollment denies
 * the certificates in it and not its registration ID, and a secondary certificate may stand alone.
 */
export const otherwise: Setting = {
  ...standard,
  switches: { disabledIndividualDenies: "certificate", primaryRequired: false },
};

/** The dev stack of the repository, as `npm start` shows it. */
export const devStack: Setting = {
  members: [
    ...membersOf({ individual: "device" }, 2),
    ...membersOf({ sensors: "sensor", gateways: "gateway" }, 3),
  ],
};
