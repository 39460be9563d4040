/** Compares a text with a file that people have read. DPS_UPDATE_GOLDEN=1 writes the file anew. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { summarize } from "../../certificates/summary";

/** Certificates are made anew in each run: their thumbprints become their names. */
export function named(text: string, certificates: Record<string, { pem: string }>): string {
  let result = text;
  for (const [name, { pem }] of Object.entries(certificates)) {
    const { sha1Thumbprint, sha256Thumbprint, publicKeySha256, serialNumber } = summarize(pem);
    result = result
      .replaceAll(sha256Thumbprint, `SHA256(${name})`)
      .replaceAll(sha256Thumbprint.slice(0, 8), `SHA256(${name}, 8)`)
      .replaceAll(sha256Thumbprint.slice(0, 16).toLowerCase(), `sha256(${name}, 16)`)
      .replaceAll(sha1Thumbprint, `SHA1(${name})`)
      .replaceAll(publicKeySha256, `KEY(${name})`)
      .replaceAll(serialNumber, `SERIAL(${name})`);
  }
  return result;
}

/** The same for a picture, where everything has to stay as long as it is: thumbprints that are always the same. */
export function withStableThumbprints(
  text: string,
  certificates: Record<string, { pem: string }>,
): string {
  let result = text;
  for (const [name, { pem }] of Object.entries(certificates)) {
    const { sha1Thumbprint, sha256Thumbprint } = summarize(pem);
    const stable = createHash("sha256").update(name).digest("hex").toUpperCase();
    result = result
      .replaceAll(sha256Thumbprint, stable)
      .replaceAll(sha256Thumbprint.slice(0, 8), stable.slice(0, 8))
      .replaceAll(sha1Thumbprint, stable.slice(0, 40));
  }
  return result;
}

export function matchesGolden(name: string, text: string): void {
  const file = join(__dirname, "golden", name);
  if (process.env["DPS_UPDATE_GOLDEN"] === "1") {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  assert.ok(existsSync(file), `${file} is not there: run with DPS_UPDATE_GOLDEN=1, and read it`);
  assert.equal(text, readFileSync(file, "utf8"), `differs from ${file}`);
}
