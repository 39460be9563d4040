/**
 * What no source says about Azure IoT Hub, or sources say in two ways: one named place for each
 * assumption, so that it can be corrected in one place. What is a choice is a switch
 * (`common/switch-table.ts`).
 */

/** not known: device IDs are documented as case-sensitive; no refusal of a second spelling was seen. */
export const DEVICE_IDS_ARE_CASE_SENSITIVE = true;

/** not known: the text of most refusals; the short status text was seen for 404 and 409. */
export const PRECONDITION_TEXT = "Precondition failed: the etag did not match";

/**
 * not known: how `$edgeAgent` and `$edgeHub` authenticate before the runtime has first asked for their
 * keys; assumed: not at all.
 */
export const SYSTEM_MODULES_AUTHENTICATION = "none";

/**
 * A child that is no Edge device is given its parent by `deviceScope` alone, and is then found by
 * `array_contains(parentScopes, ...)` (azure-iot-cli-extension, hub.py): so the hub fills `parentScopes`.
 * not known: whether a scope of an Edge device that does not exist is refused; assumed: it is taken.
 */
export const FILLS_PARENT_SCOPES = true;

/** not known: page sizes of queries; Microsoft's Node SDK documents these. */
export const QUERY_PAGE = { usual: 1000, most: 10_000 };

/**
 * Documents name IS_DEFINED as the one function for twins and jobs; people use STARTSWITH in twin
 * queries. not known: which other functions are taken; all others are refused.
 */
export const STRING_FUNCTIONS_IN_TWIN_QUERIES = true;

/** not known: the code of a device's part when the device does not answer in time. */
export const LATE_DEVICE_JOB_CODE = "GatewayTimeout";

/**
 * not known: how exactly the hub judges chains of devices of the type certificateAuthority; assumed: as
 * DPS does, with the same switches, and with a verified CA certificate that need not be presented. The
 * common name is compared with case, as device IDs are.
 */
export const CA_SIGNED_CHAINS_END_AT_THE_HUB = true;
