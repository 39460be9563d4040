/** Reads the certificates that a configuration names as files. */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Declared, DeclaredCertificate, KnownCertificate } from "../certificates/declared";
import { fault, isFault, type Fault, refusals, refuseAny } from "../certificates/faults";
import { parsePem } from "../certificates/pem";
import { faultOfProof } from "../certificates/proof-of-possession";
import { judgeAlone } from "../certificates/rules";
import { own } from "../certificates/slots";
import { summarize } from "../certificates/summary";
import { pathOf } from "../certificates/text";
import type {
  CaCertificateConfiguration,
  CertificateConfiguration,
  StackConfiguration,
} from "./configuration";
import { shown } from "./schema-faults";

/** A certificate is a few kilobytes; more is another file. */
const LARGEST_FILE_BYTES = 1024 * 1024;

export interface LoadedCertificates {
  /** By name; a certificate with a fault is left out. */
  certificates: Record<string, DeclaredCertificate>;
  faults: Fault[];
}

/**
 * Reads all `{ file }` certificates, relative to the folder of the program. Dev certificates come
 * out as not known: what the stack makes of them is put in once it exists (`withMade`).
 */
export function loadCertificates(
  configured: Record<string, CertificateConfiguration>,
  folder: string,
): LoadedCertificates {
  const certificates: Record<string, DeclaredCertificate> = {};
  const faults: Fault[] = [];
  for (const [name, certificate] of Object.entries(configured)) {
    if ("dev" in certificate) {
      const { commonName, issuer, ca } = certificate.dev;
      certificates[name] = {
        known: false,
        commonName,
        isCa: ca,
        ...(issuer === undefined ? {} : { issuer }),
      };
      continue;
    }
    const read = readCertificate(certificate.file, folder, `${pathOf("certificates", name)}.file`);
    if (isFault(read)) faults.push(read);
    else certificates[name] = read;
  }
  return { certificates, faults };
}

/** Verification certificates that came back, by the name of their CA, in PEM. */
export interface LoadedProofs {
  signed: Record<string, string>;
  faults: Fault[];
}

/**
 * Reads the signed verification certificates, relative to the folder of the program. One whose CA
 * certificate is known has to be issued by it; the others are judged during `up`.
 */
export function loadProofs(
  configured: Record<string, CaCertificateConfiguration>,
  certificates: Record<string, DeclaredCertificate>,
  folder: string,
): LoadedProofs {
  const signed: Record<string, string> = {};
  const faults: Fault[] = [];
  for (const [name, { certificate, proof }] of Object.entries(configured)) {
    const file = proof !== undefined && "offline" in proof ? proof.offline.signedFile : undefined;
    if (file === undefined) continue;
    const path = `${pathOf("caCertificates", name, "proof", "offline")}.signedFile`;
    const read = readCertificate(file, folder, path);
    if (isFault(read)) {
      faults.push(read);
      continue;
    }
    const ca = own(certificates, certificate);
    const wrong = ca?.known === true ? faultOfProof(read.pem, ca.pem) : undefined;
    if (wrong === undefined) signed[name] = read.pem;
    else {
      const fix = "give the certificate that this CA has issued for the verification code";
      faults.push(fault("DPS-CERT-114", path, wrong, fix));
    }
  }
  return { signed, faults };
}

function readCertificate(file: string, folder: string, path: string): KnownCertificate | Fault {
  // PEM given in place of a path: it may be a key, so it is never repeated as "not found: …".
  if (/-----|[\r\n]/.test(file)) {
    return fault(
      "DPS-CERT-012",
      path,
      `${shown(file)} where the path of a file is expected`,
      "put the certificate in a file and give its path",
    );
  }
  const bytes = readBytes(resolve(folder, file), shown(file), path);
  if (isFault(bytes)) return bytes;
  const read = parsePem(bytes, path);
  if (isFault(read)) return read;
  return { known: true, pem: read.certificate, summary: summarize(read.certificate) };
}

