/** What a well-formed configuration can still ask for and not have. */
import { fault, type Fault } from "../certificates/faults";
import { choice } from "../certificates/name-rules";
import { missingProof } from "../certificates/proof-rules";
import { commandFaults, type CommandKind } from "../certificates/signing-command";
import { own } from "../certificates/slots";
import { displayName, pathOf } from "../certificates/text";
import type {
  CertificateConfiguration,
  DevCertificateConfiguration,
  StackConfiguration,
} from "./configuration";

export function configurationFaults(configuration: StackConfiguration): Fault[] {
  return [
    ...sameHubTwice(configuration),
    ...namelessAdoption(configuration),
    ...devCertificateFaults(configuration),
    ...missingProofs(configuration),
    ...waveFaults(configuration),
    ...signingCommandFaults(configuration),
    ...reenableFaults(configuration),
    ...unlinkedHubs(configuration),
    ...basicTierReprovision(configuration),
  ];
}

function sameHubTwice({ hubs }: StackConfiguration): Fault[] {
  const names = hubs.map((hub) => hub.name?.toLowerCase());
  return hubs.flatMap(({ name }, index) => {
    if (name === undefined || names.indexOf(name.toLowerCase()) === index) return [];
    const found = `${displayName(name)}, which is listed before`;
    return [fault("DPS-CERT-022", `hubs[${index}].name`, found, "list each hub once")];
  });
}

/* A name can be made up for something new, not for what is there already. */
function namelessAdoption({ service, hubs }: StackConfiguration): Fault[] {
  const places = [
    { path: "service.name", ...service },
    ...hubs.map((hub, index) => ({ path: `hubs[${index}].name`, ...hub })),
  ];
  return places
    .filter(({ adopt, name }) => adopt && name === undefined)
    .map(({ path }) => fault("DPS-CERT-021", path, "nothing", "give the name of what is adopted"));
}

function devCertificateFaults(configuration: StackConfiguration): Fault[] {
  return Object.entries(configuration.certificates).flatMap(([name, certificate]) => {
    if (!("dev" in certificate)) return [];
    const path = `${pathOf("certificates", name)}.dev`;
    const faults = issuerFaults(configuration, name, certificate.dev, path);
    if (configuration.target === "azure") {
      faults.push(
        fault(
          "DPS-CERT-024",
          path,
          "a certificate made in the stack, for the target azure",
          "give the certificate of your CA as { file }; its key never comes into the stack",
        ),
      );
    }
    return faults;
  });
}

function issuerFaults(
  configuration: StackConfiguration,
  name: string,
  dev: DevCertificateConfiguration,
  path: string,
): Fault[] {
  if (dev.issuer === undefined) return [];
  const at = `${path}.issuer`;
  const issuer = own(configuration.certificates, dev.issuer);
  const words = displayName(dev.issuer);
  if (issuer === undefined) {
    const known = Object.keys(configuration.certificates);
    return [fault("DPS-CERT-027", at, `the certificate name ${words}`, choice(dev.issuer, known))];
  }
  if (!("dev" in issuer)) {
    const found = `${words}, which is a file: its key is not in the stack`;
    return [fault("DPS-CERT-025", at, found, "name a dev certificate that is a CA")];
  }
  if (!issuer.dev.ca) {
    const found = `${words}, which is not a CA`;
    return [fault("DPS-CERT-025", at, found, `set ca: true on ${words}`)];
  }
  if (goesRound(configuration, name)) {
    const found = `${words}, whose own issuers lead back to ${displayName(name)}`;
    return [fault("DPS-CERT-025", at, found, "let one certificate be self-signed (no issuer)")];
  }
  return [];
}

function goesRound(configuration: StackConfiguration, start: string): boolean {
  const seen = new Set<string>();
  let at: string | undefined = start;
  while (at !== undefined) {
    // A circle further up is the fault of the certificates in it.
    if (seen.has(at)) return at === start;
    seen.add(at);
    const certificate: CertificateConfiguration | undefined = own(configuration.certificates, at);
    at = certificate !== undefined && "dev" in certificate ? certificate.dev.issuer : undefined;
  }
  return false;
}

