/**
 * What is not known about Azure Resource Manager's answers for Microsoft.Devices, and what the
 * sandbox does instead. Each is one named value, to be changed when somebody has seen the real thing.
 * What is a choice, not a code, is a switch: `common/switch-table.ts`.
 */

/** Not known: the code of a body that DPS or IoT Hub refuses as a whole. */
export const CODE_BAD_REQUEST = 400000;

/** Recorded for linked hubs whose host name is missing or does not match; assumed for wrong keys. */
export const CODE_LINKED_HUB = 400309;

/** Not known: the code when a name is taken by a service in another resource group. */
export const CODE_NAME_TAKEN = 409002;

/** Not known: the code when a service is being deleted and somebody writes to it. */
export const CODE_IN_TRANSITION = 409003;

/** Not known: the status and code when a service has 25 CA certificates and gets one more. */
export const CODE_TOO_MANY_CERTIFICATES = 403004;

/** Not known: the code when a certificate that a group refers to cannot be deleted. */
export const CODE_CERTIFICATE_IN_USE = 409004;

/** Not known: the code when a verification certificate does not fit. */
export const CODE_VERIFICATION_FAILED = 400000;

/** Not known: the status of POST on a certificate that has no verification code yet; assumed 400. */
export const CODE_NO_VERIFICATION_CODE = 400000;

/**
 * From which api-version on the certificate itself is in answers to GET, PUT and list. Recorded: null
 * at 2021-10-15; at 2022-02-05 there is a value, which the recording has blanked.
 */
export const CERTIFICATE_SHOWN_SINCE = "2022-02-05";
