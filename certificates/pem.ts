/**
 * Strict reading of PEM (RFC 7468, its strict form, with LF or CRLF line ends). Each mistake that
 * people make has its own sentence. No content of what may be a key is ever repeated.
 */
import { X509Certificate } from "node:crypto";
import { fault, type Fault } from "./faults";
import { displayName } from "./text";

/** One certificate, normalised: LF line ends, 64 characters a line, one final newline. */
export interface PemCertificate {
  certificate: string;
}

/** Certificates in the order of the text, each normalised. */
export interface PemChain {
  certificates: string[];
}

interface Block {
  label: string;
  base64: string;
  /** Counted from 1. */
  number: number;
}

/** Reads exactly one certificate. `path` is where it was given, for the fault. */
export function parsePem(text: string | Buffer, path: string): PemCertificate | Fault {
  const read = parseChain(text, path);
  if (!("certificates" in read)) return read;
  const [certificate] = read.certificates;
  if (certificate === undefined || read.certificates.length > 1) {
    return fault(
      "DPS-CERT-008",
      path,
      `${read.certificates.length} certificate blocks`,
      "keep the one block that is meant, and give each other certificate a name of its own",
    );
  }
  return { certificate };
}

/** Reads one or more certificates; the first fault names the failing block by its number. */
export function parseChain(text: string | Buffer, path: string): PemChain | Fault {
  const blocks = splitBlocks(text, path);
  if (!Array.isArray(blocks)) return blocks;
  // A key anywhere in the text is the gravest thing to say about it.
  const key = blocks.find((block) => isKeyLabel(block.label));
  if (key !== undefined) return keyFault(path, place(key, blocks));
  const certificates: string[] = [];
  for (const block of blocks) {
    const read = readCertificate(block, place(block, blocks), path);
    if (typeof read !== "string") return read;
    certificates.push(read);
  }
  return { certificates };
}

