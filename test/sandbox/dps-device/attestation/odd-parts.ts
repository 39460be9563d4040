/** Extensions that few certificates have, and a signature with MD5, which WebCrypto does not make. */
import "reflect-metadata";
import { sign } from "node:crypto";
import { Extension } from "@peculiar/x509";
import { rsa, TestCa } from "../../../support/test-ca";
import { ASSUMED, ca, DATES, ID, type Case } from "./world";

/** NameConstraints, RFC 5280 4.2.1.10: permitted subtrees with the DNS name "trucks". */
const ONLY_TRUCKS = new Uint8Array([
  0x30, 0x0c, 0xa0, 0x0a, 0x30, 0x08, 0x82, 0x06, 0x74, 0x72, 0x75, 0x63, 0x6b, 0x73,
]);
export const nameConstraints = (critical: boolean) =>
  new Extension("2.5.29.30", critical, ONLY_TRUCKS);
/** PolicyConstraints, RFC 5280 4.2.1.11: requireExplicitPolicy 0. */
export const policyConstraints = new Extension(
  "2.5.29.36",
  true,
  new Uint8Array([0x30, 0x03, 0x80, 0x01, 0x00]),
);

/** A leaf whose signature with SHA-256 is taken off, and one with MD5 put in its place. */
export async function signedWithMd5(): Promise<Pick<Case, "presented" | "groups" | "cas">> {
  const root = await TestCa.root("Old root", { ...DATES, algorithm: rsa(2048) });
  const der = Buffer.from((await root.leaf(ID, DATES)).der);
  // sha256WithRSAEncryption and md5WithRSAEncryption (RFC 8017 A.2.4) differ in their last byte.
  const sha256 = Buffer.from("2a864886f70d01010b", "hex");
  for (let at = der.indexOf(sha256); at >= 0; at = der.indexOf(sha256, at)) der[at + 8] = 4;
  // SEQUENCE { what is signed, algorithm, signature }, lengths of two bytes.
  const signed = der.subarray(4, 8 + der.readUInt16BE(6));
  sign("md5", signed, root.certificate.key).copy(der, der.length - 256);
  return {
    presented: [der],
    groups: [{ id: "old", enabled: true, certificates: [root.der] }],
    cas: [ca(root)],
  };
}

/** The registration ID as common name, in other kinds of string than UTF-8 (RFC 5280 4.1.2.4, X.680 8.4). */
export async function otherTexts(
  leaf: (options: { subject: string }) => Promise<Buffer>,
  admitted: Omit<Case, "name" | "source" | "presented">,
): Promise<Case[]> {
  const kinds = {
    PrintableString: Buffer.concat([Buffer.from([19, ID.length]), Buffer.from(ID)]),
    TeletexString: Buffer.concat([Buffer.from([20, ID.length]), Buffer.from(ID)]),
    BMPString: Buffer.concat([
      Buffer.from([30, 2 * ID.length]),
      Buffer.from(ID, "utf16le").swap16(),
    ]),
  };
  const cases = Object.entries(kinds).map(async ([kind, der]): Promise<Case> => {
    const presented = [await leaf({ subject: `CN=#${der.toString("hex")}` })];
    return { name: `CN as ${kind}`, source: ASSUMED, presented, ...admitted };
  });
  return Promise.all(cases);
}
