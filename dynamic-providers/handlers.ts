import { faultError } from "../certificates/faults";
import type { Handler } from "./handler";
import { breachContainment } from "./breach-containment/provider";
import { caCertificate } from "./ca-certificate/provider";
import { compromisedCaDeletion } from "./compromised-ca-deletion/provider";
import { deniedDevices } from "./denied-devices/provider";
import { deviceReprovisioning } from "./device-reprovisioning/provider";
import { deviceRegistrationRemoval } from "./device-registration-removal/provider";
import { deviceTwinJournal } from "./device-twin-journal/provider";
import { enrollmentGroup } from "./enrollment-group/provider";
import { fleetJudgement } from "./fleet-judgement/provider";
import { individualEnrollment } from "./individual-enrollment/provider";
import { rotationManifest } from "./rotation-manifest/provider";
import { target } from "./target/provider";

/** Every handler a state may name. A name is never reused for something else. */
export const handlers = {
  BreachContainment: breachContainment,
  CaCertificate: caCertificate,
  CompromisedCaDeletion: compromisedCaDeletion,
  DeniedDevices: deniedDevices,
  DeviceRegistrationRemoval: deviceRegistrationRemoval,
  DeviceReprovisioning: deviceReprovisioning,
  DeviceTwinJournal: deviceTwinJournal,
  EnrollmentGroup: enrollmentGroup,
  FleetJudgement: fleetJudgement,
  IndividualEnrollment: individualEnrollment,
  RotationManifest: rotationManifest,
  Target: target,
};

export type HandlerName = keyof typeof handlers;

/** The handler that a state names. Throws when this version does not have it. */
export function handlerOf(name: string): Handler {
  const handler = (handlers as Partial<Record<string, unknown>>)[name];
  if (handler === undefined) {
    throw faultError(
      "DPS-CERT-175",
      "the state of this stack",
      `the resource handler "${name}", which this version of pulumi-dps-certificates does not have`,
      "use the version that wrote the state, or a later one",
    );
  }
  return handler as Handler;
}
