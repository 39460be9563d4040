/** From the stack's configuration to what components are made of. */
import * as pulumi from "@pulumi/pulumi";
import { type CompromisedKey, compromisedKeys } from "../certificates/compromised-keys";
import type { Declared } from "../certificates/declared";
import { Breaches } from "../certificates/compromise";
import { refuseAny, RefusedError } from "../certificates/faults";
import { deniedIds } from "../certificates/denials";
import { heldCas, isCa } from "../certificates/held-cas";
import { readConfiguration, type StackConfiguration } from "../configuration/configuration";
import { declaredOf, withMade } from "../configuration/load-certificates";
import { reenabled } from "../configuration/reenable";
import { record } from "../dynamic-providers/judgement-record";
import { targetNow } from "../clients/target-time";
import { entriesOf } from "../certificates/slots";
import { foldCase } from "../certificates/text";
import type { CaCertificateArgs } from "./ca-certificate";
import { type Certificate, certificateFromPem } from "./certificate";
import { DevCertificate } from "./dev-certificate";
import { requireReadOnly } from "./read-only";
import { type Removal, removalOf } from "./removal-settings";

export interface Stack {
  configuration: StackConfiguration;
  /** Everything declared, judged; certificates made in the stack stand in it as not known. */
  declared: Declared;
  certificates: Map<string, Certificate>;
  /** PEM of the certificates made in the stack, by name. */
  made: Record<string, pulumi.Output<string>>;
  compromised: pulumi.Output<CompromisedKey[]>;
  /** How devices are removed after a breach. */
  removal: Removal;
  /** Key of each declared CA certificate, by its name in DPS. */
  caKeys: Record<string, pulumi.Output<string>>;
  /** Keys in the slots of each declared enrollment, by `group/ID` or `individual/ID`. */
  slotKeys: Record<string, pulumi.Output<string[]>>;
  /** Signed verification certificates in PEM, by the name of their CA. */
  signed: Record<string, string>;
  /** Devices that are denied, or whose leaf is compromised, without an individual enrollment. */
  denials: Denial[];
  /** Registration IDs that are denied, by themselves or by a leaf that nothing takes the place of. */
  deniedIds: string[];
  /** CA certificates that are kept in disabled groups, so that their chains are shut out. */
  held: Held[];
  /** PEM of certificate and key of everything made in the stack, by name. */
  devCertificates: Record<
    string,
    { certificate: pulumi.Output<string>; privateKey: pulumi.Output<string> }
  >;
}

/** A device that is shut out by a disabled individual enrollment, which holds its certificate if that is known. */
export interface Denial {
  registrationId: string;
  certificate?: Certificate;
  reason: string;
}

/** A CA certificate that is shut out by a disabled enrollment group. */
export interface Held {
  /** Of the resource: equal as long as the certificate is the same, whatever it is called. */
  resourceName: string;
  certificate: Certificate;
  /** Name of a CA of this DPS, by which the group refers to it; undefined: it holds the certificate. */
  ca: string | undefined;
}

/**
 * Reads, checks and judges the configuration before any resource is registered. What is wrong is
 * said in one message with every fault in it, and nothing has been changed.
 */
export function readStack(): Stack {
  try {
    const configuration = readConfiguration(rawConfiguration());
    requireReadOnly(configuration.auth);
    const { declared, signed } = declaredOf(configuration, process.cwd(), targetNow());
    return { ...resolve(configuration, declared), signed };
  } catch (error) {
    // The engine prints a RunError without a stack trace: the message is for whoever wrote the configuration.
    if (!(error instanceof RefusedError)) throw error;
    record({ by: "program", faults: [...error.faults] });
    throw new pulumi.RunError(error.message);
  }
}

/** The project's namespace of the stack configuration, as it was written. */
function rawConfiguration(): Record<string, unknown> {
  const namespace = `${pulumi.getProject()}:`;
  const own = Object.entries(pulumi.runtime.allConfig()).filter(([key]) =>
    key.startsWith(namespace),
  );
  return Object.fromEntries(
    own.map(([key, value]) => [key.slice(namespace.length), parsed(value)]),
  );
}

