/** A chain whose leaf is signed with MD5, which WebCrypto does not do. */
import { sign } from "node:crypto";
import { rsa, TestCa } from "../../../support/test-ca";
import { ca, DATES, ID, type Case } from "./world";

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
