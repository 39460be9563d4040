/** Looks for what must not be in clear: private keys, connection strings, tokens. */
import { createPrivateKey } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Sandbox } from "../sandbox/common/model";

/** A secret that is known, by what it is. */
export interface Secret {
  what: string;
  value: string;
}

/** What a secret looks like, whichever it is. */
const SHAPES: { what: string; shape: RegExp }[] = [
  { what: "a private key", shape: /-----BEGIN [A-Z ]*PRIVATE KEY-----/ },
  { what: "a shared access key", shape: /SharedAccessKey=(?!\*|\[secret\])[A-Za-z0-9+/]{16}/ },
  { what: "a shared access signature", shape: /SharedAccessSignature sr=/ },
  { what: "an access token", shape: /eyJ[\w-]{20,}\.eyJ[\w-]{20,}\./ },
];

/** Secrets of the sandbox's services. */
export function secretsOf(sandbox: Sandbox, clientSecret: string): Secret[] {
  const services = [...sandbox.services.list(), ...sandbox.hubs.list()];
  return [
    { what: "the client secret", value: clientSecret },
    ...services.flatMap(({ name, authorizationPolicies }) =>
      authorizationPolicies.flatMap(({ keyName, primaryKey, secondaryKey }) =>
        [primaryKey, secondaryKey].map((value) => ({ what: `${keyName} key of ${name}`, value })),
      ),
    ),
  ];
}

/**
 * The secret part of a private key in PEM, however it is encoded around it: base64 has three ways to
 * write the same bytes, depending on how many stand before them.
 */
export function secretsOfKey(name: string, pem: string): Secret[] {
  const { d = "" } = createPrivateKey(pem).export({ format: "jwk" });
  const bytes = Buffer.from(d, "base64url");
  return [0, 1, 2].map((before) => ({
    what: `the private key of ${name}`,
    // Without the characters that also depend on the bytes around it.
    value: Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .slice(4, -8),
  }));
}

/** What of it is in the text: what each one is, never the secret itself. */
export function found(text: string, secrets: Secret[]): string[] {
  // In JSON the line feeds of a PEM are two characters.
  const plain = text.replace(/\\r|\\n|\r|\n/g, "");
  return [
    ...new Set(secrets.filter(({ value }) => plain.includes(value)).map(({ what }) => what)),
    ...SHAPES.filter(({ shape }) => shape.test(text)).map(({ what }) => what),
  ];
}

/** All files of a folder and the folders in it, as one text each. */
export function filesIn(folder: string): { file: string; text: string }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ file, text: readFileSync(file, "utf8") }));
}
