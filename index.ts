/**
 * The stack: its configuration (`configuration/schema.json` says what can be written) becomes
 * components. A roll is a change of that configuration, not of this program.
 */
import * as pulumi from "@pulumi/pulumi";
import { expirationsOf } from "./certificates/expirations";
import { BreachRemoval } from "./components/breach-removal";
import { CaCertificate } from "./components/ca-certificate";
import { DeniedDevices } from "./components/denied-devices";
import { EnrollmentGroup } from "./components/enrollment-group";
import { IndividualEnrollment } from "./components/individual-enrollment";
import { appliedTo, stackBefore } from "./components/promotion";
import { ProvisioningService } from "./components/provisioning-service";
import { Reprovisioning } from "./components/reprovisioning";
import { caCertificateArgs, named, readStack } from "./components/stack";
import { codesToSign } from "./dynamic-providers/ca-certificate/offline";
import { withMade } from "./configuration/load-certificates";
import { reenabled } from "./configuration/reenable";
import type { GroupSlotConfiguration } from "./configuration/configuration";

const stack = readStack();
const { configuration, certificates, compromised } = stack;

const service = new ProvisioningService("service", {
  ...configuration.service,
  target: configuration.target,
  auth: configuration.auth,
  hubs: configuration.hubs,
  declared: stack.declared,
  made: stack.made,
  compromised,
  ...(configuration.promotion.after !== undefined && {
    promotion: stackBefore(configuration.promotion.after),
  }),
  caKeys: stack.caKeys,
  slotKeys: stack.slotKeys,
  ...(stack.removal.remove.issuedLeaves && { issuedLeaves: stack.removal.remove.issuedLeaves }),
  held: Object.fromEntries(
    stack.held.flatMap(({ resourceName, certificate, ca }) =>
      ca === undefined ? [[resourceName, certificate]] : [],
    ),
  ),
});

const cas = new Map(
  Object.keys(configuration.caCertificates).map((name) => [
    name,
    new CaCertificate(name, { service, ...caCertificateArgs(stack, name) }),
  ]),
);

const groupSlot = (slot: GroupSlotConfiguration) =>
  "ca" in slot ? named(cas, slot.ca) : named(certificates, slot.certificate);
const groups = Object.entries(configuration.enrollmentGroups).map(
  ([id, { primary, secondary, ...group }]) =>
    new EnrollmentGroup(id, {
      ...group,
      ...reenabled(configuration, "enrollmentGroups", id),
      service,
      compromised,
      ...(primary && { primary: groupSlot(primary) }),
      ...(secondary && { secondary: groupSlot(secondary) }),
    }),
);

const individuals = Object.entries(configuration.individualEnrollments).map(
  ([id, { primary, secondary, ...individual }]) =>
    new IndividualEnrollment(id, {
      ...individual,
      ...reenabled(configuration, "individualEnrollments", id),
      service,
      compromised,
      ...(primary && { primary: named(certificates, primary.certificate) }),
      ...(secondary && { secondary: named(certificates, secondary.certificate) }),
    }),
);

const denials = stack.denials.map(
  ({ registrationId, certificate, reason }) =>
    new IndividualEnrollment(registrationId, {
      service,
      ...(certificate && { primary: certificate }),
      denied: reason,
      compromised,
    }),
);

const deniedRoots = stack.held.flatMap(({ resourceName, ca }) =>
  ca === undefined
    ? []
    : [new EnrollmentGroup(resourceName, { service, status: "disabled", primary: named(cas, ca) })],
);

const deniedDevices = new DeniedDevices("denials", {
  ...stack.removal,
  service,
  registrationIds: stack.deniedIds,
  compromised,
  closed: [...denials, ...individuals],
});

const removal = new BreachRemoval("breaches", {
  ...stack.removal,
  service,
  compromised,
  replaced: [...groups, ...individuals, ...denials],
  after: [deniedDevices],
  declaredCas: Object.keys(configuration.caCertificates),
});

/** Beside the entries, not in them: a removal waits for entries, and must not wait for devices. */
const reprovisionings = [...groups, ...individuals].flatMap((entry) => {
  const { enrollmentGroups, individualEnrollments, reprovisioning } = configuration;
  const section = entry instanceof EnrollmentGroup ? enrollmentGroups : individualEnrollments;
  const how = section[entry.enrollmentId]?.reprovision;
  const name = `${entry instanceof EnrollmentGroup ? "group" : "individual"}-${entry.enrollmentId}`;
  return how === undefined
    ? []
    : [new Reprovisioning(name, { service, entry, how, ...reprovisioning })];
});

export const idScope = service.idScope;
export const provisioningHost = service.hostName;
/** What is live in the slots, in words, by enrollment; in a preview, what will be. */
export const enrollments = Object.fromEntries(
  [...groups, ...individuals, ...denials, ...deniedRoots].map((entry) => [
    entry.enrollmentId,
    entry.liveWords,
  ]),
);
/** When the declared certificates end, by their place in the configuration; `npm run status` looks at what is live. */
export const expirations = pulumi.all(stack.made).apply((made) =>
  expirationsOf({
    ...stack.declared,
    certificates: withMade(stack.declared.certificates, made),
  }),
);
/** Verification codes that wait to be signed, by CA name, and what to do with them. */
export const pendingProofs = pulumi
  .all(Object.fromEntries([...cas].map(([name, { pending }]) => [name, pending])))
  .apply(codesToSign);
/** Devices that a breach removed and that are not back yet. */
export const pendingDevices = removal.pending;
/** Devices that a breach left their access: no evidence, or a later wave. */
export const unremovedDevices = pulumi.output({
  withoutEvidence: removal.left,
  waiting: removal.waiting,
});
/** What became of the devices that were told to register again, by enrollment. */
export const reprovisioned = Object.fromEntries(
  reprovisionings.map(({ entryId, report }) => [entryId, report]),
);
/** What was closed for each compromised key, and when; `npm run contain -- --report` reads it. */
export const contained = service.containment.contained;
/** What was carried out, for the stack that comes after this one (`promotion`). */
export const appliedRolls = appliedTo(service, [...groups, ...individuals]);
/** Certificates and keys made in the stack (sandbox only), by name. */
export const devCertificates = pulumi.secret(stack.devCertificates);
