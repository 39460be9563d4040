/**
 * Which enrollment admits a device: DPS's matching, simulated. Pure: what the service holds, what devices
 * present and the time are passed in. Source unless said otherwise:
 * learn.microsoft.com/azure/iot-dps/concepts-x509-attestation ("DPS order of operations with certificates").
 *
 * Where it is not known how DPS decides (two groups with one certificate, two chains of one leaf) there are
 * several possible outcomes, and all of them are answered.
 */
import { AdmissionPaths, type Path, linkFault } from "./admission-paths";
import type { ChainCertificate } from "./chain-certificate";
import { displayName, foldCase, listed } from "./text";

/** An enrollment as DPS holds it. Certificates by SHA-256 (upper-case hex); CA references resolved. */
export interface AdmittingEntry {
  /** Registration ID or group ID. */
  id: string;
  enabled: boolean;
  certificates: string[];
}

export interface ServiceHoldings {
  individuals: AdmittingEntry[];
  groups: AdmittingEntry[];
  /** CA certificates, by SHA-256. */
  cas: { id: string; verified: boolean }[];
}

export interface PresentingDevice {
  registrationId: string;
  /** SHA-256 of its leaf, upper-case hex. */
  leaf: string;
  /** SHA-256 of who issued the leaf; needed when the bytes of the leaf are not known. */
  issuer?: string;
  /** SHA-256 of what it presents beside its leaf. */
  above: readonly string[];
}

/**
 * What is not known about DPS and decides; the names and values are those of the sandbox's switches
 * (docs/reference/sandbox-switches.md).
 */
export interface Assumptions {
  disabledIndividualDenies: "registration-id" | "certificate";
  disabledGroupDenies: "first-hit" | "anywhere";
  verifiedCaEndsChain: boolean;
  slotCompletesChain: boolean;
  individualWithChain: "admitted" | "refused";
  verifiedCaDates: "judged" | "ignored";
  extendedKeyUsage: "judged" | "ignored";
  criticalNameConstraints: "refused" | "ignored";
  weakSignatures: "admitted" | "refused";
}

export const ASSUMED: Assumptions = {
  disabledIndividualDenies: "registration-id",
  disabledGroupDenies: "first-hit",
  verifiedCaEndsChain: true,
  slotCompletesChain: false,
  individualWithChain: "admitted",
  verifiedCaDates: "judged",
  extendedKeyUsage: "judged",
  criticalNameConstraints: "refused",
  weakSignatures: "admitted",
};

export type RefusalReason =
  | "common name"
  | "individual enrollment disabled"
  | "not in its individual enrollment"
  | "leaf not valid"
  | "chain sent with an individual enrollment"
  | "no chain to a verified CA"
  | "chain not valid"
  | "no enrollment"
  | "enrollment group disabled";

export type Outcome =
  | { admitted: true; kind: "individual" | "group"; id: string }
  | {
      admitted: false;
      reason: RefusalReason;
      /** For people. */
      words: string;
    };

/** Every outcome that DPS may come to; or why that cannot be told. */
export type Answer = { known: true; outcomes: Outcome[] } | { known: false; why: string };

export interface AdmissionOptions {
  now: Date;
  /** Certificates whose bytes are known, by SHA-256. */
  certificates: ReadonlyMap<string, ChainCertificate>;
  /** Common names of others, by SHA-256: they tell whom such a certificate cannot have issued. */
  commonNames?: ReadonlyMap<string, string>;
  assumptions?: Assumptions;
}

/** The matching of one service at one time, for many devices. */
export class Admission {
  private readonly individuals: Map<string, AdmittingEntry>;
  private readonly disabledLeaves: Set<string>;
  private readonly groupsOf = new Map<string, AdmittingEntry[]>();
  private readonly paths: AdmissionPaths;
  private readonly assumptions: Assumptions;

  constructor(
    service: ServiceHoldings,
    private readonly options: AdmissionOptions,
  ) {
    this.assumptions = options.assumptions ?? ASSUMED;
    this.individuals = new Map(service.individuals.map((one) => [foldCase(one.id), one]));
    this.disabledLeaves = new Set(
      service.individuals.flatMap(({ enabled, certificates }) => (enabled ? [] : certificates)),
    );
    for (const group of service.groups) {
      for (const id of new Set(group.certificates)) {
        this.groupsOf.set(id, [...(this.groupsOf.get(id) ?? []), group]);
      }
    }
    this.paths = new AdmissionPaths(service, options, this.assumptions);
  }