function splitBlocks(input: string | Buffer, path: string): Block[] | Fault {
  if (typeof input !== "string" && looksBinary(input)) return binaryFault(input, path);
  const text = (typeof input === "string" ? input : input.toString("utf8")).replace(/^\uFEFF/, "");
  if (text.trim() === "") {
    return fault("DPS-CERT-009", path, "nothing", "give the certificate in PEM");
  }
  const blocks: Block[] = [];
  let open: { label: string; lines: string[] } | undefined;
  let strayLine: number | undefined;
  for (const [index, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const line = raw.trim();
    const boundary = /^-----(BEGIN|END) ([^-]+)-----$/.exec(line);
    const label = boundary?.[2] ?? "";
    if (boundary === null) {
      if (open !== undefined) open.lines.push(line);
      else if (line !== "") strayLine ??= index + 1;
    } else if (boundary[1] === "BEGIN") {
      if (open !== undefined)
        return damaged(path, blocks.length + 1, open.label, "has no END line");
      open = { label, lines: [] };
    } else if (open === undefined) {
      return damaged(path, blocks.length + 1, label, "has no BEGIN line");
    } else if (open.label !== label) {
      return damaged(path, blocks.length + 1, open.label, `ends as ${displayName(label)}`);
    } else {
      blocks.push({ label, base64: open.lines.join(""), number: blocks.length + 1 });
      open = undefined;
    }
  }
  if (open !== undefined) return damaged(path, blocks.length + 1, open.label, "has no END line");
  if (blocks.some((block) => isKeyLabel(block.label))) return blocks;
  if (blocks.length === 0) return unarmouredFault(text, path);
  if (strayLine !== undefined) {
    return fault(
      "DPS-CERT-007",
      path,
      `text outside of the PEM block at line ${strayLine}`,
      "keep only the lines from BEGIN CERTIFICATE to END CERTIFICATE",
    );
  }
  return blocks;
}

function readCertificate(block: Block, where: string, path: string): string | Fault {
  switch (block.label) {
    case "CERTIFICATE":
      break;
    case "CERTIFICATE REQUEST":
    case "NEW CERTIFICATE REQUEST":
      return fault(
        "DPS-CERT-005",
        path,
        `a certificate signing request${where}`,
        "have it signed by the CA and give the certificate that comes back",
      );
    case "PUBLIC KEY":
    case "RSA PUBLIC KEY":
      return fault(
        "DPS-CERT-006",
        path,
        `a public key${where}`,
        "give the certificate that was issued for this key",
      );
    case "PKCS7":
    case "CMS":
      return fault(
        "DPS-CERT-004",
        path,
        `a PKCS#7 container${where}`,
        "take the certificate out: openssl pkcs7 -print_certs -in FILE",
      );
    default:
      return fault(
        "DPS-CERT-011",
        path,
        `a block of the kind ${displayName(block.label)}${where}`,
        "give a block of the kind CERTIFICATE: openssl x509 -in FILE",
      );
  }
  const der = decode(block.base64);
  const problem = `block ${block.number} (CERTIFICATE)`;
  if (der === undefined) return unreadable(path, `${problem} is not base64`);
  try {
    const certificate = new X509Certificate(der);
    if (!certificate.raw.equals(der))
      return unreadable(path, `${problem} has bytes behind the certificate`);
    return armour(der);
  } catch {
    // The reason is OpenSSL's wording of a place in the bytes: no help, and it may quote content.
    return unreadable(path, `${problem} does not decode to an X.509 certificate`);
  }
}

/** PEM of a DER certificate: LF line ends, 64 characters a line. */
export function armour(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/* Buffer.from ignores what is not base64, so the text is compared with what it decodes to. */
function decode(base64: string): Buffer | undefined {
  const bytes = Buffer.from(base64, "base64");
  return bytes.length > 0 && bytes.toString("base64") === base64 ? bytes : undefined;
}

function isKeyLabel(label: string): boolean {
  return label.toUpperCase().includes("PRIVATE KEY");
}

function keyFault(path: string, where: string): Fault {
  return fault(
    "DPS-CERT-002",
    path,
    `a private key${where} (its content is not shown)`,
    "give only the certificate; if this key was shared or committed, treat it as compromised",
  );
}

function damaged(path: string, number: number, label: string, problem: string): Fault {
  // A cut-off key is a key as well.
  if (isKeyLabel(label)) return keyFault(path, ` in block ${number}`);
  return unreadable(path, `block ${number} (${displayName(label)}) ${problem}`);
}

function unreadable(path: string, problem: string): Fault {
  return fault(
    "DPS-CERT-010",
    path,
    problem,
    "export the certificate again from where it was issued",
  );
}

function looksBinary(bytes: Buffer): boolean {
  return bytes[0] === 0x30 || bytes.includes(0);
}

function binaryFault(bytes: Buffer, path: string): Fault {
  try {
    new X509Certificate(bytes);
    return derFault(path);
  } catch {
    // Not a certificate: it may be a key or a PKCS#12 file with one, so nothing more is said.
    return fault(
      "DPS-CERT-001",
      path,
      "binary data that is not a certificate (its content is not shown)",
      "give the certificate in PEM; from a PKCS#12 file: openssl pkcs12 -nokeys -clcerts -in FILE",
    );
  }
}

function derFault(path: string): Fault {
  return fault(
    "DPS-CERT-003",
    path,
    "a certificate in DER",
    "convert it to PEM: openssl x509 -inform der -in FILE",
  );
}

/* Text without any PEM boundary. */
function unarmouredFault(text: string, path: string): Fault {
  const der = decode(text.replace(/\s+/g, ""));
  if (der !== undefined) {
    try {
      new X509Certificate(der);
      return fault(
        "DPS-CERT-001",
        path,
        "a certificate in base64 without its BEGIN and END lines",
        "put it between -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----",
      );
    } catch {
      // Not a certificate: fall through to the general sentence.
    }
  }
  return fault(
    "DPS-CERT-001",
    path,
    "text without a PEM block (its content is not shown)",
    "give the certificate in PEM, from BEGIN CERTIFICATE to END CERTIFICATE",
  );
}

/** ` in block 2 of 3`, or nothing when there is only one block. */
function place(block: Block, blocks: readonly Block[]): string {
  return blocks.length === 1 ? "" : ` in block ${block.number} of ${blocks.length}`;
}
