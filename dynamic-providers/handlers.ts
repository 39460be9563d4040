import { breachContainment } from "./breach-containment/provider";
import { caCertificate } from "./ca-certificate/provider";
import { deviceRegistrationRemoval } from "./device-registration-removal/provider";
import { deviceTwinJournal } from "./device-twin-journal/provider";
import { enrollmentGroup } from "./enrollment-group/provider";
import { individualEnrollment } from "./individual-enrollment/provider";
import { rotationManifest } from "./rotation-manifest/provider";

/** Every handler a state may name. A name is never reused for something else. */
export const handlers = {
  BreachContainment: breachContainment,
  CaCertificate: caCertificate,
  DeviceRegistrationRemoval: deviceRegistrationRemoval,
  DeviceTwinJournal: deviceTwinJournal,
  EnrollmentGroup: enrollmentGroup,
  IndividualEnrollment: individualEnrollment,
  RotationManifest: rotationManifest,
};

export type HandlerName = keyof typeof handlers;
