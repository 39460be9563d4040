/**
 * Shared access signatures of DPS and IoT Hub:
 * `SharedAccessSignature sr=<audience>&sig=<signature>&se=<expiry>&skn=<policy>`, where the
 * signature is HMAC-SHA256 over the text of `sr` as it was sent, a line feed and `se`, with the
 * base64-decoded key.
 * Source: learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { AccessPolicy } from "./model";

export type SasFault =
  | "missing"
  | "malformed"
  | "expired"
  | "audience"
  | "unknown policy"
  | "bad signature"
  | "right missing";

/** Why a token was refused. `statusCode` is what a service answers when it does not map it itself. */
export class SasError extends Error {
  readonly statusCode = 401;

  constructor(
    readonly fault: SasFault,
    message: string,
  ) {
    super(message);
    this.name = "SasError";
  }
}

export interface SasToken {
  /** Audience exactly as sent: this text was signed. */
  rawAudience: string;
  /** Audience, percent-decoded. */
  audience: string;
  signature: string;
  /** Expiry exactly as sent, seconds since 1970. */
  expiry: string;
  /** Empty for a device's token. */
  policy: string;
}

export interface SasOptions {
  policies: AccessPolicy[];
  /** Host name of the service, or several; a port in the token is tolerated. */
  hostName: string | string[];
  /** The policy must have this right, or one of these. Undefined: any policy will do. */
  right?: string | string[];
  /** Machine time, because clients sign with it. Default: now. */
  now?: Date;
}

/** Reads a token without judging it. Throws `SasError` "missing" or "malformed". */
export function parseSas(header: string | undefined): SasToken {
  if (header === undefined || header.trim() === "") {
    throw new SasError("missing", "No shared access signature was sent.");
  }
  const found = /^SharedAccessSignature\s+(\S+)\s*$/i.exec(header);
  const fields = new Map<string, string>();
  for (const part of found?.[1]?.split("&") ?? []) {
    const at = part.indexOf("=");
    fields.set(part.slice(0, at).toLowerCase(), part.slice(at + 1));
  }
  const rawAudience = fields.get("sr");
  const signature = decode(fields.get("sig"));
  const expiry = fields.get("se");
  const audience = decode(rawAudience);
  const policy = decode(fields.get("skn") ?? "");
  if (
    !rawAudience ||
    !audience ||
    !signature ||
    policy === undefined ||
    !/^\d+$/.test(expiry ?? "")
  ) {
    throw new SasError("malformed", "The shared access signature is not well-formed.");
  }
  return { rawAudience, audience, signature, expiry: expiry!, policy };
}

/** Was the token signed with this key (base64)? Compares in constant time. */
export function signedWith(token: SasToken, key: string): boolean {
  const expected = createHmac("sha256", Buffer.from(key, "base64"))
    .update(`${token.rawAudience}\n${token.expiry}`)
    .digest();
  const actual = Buffer.from(token.signature, "base64");
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

/** Throws `SasError` "expired" when the token's time is over. */
export function checkExpiry(token: SasToken, now: Date = new Date()): void {
  if (Number(token.expiry) * 1000 <= now.getTime()) {
    throw new SasError("expired", `The shared access signature expired at ${token.expiry}.`);
  }
}

/** Judges the `Authorization` header of a request; returns the policy it was signed with. */
export function verifySas(header: string | undefined, options: SasOptions): AccessPolicy {
  const token = parseSas(header);
  checkExpiry(token, options.now);
  const host = token.audience.toLowerCase().replace(/:\d+$/, "");
  if (![options.hostName].flat().some((name) => name.toLowerCase() === host)) {
    throw new SasError("audience", `The shared access signature is for ${token.audience}.`);
  }
  const policy = options.policies.find(
    ({ keyName }) => keyName.toLowerCase() === token.policy.toLowerCase(),
  );
  if (policy === undefined) {
    throw new SasError("unknown policy", `There is no access policy "${token.policy}".`);
  }
  if (!signedWith(token, policy.primaryKey) && !signedWith(token, policy.secondaryKey)) {
    throw new SasError("bad signature", "The shared access signature was made with another key.");
  }
  if (options.right !== undefined && !hasRight(policy, [options.right].flat())) {
    const wanted = [options.right].flat().join(" or ");
    throw new SasError("right missing", `The policy "${policy.keyName}" lacks ${wanted}.`);
  }
  return policy;
}

/** A right to write includes the right to read, as in the services' own flags. */
function hasRight(policy: AccessPolicy, wanted: string[]): boolean {
  const named = policy.rights.split(",").map((right) => right.trim().toLowerCase());
  const rights = [...named, ...named.map((right) => right.replace(/write$/, "read"))];
  return wanted.some((right) => rights.includes(right.toLowerCase()));
}

function decode(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