function readBytes(location: string, words: string, path: string): Buffer | Fault {
  const unreadable = (problem: string) =>
    fault(
      "DPS-CERT-012",
      path,
      `${words}, ${problem}`,
      "give the path of a PEM file, relative to the folder of the program",
    );
  try {
    const stat = statSync(location);
    if (!stat.isFile()) return unreadable("which is not a file");
    if (stat.size > LARGEST_FILE_BYTES) return unreadable("which is too large for a certificate");
    return readFileSync(location);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    return unreadable(
      code === "ENOENT" ? "which does not exist" : `which cannot be read (${code})`,
    );
  }
}

/**
 * Everything that is declared, and the signed verification certificates, with their files read relative to
 * the folder of the program.
 * @throws `RefusedError` with what the files and the rules for a configuration by itself say
 */
export function declaredOf(
  configuration: StackConfiguration,
  folder: string,
  now: Date,
): { declared: Declared; signed: Record<string, string> } {
  const { certificates, faults } = loadCertificates(configuration.certificates, folder);
  const proofs = loadProofs(configuration.caCertificates, certificates, folder);
  refuseAny([...faults, ...proofs.faults]);
  const declared = declare(configuration, certificates);
  refuseAny(refusals(judgeAlone(declared, now)));
  return { declared, signed: proofs.signed };
}

/** The configuration as it is judged, with its certificates resolved. */
export function declare(
  configuration: StackConfiguration,
  certificates: Record<string, DeclaredCertificate>,
): Declared {
  const { name, resourceGroup, location, adopt } = configuration.service;
  return {
    service: { ...(name === undefined ? {} : { name }), resourceGroup, location, adopt },
    hubs: configuration.hubs.map((hub) => ({
      ...(hub.name === undefined ? {} : { name: hub.name }),
      adopt: hub.adopt,
    })),
    longestOfflineHours: configuration.fleet.longestOfflineHours,
    retirement: configuration.retirement,
    certificates,
    caCertificates: mapValues(
      configuration.caCertificates,
      ({ certificate, proof, adopt, retain }) => ({
        certificate,
        ...((retain ?? adopt) ? { retained: true } : {}),
        ...(adopt ? { adopt } : {}),
        ...(proof === undefined ? {} : { hasProof: true }),
        ...(proof !== undefined && "selfAttested" in proof ? { selfAttested: true } : {}),
        ...(proof !== undefined && "offline" in proof && proof.offline.signedFile === undefined
          ? { waits: true }
          : {}),
      }),
    ),
    enrollmentGroups: mapValues(
      configuration.enrollmentGroups,
      ({ primary, secondary, status, reprovisionPolicy, adopt, retain }) => ({
        ...(primary === undefined ? {} : { primary }),
        ...(secondary === undefined ? {} : { secondary }),
        adopt,
        retain: retain ?? adopt,
        status,
        reprovisionPolicy,
      }),
    ),
    individualEnrollments: mapValues(
      configuration.individualEnrollments,
      ({ primary, secondary, status, reprovisionPolicy, deviceId, adopt, retain }) => ({
        ...(primary === undefined ? {} : { primary }),
        ...(secondary === undefined ? {} : { secondary }),
        adopt,
        retain: retain ?? adopt,
        ...(deviceId === undefined ? {} : { deviceId }),
        status,
        reprovisionPolicy,
      }),
    ),
    compromised: configuration.compromised,
    denied: configuration.denied,
    waivers: configuration.waivers,
  };
}

/** The certificates, with one that the stack has made in place of what was not known. */
export function withMade(
  certificates: Record<string, DeclaredCertificate>,
  made: Record<string, string>,
): Record<string, DeclaredCertificate> {
  return {
    ...certificates,
    ...mapValues(made, (pem) => ({ known: true as const, pem, summary: summarize(pem) })),
  };
}

function mapValues<From, To>(
  record: Record<string, From>,
  change: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
