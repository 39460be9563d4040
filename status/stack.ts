/** What the state of a Pulumi stack says of the DPS instances that it manages. */
import { Breaches } from "../certificates/compromise";
import type { KnownCertificate } from "../certificates/declared";
import type { PastRoll } from "../certificates/past-rolls";
import { knownCertificates } from "../certificates/slots";
import type { CaCertificateOutputs } from "../dynamic-providers/ca-certificate/live";
import { type CodeToSign, codesToSign } from "../dynamic-providers/ca-certificate/offline";
import { UNKNOWN } from "../dynamic-providers/handler";
import type { FleetJudgementInputs } from "../dynamic-providers/fleet-judgement/provider";
import type { BreachContainmentOutputs } from "../dynamic-providers/breach-containment/provider";
import { resourceType } from "../dynamic-providers/resource-type";
import type { RotationManifestInputs } from "../dynamic-providers/rotation-manifest/provider";
import { resolved } from "../dynamic-providers/rotation-manifest/declared-inputs";
import type { Connection } from "../clients/target";
import { runEngine, wayIn } from "../gitops/engine";
import type { Closed } from "./evidence";

/** One DPS instance of a stack. */
export interface ManagedService {
  connection: Connection;
  /** PEM of everything declared that exists. */
  known: string[];
  isCompromised: (certificate: KnownCertificate) => boolean;
  /** Rolls that it was told to carry out, oldest first. */
  pastRolls: PastRoll[];
  /** Entries that admitted a compromised key until they were closed. */
  closed: Closed[];
  /** The manifest of issued leaves, relative to the folder of the program. */
  issuedLeaves?: string;
  /** Verification codes that wait to be signed. The stack's output has them as of the last `up` that succeeded. */
  toSign: CodeToSign[];
}

/** The state cannot be had, or is none. */
export class StackError extends Error {
  override readonly name = "StackError";
}

/**
 * The state of a stack as `pulumi stack export` prints it; secrets stay encrypted.
 * @param stack default: the selected one
 */
export async function exportStack(
  stack: string | undefined,
  folder: string | undefined,
): Promise<string> {
  const args = [
    "stack",
    "export",
    ...(stack === undefined ? [] : ["--stack", stack]),
    ...(folder === undefined ? [] : ["--cwd", folder]),
  ];
  try {
    return await runEngine(args, process.cwd());
  } catch (error) {
    const { code, stderr = "" } = (error as Error).cause as { code?: unknown; stderr?: string };
    const found =
      code === "ENOENT" ? "there is no `pulumi` on the PATH" : stderr.trim().split("\n").at(-1);
    const which = stack === undefined ? "the selected stack" : `stack ${stack}`;
    const fix =
      wayIn(stderr) || "Give --stack NAME, --state FILE (of `pulumi stack export`), or --no-stack.";
    throw new StackError(`The state of ${which} could not be exported (${found}). ${fix}`);
  }
}

interface Resource {
  type?: string;
  parent?: string;
  inputs?: unknown;
  outputs?: unknown;
}

/**
 * Its DPS instances, whatever the program is: found by the resource that judges what is declared for one.
 * @param source for people: where the text is from
 */
export function managedServices(state: string, source: string): ManagedService[] {
  let parsed: { deployment?: { resources?: Resource[] } | null } | null;
  try {
    parsed = JSON.parse(state) as typeof parsed;
  } catch {
    throw new StackError(`${source} is not JSON: give what \`pulumi stack export\` prints.`);
  }
  if (typeof parsed?.deployment !== "object") {
    throw new StackError(`${source} is no state: give what \`pulumi stack export\` prints.`);
  }
  const resources = parsed.deployment?.resources ?? [];
  const of = (name: Parameters<typeof resourceType>[0]): Resource[] =>
    resources.filter(({ type }) => type === resourceType(name));
  const cas = of("CaCertificate").map(({ outputs }) => outputs as CaCertificateOutputs);
  const manifests = of("RotationManifest");
  const closings = of("BreachContainment");
  return of("FleetJudgement").map(({ inputs, parent }) => {
    const manifest = manifests.find((each) => each.parent === parent)?.inputs;
    const closing = closings.find((each) => each.parent === parent)?.outputs;
    const { contained = {} } = (closing ?? {}) as Partial<BreachContainmentOutputs>;
    return {
      ...managedService(inputs as FleetJudgementInputs, cas),
      pastRolls: (manifest as RotationManifestInputs | undefined)?.pastRolls ?? [],
      closed: Object.entries(contained).flatMap(([key, { entries }]) =>
        entries.map((each) => ({ key, ...each })),
      ),
    };
  });
}

function managedService(
  inputs: FleetJudgementInputs,
  cas: CaCertificateOutputs[],
): Omit<ManagedService, "pastRolls" | "closed"> {
  const { serviceHostName } = inputs.connection;
  const own = cas.filter(({ connection }) => connection.serviceHostName === serviceHostName);
  const made = Object.entries(inputs.made).filter(([, pem]) => pem !== UNKNOWN);
  const declared = resolved({ ...inputs, made: Object.fromEntries(made) });
  const breaches = new Breaches(undefined, declared);
  const { issuedLeaves } = inputs;
  return {
    connection: inputs.connection,
    known: knownCertificates(declared).map(([, { pem }]) => pem),
    isCompromised: (certificate) =>
      breaches.shutsOut(certificate.summary.sha256Thumbprint, certificate),
    ...(issuedLeaves !== undefined && { issuedLeaves: issuedLeaves.file }),
    toSign: Object.values(
      codesToSign(Object.fromEntries(own.map(({ name, pending }) => [name, pending]))),
    ),
  };
}
