/** Shared access policies of DPS instances and hubs, and the keys that ARM lists on demand. */
import { randomBytes } from "node:crypto";
import { devicesError } from "../common/errors";
import type { AccessPolicy } from "../common/model";
import { asObject } from "./context";
import { CODE_BAD_REQUEST } from "./not-known";

/** A policy with fresh keys. */
export function newPolicy(keyName: string, rights: string): AccessPolicy {
  return { keyName, primaryKey: newKey(), secondaryKey: newKey(), rights };
}

function newKey(): string {
  return randomBytes(32).toString("base64");
}

/**
 * The policies after a PUT: without `authorizationPolicies` those that are there stay; a policy that
 * is sent without keys keeps its keys, or gets new ones when it is new.
 *
 * @param vocabulary rights that this kind of service knows
 */
export function mergePolicies(
  sent: unknown,
  current: AccessPolicy[],
  vocabulary: string[],
  now: Date,
): AccessPolicy[] {
  if (sent === undefined || sent === null) {
    return current;
  }
  if (!Array.isArray(sent)) {
    throw devicesError(400, CODE_BAD_REQUEST, "authorizationPolicies must be an array.", now);
  }
  return sent.map((entry: unknown) => {
    const { keyName, rights, primaryKey, secondaryKey } = asObject(entry, "An access policy");
    if (typeof keyName !== "string" || keyName === "" || typeof rights !== "string") {
      throw devicesError(400, CODE_BAD_REQUEST, "An access policy needs keyName and rights.", now);
    }
    for (const right of rights.split(",").map((word) => word.trim())) {
      if (!vocabulary.some((known) => known.toLowerCase() === right.toLowerCase())) {
        const text = `The access policy '${keyName}' has an unknown right '${right}'.`;
        throw devicesError(400, CODE_BAD_REQUEST, text, now);
      }
    }
    const before = findPolicy(current, keyName) ?? newPolicy(keyName, rights);
    return {
      keyName,
      rights,
      primaryKey: keyOr(primaryKey, before.primaryKey, now),
      secondaryKey: keyOr(secondaryKey, before.secondaryKey, now),
    };
  });
}

function keyOr(sent: unknown, otherwise: string, now: Date): string {
  if (sent === undefined || sent === null || sent === "") {
    return otherwise;
  }
  if (typeof sent !== "string" || !/^[A-Za-z0-9+/]{20,}={0,2}$/.test(sent)) {
    throw devicesError(400, CODE_BAD_REQUEST, "A key of an access policy is not base64.", now);
  }
  return sent;
}

export function findPolicy(policies: AccessPolicy[], keyName: string): AccessPolicy | undefined {
  return policies.find((policy) => policy.keyName.toLowerCase() === keyName.toLowerCase());
}