  of(device: PresentingDevice): Answer {
    const leaf = this.options.certificates.get(device.leaf);
    const name = leaf?.summary.subjectCommonName;
    if (name !== undefined && foldCase(name) !== foldCase(device.registrationId)) {
      const found = name === "" ? "no common name" : `common name ${displayName(name)}`;
      return certain(refused("common name", `its leaf has ${found}`));
    }
    return this.byIndividual(device, leaf) ?? this.byGroup(device, leaf);
  }

  /** Undefined: no individual enrollment has a say. */
  private byIndividual(
    device: PresentingDevice,
    leaf: ChainCertificate | undefined,
  ): Answer | undefined {
    const { disabledIndividualDenies, individualWithChain } = this.assumptions;
    const byCertificate = disabledIndividualDenies === "certificate";
    if (byCertificate && this.disabledLeaves.has(device.leaf)) {
      const words = "a disabled individual enrollment holds its leaf";
      return certain(refused("individual enrollment disabled", words));
    }
    const entry = this.individuals.get(foldCase(device.registrationId));
    if (entry === undefined || (byCertificate && !entry.enabled)) return undefined;
    if (!entry.enabled) {
      const words = "its individual enrollment is disabled";
      return certain(refused("individual enrollment disabled", words));
    }
    if (!entry.certificates.includes(device.leaf)) {
      const words = "its individual enrollment holds another leaf";
      return certain(refused("not in its individual enrollment", words));
    }
    if (individualWithChain === "refused" && device.above.length > 0) {
      const words = "it presents more than its leaf to an individual enrollment";
      return certain(refused("chain sent with an individual enrollment", words));
    }
    // Of a leaf whose bytes are not known nobody can tell more than that it is the one in the slot.
    const fault = leaf && linkFault(leaf, this.options.now, this.assumptions);
    return certain(
      fault === undefined
        ? { admitted: true, kind: "individual", id: entry.id }
        : refused("leaf not valid", `its leaf ${fault}`),
    );
  }

  private byGroup(device: PresentingDevice, leaf: ChainCertificate | undefined): Answer {
    const found = this.paths.of(device, leaf);
    if (!found.known) return found;
    const { paths, faults } = found;
    if (paths.length === 0) {
      const words = listed([...new Set(faults.map((each) => each.words))]);
      const missing = faults.every(({ kind }) => kind === "missing");
      return certain(refused(missing ? "no chain to a verified CA" : "chain not valid", words));
    }
    const outcomes = paths.flatMap((path) => this.along(path));
    return outcomes.length === 0
      ? certain(refused("no enrollment", "no enrollment group holds a certificate of its chain"))
      : { known: true, outcomes: distinct(outcomes) };
  }

  /** From the first intermediate up to the CA certificate; empty: no group holds any of them. */
  private along(path: Path): Outcome[] {
    const levels = path.flatMap((id) => {
      const groups = this.groupsOf.get(id);
      return groups === undefined ? [] : [groups];
    });
    const [first] = levels;
    if (first === undefined) return [];
    const disabled = levels.flat().find(({ enabled }) => !enabled);
    if (this.assumptions.disabledGroupDenies === "anywhere" && disabled !== undefined) {
      return [groupDisabled(disabled)];
    }
    return first.map((group) =>
      group.enabled ? { admitted: true, kind: "group", id: group.id } : groupDisabled(group),
    );
  }
}

function groupDisabled({ id }: AdmittingEntry): Outcome {
  return refused(
    "enrollment group disabled",
    `the enrollment group \`${displayName(id)}\` is disabled`,
  );
}

function refused(reason: RefusalReason, words: string): Outcome {
  return { admitted: false, reason, words };
}

function certain(outcome: Outcome): Answer {
  return { known: true, outcomes: [outcome] };
}

function distinct(outcomes: Outcome[]): Outcome[] {
  const keyed = outcomes.map((each) => [JSON.stringify(each), each] as const);
  return [...new Map(keyed).values()];
}
