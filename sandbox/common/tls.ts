/** The sandbox's own TLS root, and the server certificates it issues. */
import "reflect-metadata";
import { createPrivateKey, randomBytes, webcrypto, type JsonWebKey } from "node:crypto";
import { isIP } from "node:net";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { ServerIdentity } from "./model";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 24 * 60 * 60 * 1000;
/** Clients trust the root for as long as a kept sandbox is likely to live. */
const ROOT_DAYS = 3650;
/** Some clients refuse server certificates that live longer than 825 days. */
const SERVER_DAYS = 397;

/** What is kept of a root between runs. */
export interface SavedTlsRoot {
  cert: string;
  /** PKCS#8 PEM. */
  key: string;
}

/** Dates follow the machine's clock, not the sandbox's: the clients' TLS libraries judge them. */
export class TlsRoot {
  private constructor(
    private readonly certificate: X509Certificate,
    private readonly key: webcrypto.CryptoKey,
    /** Certificate and key to be kept, and to be given to `TlsRoot.restore`. */
    readonly saved: SavedTlsRoot,
  ) {}

  /** The root certificate that clients must trust, PEM. */
  get certificatePem(): string {
    return this.saved.cert;
  }

  static async create(): Promise<TlsRoot> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: `CN=Sandbox TLS root ${randomBytes(4).toString("hex")}`,
      keys,
      signingAlgorithm: ALGORITHM,
      serialNumber: serialNumber(),
      ...validity(ROOT_DAYS),
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    const saved = { cert: certificate.toString("pem"), key: await exportKey(keys.privateKey) };
    return new TlsRoot(certificate, keys.privateKey, saved);
  }

  /** The root of an earlier run. Throws when the key or the certificate cannot be read. */
  static async restore(saved: SavedTlsRoot): Promise<TlsRoot> {
    const jwk: JsonWebKey = createPrivateKey(saved.key).export({ format: "jwk" });
    const key = await webcrypto.subtle.importKey("jwk", jwk, ALGORITHM, true, ["sign"]);
    return new TlsRoot(new X509Certificate(saved.cert), key, saved);
  }

  /** A server certificate for these DNS names and IP addresses; the first is also the CN. */
  async serverIdentity(names: string[]): Promise<ServerIdentity> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const certificate = await X509CertificateGenerator.create({
      // A CN holds at most 64 characters; clients look at the alternative names.
      subject: [{ CN: [(names[0] ?? "sandbox").slice(0, 64)] }],
      issuer: this.certificate.subjectName.toJSON(),
      publicKey: keys.publicKey,
      signingKey: this.key,
      signingAlgorithm: ALGORITHM,
      serialNumber: serialNumber(),
      ...validity(SERVER_DAYS),
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(
          names.map((name) => ({ type: isIP(name) ? "ip" : "dns", value: name })),
        ),
      ],
    });
    return { cert: certificate.toString("pem"), key: await exportKey(keys.privateKey) };
  }
}

/** From a day ago, so that a clock that lags a little does not refuse it. */
function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + days * DAY_MS) };
}

/** Positive, as RFC 5280 4.1.2.2 asks. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString("hex");
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64");
  const lines = der.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}
