/**
 * What attestation asks of a certificate's ASN.1 (RFC 5280 4.1). The certificates come with each
 * registration, so this goes straight to the parts and leaves the others unread.
 */
import asn1 from "node-forge/lib/asn1";

export interface ExtensionPart {
  /** OID. */
  type: string;
  critical: boolean;
  /** DER of the extension's own value. */
  value: Buffer;
}

export interface CertificateParts {
  /** OID. */
  signatureAlgorithm: string;
  /** All common names of the subject, in the order of the certificate. */
  commonNames: string[];
  extensions: ExtensionPart[];
}

type Node = ReturnType<typeof asn1.fromDer>;

const { Class, Type } = asn1;
const COMMON_NAME = "2.5.4.3";
const VERSION = 0;
const EXTENSIONS = 3;

/** @param der a certificate that OpenSSL has read. Throws when it is not built as RFC 5280 says. */
export function certificateParts(der: Buffer): CertificateParts {
  const [signed, algorithm] = children(read(der));
  const fields = children(signed);
  const [, , , , subject] = fields.filter((one) => !isTagged(one, VERSION));
  const extensions = fields.find((one) => isTagged(one, EXTENSIONS));
  return {
    signatureAlgorithm: oid(children(algorithm)[0]),
    commonNames: children(subject).flatMap((part) => children(part).flatMap(commonName)),
    extensions: extensions === undefined ? [] : sequence(children(extensions)[0]).map(extension),
  };
}

/** RFC 5280 4.2.1.9. */
export function readBasicConstraints(der: Buffer): { isCa: boolean; pathLength?: number } {
  const parts = sequence(read(der));
  const length = parts.find((part) => is(part, Type.INTEGER));
  return {
    isCa: parts.some(isTrue),
    ...(length !== undefined && { pathLength: integer(length) }),
  };
}

/** RFC 5280 4.2.1.3: keyCertSign is bit 5 of those that follow the count of unused ones. */
export function readsAsKeyCertSign(der: Buffer): boolean {
  const usages = read(der);
  if (!is(usages, Type.BITSTRING)) throw new Error("the key usage is no BIT STRING");
  return ((content(usages)[1] ?? 0) & 0x04) !== 0;
}

/** OIDs of the purposes, RFC 5280 4.2.1.12. */
export function readExtendedKeyUsage(der: Buffer): string[] {
  return sequence(read(der)).map(oid);
}

function read(der: Buffer): Node {
  // The declarations know fewer options than the function.
  const options = { strict: true, decodeBitStrings: false } as object;
  return asn1.fromDer(der.toString("latin1"), options as { strict: boolean } & boolean);
}

function commonName(attribute: Node): string[] {
  const [type, value] = children(attribute);
  return oid(type) === COMMON_NAME ? [text(value)] : [];
}

/** How the kinds of a DirectoryString (RFC 5280 4.1.2.4) and IA5String are read, by their tag (X.680 8.4). */
const TEXTS = new Map<number, (bytes: Buffer) => string>([
  [Type.UTF8, (bytes) => bytes.toString("utf8")],
  [Type.PRINTABLESTRING, (bytes) => bytes.toString("latin1")],
  [Type.IA5STRING, (bytes) => bytes.toString("latin1")],
  [20, (bytes) => bytes.toString("latin1")], // TeletexString
]);

/** Of a value of another kind its bytes behind a "#" (RFC 4514 2.4), which no registration ID has. */
function text(value: Node | undefined): string {
  // The one kind that the reader has decoded already.
  if (value?.type === Type.BMPSTRING && typeof value.value === "string") return value.value;
  const read = TEXTS.get(value?.type ?? Type.NONE);
  const bytes = content(value);
  return read === undefined ? `#${bytes.toString("hex")}` : read(bytes);
}

function extension(node: Node): ExtensionPart {
  const [type, ...rest] = sequence(node);
  const value = rest.pop();
  if (!is(value, Type.OCTETSTRING)) throw new Error("an extension has no value");
  const [critical] = rest;
  return {
    type: oid(type),
    critical: critical !== undefined && isTrue(critical),
    value: content(value),
  };
}

/** Both BOOLEANs that are read are FALSE by default; DER writes TRUE as 255, BER as anything but 0. */
function isTrue(node: Node): boolean {
  if (!is(node, Type.BOOLEAN)) return false;
  const bytes = content(node);
  if (bytes.length !== 1) throw new Error("a BOOLEAN has not one byte");
  return bytes[0] !== 0;
}

function integer(node: Node): number {
  return asn1.derToInteger(content(node).toString("latin1"));
}

/** Tags of another class have the same numbers. */
function is(node: Node | undefined, type: Node["type"]): boolean {
  return node?.tagClass === Class.UNIVERSAL && node.type === type;
}

function isTagged({ tagClass, type }: Node, tag: number): boolean {
  return tagClass === Class.CONTEXT_SPECIFIC && (type as number) === tag;
}

function children(node: Node | undefined): Node[] {
  if (!Array.isArray(node?.value)) throw new Error("the certificate is not built as RFC 5280 says");
  return node.value;
}

function sequence(node: Node | undefined): Node[] {
  if (!is(node, Type.SEQUENCE)) throw new Error("the certificate lacks a SEQUENCE");
  return children(node);
}

function content(node: Node | undefined): Buffer {
  if (typeof node?.value !== "string") throw new Error("a value of the certificate is not plain");
  return Buffer.from(node.value, "latin1");
}

function oid(node: Node | undefined): string {
  if (!is(node, Type.OID)) throw new Error("an OID is missing");
  return asn1.derToOid(content(node).toString("latin1"));
}
