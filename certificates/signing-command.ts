/** The command that signs a proof of possession, as it is written: argv, never a shell's line. */
import { fault, type Fault } from "./faults";
import { listed } from "./text";

/**
 * What may stand in an argument, in braces, by the kind of command.
 *
 * - `command` answers a certificate. `csr`: path of the request (PKCS #10, PEM), which is its standard
 *   input as well. `code`: the verification code.
 * - `signatureCommand` answers a signature. `tbs`: path of what is signed (DER), which is its standard
 *   input as well. `digest`: its digest in base64. `digestFile`: path of the digest.
 */
export const PLACEHOLDERS = {
  command: ["csr", "code"],
  signatureCommand: ["tbs", "digest", "digestFile"],
} as const;

export type CommandKind = keyof typeof PLACEHOLDERS;

const PLACEHOLDER = /\{([A-Za-z]+)\}/g;

/** PKCS #11 URIs (RFC 7512), and OpenSSL's options for pass phrases. */
const SECRET = /pin-value=|^pass:/i;
/** Options of pkcs11-tool and others, with their value or before it. */
const OPTION = /^--?(?:pin|so-pin|password|passphrase)(?:=(.*))?$/i;
/** A value that says where the secret is. */
const ELSEWHERE = /^(env|file|fd):|^(stdin|prompt)$/;

function isSecret(argument: string, previous: string | undefined): boolean {
  if (SECRET.test(argument)) return true;
  const own = OPTION.exec(argument)?.[1];
  const after = previous === undefined ? null : OPTION.exec(previous);
  const value = own ?? (after !== null && after[1] === undefined ? argument : undefined);
  return value !== undefined && !ELSEWHERE.test(value);
}

/** What is wrong with a command. `path` is where it was given; arguments are never repeated. */
export function commandFaults(kind: CommandKind, argv: readonly string[], path: string): Fault[] {
  return argv.flatMap((argument, index) => {
    const at = `${path}[${index}]`;
    const names = [...argument.matchAll(PLACEHOLDER)].map(([, name]) => name ?? "");
    const unknown = names.filter(
      (name) => !(PLACEHOLDERS[kind] as readonly string[]).includes(name),
    );
    const allowed = listed(PLACEHOLDERS[kind].map((name) => `{${name}}`));
    return [
      ...unknown.map((name) =>
        fault("DPS-CERT-111", at, `the placeholder {${name}}`, `use one of ${allowed}`),
      ),
      ...(isSecret(argument, argv[index - 1])
        ? [
            fault(
              "DPS-CERT-112",
              at,
              "what gives a PIN or a pass phrase (its value is not shown)",
              "let the command read it from a file or an environment variable: pin-source=file:… in a PKCS #11 URI, -passin env:… of openssl",
            ),
          ]
        : []),
    ];
  });
}

/** The arguments with the placeholders filled in. */
export function filledIn(
  argv: readonly string[],
  values: Readonly<Record<string, string>>,
): string[] {
  return argv.map((argument) =>
    argument.replace(PLACEHOLDER, (written, name: string) => values[name] ?? written),
  );
}
