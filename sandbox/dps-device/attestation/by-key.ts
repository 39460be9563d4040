/**
 * Judges a device by a shared access signature that was made with its symmetric key.
 * Source: learn.microsoft.com/azure/iot-dps/concepts-symmetric-key-attestation.
 */
import { createHmac } from "node:crypto";
import { checkExpiry, parseSas, SasError, signedWith, type SasToken } from "../../common/sas";
import type { Directory, EnrollmentRecord, SymmetricKeys } from "../../dps-service/records";

export type KeyVerdict =
  | { admitted: true; entry: EnrollmentRecord }
  | { admitted: false; refusal: "unauthorized" | "no enrollment"; detail: string };

/**
 * The entry whose key made the token, enabled or not: the individual enrollment of the registration
 * ID, else the first group (by ID) whose derived key fits.
 *
 * @param token as the device sent it; its times are the machine's
 */
export function attestByKey(
  directory: Directory,
  token: string,
  registrationId: string,
): KeyVerdict {
  let sas: SasToken;
  try {
    sas = parseSas(token);
    checkExpiry(sas);
  } catch (error) {
    if (error instanceof SasError) {
      return refuse("unauthorized", error.message);
    }
    throw error;
  }
  // `{idScope}/registrations/{registrationId}`; clients were seen that send it in lower case.
  const audience = `${directory.service.idScope}/registrations/${registrationId}`;
  if (sas.audience.toLowerCase() !== audience.toLowerCase()) {
    return refuse("unauthorized", `the shared access signature is for ${sas.audience}`);
  }
  const own = directory.entry("individual", registrationId);
  const candidates = (own === undefined ? directory.entries("group") : [own]).filter(
    ({ attestation }) => attestation.form === "symmetricKey",
  );
  const entry = candidates.find((one) => {
    const keys = deviceKeys(one, registrationId);
    return keys !== undefined && [keys.primary, keys.secondary].some((key) => signedWith(sas, key));
  });
  if (entry !== undefined) {
    return { admitted: true, entry };
  }
  // Without any entry it is 404 (the CLI extension's and the C# SDK's tests). not known, assumed:
  // a group that has other keys makes it 401, and so does an individual enrollment with certificates.
  return own === undefined && candidates.length === 0
    ? refuse("no enrollment", "there is no enrollment with symmetric keys for it")
    : refuse("unauthorized", "the shared access signature was made with another key");
}

/**
 * A device's keys by this entry: those of the individual enrollment, or derived from the group's.
 * not known: whether DPS derives from the ID as the device spells it; assumed. Undefined: the entry
 * has no keys.
 */
export function deviceKeys(
  { kind, attestation }: EnrollmentRecord,
  registrationId: string,
): SymmetricKeys | undefined {
  if (attestation.form !== "symmetricKey") {
    return undefined;
  }
  const { primary, secondary } = attestation.keys;
  return kind === "individual"
    ? { primary, secondary }
    : { primary: derived(primary, registrationId), secondary: derived(secondary, registrationId) };
}

function derived(groupKey: string, registrationId: string): string {
  return createHmac("sha256", Buffer.from(groupKey, "base64"))
    .update(registrationId)
    .digest("base64");
}

function refuse(
  refusal: "unauthorized" | "no enrollment",
  detail: string,
): KeyVerdict & { admitted: false } {
  return { admitted: false, refusal, detail };
}