function missingProofs(configuration: StackConfiguration): Fault[] {
  return Object.entries(configuration.caCertificates).flatMap(([name, ca]) => {
    const certificate = own(configuration.certificates, ca.certificate);
    // An unknown name is said by the rules; only a dev CA has its key in the stack.
    if (ca.proof !== undefined || ca.adopt) return [];
    if (certificate === undefined || "dev" in certificate) return [];
    return [missingProof(name)];
  });
}

function signingCommandFaults({ caCertificates }: StackConfiguration): Fault[] {
  return Object.entries(caCertificates).flatMap(([name, { proof = {} }]) =>
    (["command", "signatureCommand"] as const).flatMap((kind) => {
      const argv = (proof as Partial<Record<CommandKind, string[]>>)[kind] ?? [];
      return commandFaults(kind, argv, pathOf("caCertificates", name, "proof", kind));
    }),
  );
}

/* A path that meets nothing would leave closed what somebody believes to be open. */
function reenableFaults(configuration: StackConfiguration): Fault[] {
  const { caCertificates, enrollmentGroups, individualEnrollments, reenable } = configuration;
  const entries = [
    ...Object.entries(enrollmentGroups).map(
      ([id, { status }]) => [pathOf("enrollmentGroups", id), status] as const,
    ),
    ...Object.entries(individualEnrollments).map(
      ([id, { status }]) => [pathOf("individualEnrollments", id), status] as const,
    ),
  ];
  const closed = new Set(entries.flatMap(([path, status]) => (status === "enabled" ? [] : path)));
  const known = [
    ...Object.keys(caCertificates).map((name) => pathOf("caCertificates", name)),
    ...entries.map(([path]) => path),
  ];
  return reenable.flatMap(({ path }, index) => {
    const at = `reenable[${index}].path`;
    const words = displayName(path);
    if (!known.includes(path)) {
      return [fault("DPS-CERT-120", at, `${words}, which is not declared`, choice(path, known))];
    }
    if (reenable.findIndex((each) => each.path === path) < index) {
      return [fault("DPS-CERT-120", at, `${words} a second time`, "name each path once")];
    }
    if (closed.has(path)) {
      const found = `${words}, which is declared with status: disabled`;
      return [fault("DPS-CERT-121", at, found, "set its status to enabled, or remove this")];
    }
    return [];
  });
}

/* An adopted service is not managed, and linking a hub is a change of the service. */
function unlinkedHubs({ service, hubs }: StackConfiguration): Fault[] {
  if (!service.adopt) return [];
  return hubs.flatMap(({ adopt }, index) =>
    adopt
      ? []
      : [
          fault(
            "DPS-CERT-127",
            `hubs[${index}]`,
            "a hub that the stack makes, for a service that it does not manage",
            "link the hub to the service by hand and set adopt: true on it, or leave it out",
          ),
        ],
  );
}

/* The tier of an adopted hub is not known here. */
function basicTierReprovision(configuration: StackConfiguration): Fault[] {
  const { hubs } = configuration;
  const basic = hubs.findIndex(({ sku, adopt }) => !adopt && sku.startsWith("B"));
  if (basic < 0) return [];
  const found = `hubs[${basic}] of the basic tier (${hubs[basic]?.sku ?? ""}), which has no direct methods and no jobs`;
  return (["enrollmentGroups", "individualEnrollments"] as const).flatMap((section) =>
    Object.entries(configuration[section]).flatMap(([id, { reprovision }]) =>
      reprovision === undefined
        ? []
        : [
            fault(
              "DPS-CERT-130",
              pathOf(section, id, "reprovision"),
              found,
              "use a hub of the standard tier, or leave reprovision out",
            ),
          ],
    ),
  );
}

function waveFaults({ remove: { how, waves } }: StackConfiguration): Fault[] {
  if (waves === undefined) return [];
  if (how !== "waves") {
    const fix = "set how: waves, or take them out";
    return [fault("DPS-CERT-103", "remove.waves", `settings of waves with how: ${how}`, fix)];
  }
  if (waves.sizes === undefined || waves.share === undefined) return [];
  return [fault("DPS-CERT-104", "remove.waves.share", "share beside sizes", "give one of the two")];
}
