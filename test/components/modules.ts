/** What the tests construct; required only once the mocks are set. */
export { BreachRemoval } from "../../components/breach-removal";
export { CaCertificate } from "../../components/ca-certificate";
export { certificateFromPem } from "../../components/certificate";
export { DevCertificate } from "../../components/dev-certificate";
export { EnrollmentGroup } from "../../components/enrollment-group";
export { IndividualEnrollment } from "../../components/individual-enrollment";
export { Reprovisioning } from "../../components/reprovisioning";
export { ProvisioningService } from "../../components/provisioning-service";
