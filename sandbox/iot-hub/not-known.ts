/**
 * What no source says about Azure IoT Hub, or sources say in two ways: one named place for each
 * assumption, so that it can be corrected in one place.
 */

/** not known: device IDs are documented as case-sensitive; no refusal of a second spelling was seen. */
export const DEVICE_IDS_ARE_CASE_SENSITIVE = true;

/**
 * Only issues say that DPS writes the presented leaf into both slots (azure-iot-sdk-java#1220,
 * iotedge#2951); the CLI's tests show the primary one rewritten at every registration.
 * not known: whether the second slot is rewritten at every registration too.
 */
export const ASSIGNMENT_WRITES_BOTH_SLOTS = true;

/** not known: a registration of a disabled identity; assumed: it stays disabled. */
export const ASSIGNMENT_ENABLES = false;

/** not known: a reset by DPS clears reported properties as well; assumed, as for a factory reset. */
export const RESET_CLEARS_REPORTED = true;

/**
 * Sources speak of the expiry of a selfSigned device's certificate (iotedge#621). not known: whether
 * a certificate that is not valid yet is refused; assumed.
 */
export const CHECKS_NOT_BEFORE = true;

/**
 * X.509 refusals were seen as CONNACK 5 (azure-iot-sdk-python#324). not known: the return code for a
 * disabled device (Microsoft's C SDK reads 3 that way), an unknown one, or another client ID.
 */
export const REFUSED_RETURN_CODE = 5;

/** The REST reference allows 200 and 400 with a result. not known: which one for a partial failure. */
export const BULK_FAILURE_STATUS = 400;

/** not known: the text of most refusals; the short status text was seen for 404 and 409. */
export const PRECONDITION_TEXT = "Precondition failed: the etag did not match";

/** not known: PUT of a twin without a part; assumed: the part is emptied. */
export const REPLACE_EMPTIES_MISSING_PARTS = true;

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