/** The engine hands over objects and lists as JSON, and everything else as text. */
function parsed(value: string): unknown {
  try {
    return /^\s*[[{]/.test(value) ? (JSON.parse(value) as unknown) : value;
  } catch {
    // Text that only begins like JSON: the schema says what belongs there.
    return value;
  }
}

function resolve(configuration: StackConfiguration, declared: Declared): Omit<Stack, "signed"> {
  const certificates = makeCertificates(configuration, declared);
  const made = Object.fromEntries(
    [...certificates]
      .filter(([, { privateKeyPem }]) => privateKeyPem !== undefined)
      .map(([name, { pem }]) => [name, pem]),
  );
  const { removal, faults } = removalOf(configuration, declared, made);
  refuseAny(faults);
  return {
    configuration,
    declared,
    certificates,
    made,
    compromised: compromisedIn(declared, made),
    removal,
    caKeys: Object.fromEntries(
      Object.entries(configuration.caCertificates).map(([ca, { certificate }]) => [
        ca,
        named(certificates, certificate).summary.apply(({ publicKeySha256 }) => publicKeySha256),
      ]),
    ),
    slotKeys: slotKeysIn(declared, certificates),
    denials: denialsIn(declared, certificates),
    deniedIds: deniedIds(declared),
    held: heldCas(declared, new Breaches(undefined, declared)).map(({ name, ca, groupId }) => ({
      resourceName: groupId ?? `denied-${name}`,
      certificate: named(certificates, name),
      ca,
    })),
    devCertificates: Object.fromEntries(
      [...certificates].flatMap(([name, { pem, privateKeyPem }]) =>
        privateKeyPem === undefined
          ? []
          : [[name, { certificate: pem, privateKey: privateKeyPem }]],
      ),
    ),
  };
}

function slotKeysIn(
  declared: Declared,
  certificates: ReadonlyMap<string, Certificate>,
): Stack["slotKeys"] {
  return Object.fromEntries(
    entriesOf(declared).map(({ kind, id, slots }) => [
      `${kind}/${foldCase(id)}`,
      pulumi.all(
        slots.flatMap(({ certificateName }) =>
          certificateName === undefined
            ? []
            : [
                named(certificates, certificateName).summary.apply(
                  ({ publicKeySha256 }) => publicKeySha256,
                ),
              ],
        ),
      ),
    ]),
  );
}

/** One for each registration ID, by its certificate where one is named. */
function denialsIn(declared: Declared, certificates: ReadonlyMap<string, Certificate>): Denial[] {
  const enrolled = new Set(Object.keys(declared.individualEnrollments).map(foldCase));
  const denials = new Map<string, Denial>();
  for (const entry of [...declared.denied, ...declared.compromised]) {
    const denial = denialOf(entry, declared, certificates);
    if (denial === undefined) continue;
    const key = foldCase(denial.registrationId);
    if (!enrolled.has(key) && denials.get(key)?.certificate === undefined) {
      denials.set(key, denial);
    }
  }
  return [...denials.values()];
}

/** Undefined for a CA, which is held in a group. */
function denialOf(
  entry: Declared["denied"][number] | Declared["compromised"][number],
  declared: Declared,
  certificates: ReadonlyMap<string, Certificate>,
): Denial | undefined {
  const { reason } = entry;
  if ("registrationId" in entry) return { registrationId: entry.registrationId, reason };
  const certificate = "certificate" in entry ? declared.certificates[entry.certificate] : undefined;
  if (!("certificate" in entry) || certificate === undefined || isCa(certificate)) return undefined;
  const registrationId = certificate.known
    ? certificate.summary.subjectCommonName
    : (certificate.commonName ?? "");
  return registrationId === ""
    ? undefined
    : { registrationId, certificate: named(certificates, entry.certificate), reason };
}

/**
 * Waits for the certificates that are named as compromised and for what the stack issues below them,
 * and for no others; for all of them when one is named by its thumbprint, which any of them may have.
 */
function compromisedIn(declared: Declared, made: Stack["made"]): pulumi.Output<CompromisedKey[]> {
  const names = declared.compromised.flatMap((entry) =>
    "certificate" in entry ? [entry.certificate] : [],
  );
  const anyOfThem = declared.compromised.some((entry) => "thumbprint" in entry);
  const needed = Object.fromEntries(
    Object.entries(made).filter(
      ([name]) => anyOfThem || issuersOf(name, declared).some((issuer) => names.includes(issuer)),
    ),
  );
  return pulumi
    .all(needed)
    .apply((pems) =>
      compromisedKeys({ ...declared, certificates: withMade(declared.certificates, pems) }),
    );
}

/** The certificate itself, and those above it, as far as the stack makes them. */
function issuersOf(name: string, declared: Declared): string[] {
  const certificate = declared.certificates[name];
  const issuer = certificate?.known === false ? certificate.issuer : undefined;
  return [name, ...(issuer === undefined ? [] : issuersOf(issuer, declared))];
}

/** Issuers before what they issue. */
function makeCertificates(
  configuration: StackConfiguration,
  declared: Declared,
): Map<string, Certificate> {
  const certificates = new Map<string, Certificate>();
  const make = (name: string): Certificate => {
    const known = certificates.get(name);
    if (known !== undefined) {
      return known;
    }
    const configured = configuration.certificates[name];
    const loaded = declared.certificates[name];
    const issuer =
      configured !== undefined && "dev" in configured ? configured.dev.issuer : undefined;
    const certificate =
      configured !== undefined && "dev" in configured
        ? new DevCertificate(name, {
            ...configured.dev,
            ...(issuer !== undefined && { issuer: make(issuer) as DevCertificate }),
          } as ConstructorParameters<typeof DevCertificate>[1])
        : certificateFromPem(name, loaded?.known === true ? loaded.pem : "");
    certificates.set(name, certificate);
    return certificate;
  };
  Object.keys(configuration.certificates).forEach(make);
  return certificates;
}

/** The certificate of this name; that the name is declared was judged before. */
export function named<T>(all: ReadonlyMap<string, T>, name: string): T {
  const found = all.get(name);
  if (found === undefined) {
    throw new pulumi.RunError(`"${name}" is not declared.`);
  }
  return found;
}

/** What the configuration says of one CA certificate, for its component. */
export function caCertificateArgs(
  { configuration, certificates, compromised, signed }: Stack,
  name: string,
): Omit<CaCertificateArgs, "service"> {
  const { certificate, proof, adopt, retain } = configuration.caCertificates[name]!;
  const back = signed[name];
  return {
    certificate: named(certificates, certificate),
    adopt,
    compromised,
    ...(proof !== undefined && {
      proof: "offline" in proof ? { offline: back === undefined ? {} : { signed: back } } : proof,
    }),
    ...(retain !== undefined && { retain }),
    ...reenabled(configuration, "caCertificates", name),
  };
}
