/** Rows about odd names, keys, signatures and extensions. */
import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  Extension,
  SubjectAlternativeNameExtension,
} from "@peculiar/x509";
import { KeyUsageFlags, rsa, TestCa, type CertificateOptions } from "../../../support/test-ca";
import { nameConstraints, otherTexts, policyConstraints, signedWithMd5 } from "./odd-parts";
import {
  ASSUMED,
  ca,
  CHAIN_PAGE,
  CLIENT_AUTH,
  DATES,
  ID,
  individual,
  rootGroup,
  SERVER_AUTH,
  type Case,
  type World,
} from "./world";

const ANY_USAGE = "2.5.29.37.0";
const SERVICE_PAGE = "learn.microsoft.com/azure/iot-dps/concepts-service";

export async function oddCases(w: World): Promise<Case[]> {
  /** A leaf right below the group's root. */
  const below = async (options: CertificateOptions, cn = ID) =>
    (await w.root.leaf(cn, { ...DATES, ...options })).der;
  /** A leaf below an intermediate with these options, and that intermediate. */
  const through = async (options: CertificateOptions) => {
    const authority = await w.root.intermediate("Odd", { ...DATES, ...options });
    return [(await authority.leaf(ID, DATES)).der, authority.der];
  };
  const admitted = { ...rootGroup(w), want: "group root" } as const;
  const named = async (name: string, subject: string, source: string): Promise<Case> => ({
    name,
    source,
    presented: [await below({ subject })],
    ...rootGroup(w),
    want: "common name",
  });
  const long = "t".repeat(64);
  const tooLong = "t".repeat(100);
  const odd = "a-b.c_d:e-7";
  const weakRoot = await TestCa.root("Weak root", { ...DATES, hash: "SHA-1" });
  const names = Array.from({ length: 1500 }, (_, at) => `alias-${at}.trucks.example`);

  return [
    // Names.
    ...(await otherTexts(below, admitted)),
    await named("CN with a space behind it", `CN="${ID} "`, ASSUMED),
    await named("CN with a letter that only looks alike", "CN=trück-7", SERVICE_PAGE),
    await named("a wildcard as CN", "CN=*", ASSUMED),
    await named("the registration ID as OU, another CN", `CN=other, OU=${ID}`, CHAIN_PAGE),
    await named("the registration ID as serial number of the subject", `2.5.4.5=${ID}`, CHAIN_PAGE),
    {
      name: "empty CN",
      source: ASSUMED,
      presented: [await below({ subject: "CN=" })],
      ...rootGroup(w),
      want: "common name",
    },
    {
      name: "no CN, the registration ID as subject alternative name",
      source: CHAIN_PAGE,
      presented: [
        await below({
          subject: "O=Trucks",
          extensions: [new SubjectAlternativeNameExtension([{ type: "dns", value: ID }])],
        }),
      ],
      ...rootGroup(w),
      want: "common name",
    },
    {
      name: "CN among other parts of the subject",
      source: CHAIN_PAGE,
      presented: [await below({ subject: `C=DE, O=Trucks, OU=North, CN=${ID}` })],
      ...admitted,
    },
    {
      name: "CN with every special character of a registration ID",
      source: SERVICE_PAGE,
      registrationId: odd,
      presented: [await below({}, odd)],
      ...admitted,
    },
    {
      name: "CN of 64 characters, the most that X.520 allows",
      source: SERVICE_PAGE,
      registrationId: long,
      presented: [await below({}, long)],
      ...admitted,
    },
    {
      name: "CN of 100 characters, more than X.520 allows",
      source: ASSUMED,
      registrationId: tooLong,
      presented: [await below({}, tooLong)],
      ...admitted,
    },

    // Keys and signatures.
    {
      name: "RSA of 2048 bits below an EC root",
      source: ASSUMED,
      presented: [await below({ algorithm: rsa(2048) })],
      ...admitted,
    },
    {
      name: "RSA of 1024 bits",
      source: ASSUMED,
      presented: [await below({ algorithm: rsa(1024) })],
      ...admitted,
    },
    {
      name: "an RSA intermediate below an EC root",
      source: ASSUMED,
      presented: await through({ algorithm: rsa(2048) }),
      ...admitted,
    },
    {
      name: "EC P-384",
      source: ASSUMED,
      presented: [await below({ algorithm: { name: "ECDSA", namedCurve: "P-384" } })],
      ...admitted,
    },
    {
      name: "EC P-521",
      source: ASSUMED,
      presented: [await below({ algorithm: { name: "ECDSA", namedCurve: "P-521" } })],
      ...admitted,
    },
    {
      name: "Ed25519",
      source: ASSUMED,
      presented: [await below({ algorithm: { name: "Ed25519" } })],
      ...admitted,
    },
    {
      name: "a leaf signed with SHA-1",
      source: ASSUMED,
      presented: [await below({ hash: "SHA-1" })],
      ...admitted,
    },
    {
      name: "a leaf signed with SHA-1, where weak signatures are refused",
      source: ASSUMED,
      presented: [await below({ hash: "SHA-1" })],
      switches: { weakSignatures: "refused" },
      ...rootGroup(w),
      want: "chain invalid",
    },
    {
      name: "a leaf signed with MD5",
      source: ASSUMED,
      ...(await signedWithMd5()),
      want: "group old",
    },
    {
      name: "a leaf signed with MD5, where weak signatures are refused",
      source: ASSUMED,
      ...(await signedWithMd5()),
      switches: { weakSignatures: "refused" },
      want: "chain invalid",
    },
    {
      name: "an intermediate signed with SHA-1, where weak signatures are refused",
      source: ASSUMED,
      presented: await through({ hash: "SHA-1" }),
      switches: { weakSignatures: "refused" },
      ...rootGroup(w),
      want: "chain invalid",
    },
    {
      name: "a root that signed itself with SHA-1, where weak signatures are refused",
      source: "RFC 5280 6.1: a trust anchor's own signature is not checked",
      presented: [(await weakRoot.leaf(ID, DATES)).der],
      switches: { weakSignatures: "refused" },
      groups: [{ id: "root", enabled: true, certificates: [weakRoot.der] }],
      cas: [ca(weakRoot)],
      want: "group root",
    },
    {
      name: "a self-signed leaf with SHA-1 in a slot, where weak signatures are refused",
      source: ASSUMED,
      ...(await selfSigned({ hash: "SHA-1" })),
      switches: { weakSignatures: "refused" },
      want: "individual invalid",
    },

    // Extensions.
    {
      name: "a leaf without any constraints or usages",
      source: "RFC 5280 4.2.1: absent extensions allow everything",
      presented: [await below({ ca: undefined, keyUsage: null })],
      ...admitted,
    },
    {
      name: "a CA certificate as the leaf, below the root",
      source: ASSUMED,
      presented: [await below({ ca: true, keyUsage: KeyUsageFlags.keyCertSign })],
      ...admitted,
    },
    {
      name: "a leaf whose key usage lacks digital signature",
      source: ASSUMED,
      presented: [await below({ keyUsage: KeyUsageFlags.keyEncipherment })],
      ...admitted,
    },
    {
      name: "a leaf for any extended key usage",
      source: "RFC 5280 4.2.1.12",
      presented: [await below({ extendedKeyUsage: [ANY_USAGE] })],
      ...admitted,
    },
    {
      name: "a leaf for servers and clients",
      source: "RFC 5280 4.2.1.12",
      presented: [await below({ extendedKeyUsage: [SERVER_AUTH, CLIENT_AUTH] })],
      ...admitted,
    },
    {
      name: "a leaf for servers only, where extended key usages are ignored",
      source: ASSUMED,
      presented: [await below({ extendedKeyUsage: [SERVER_AUTH] })],
      switches: { extendedKeyUsage: "ignored" },
      ...admitted,
    },
    {
      name: "a self-signed leaf for servers only, in a slot",
      source: ASSUMED,
      ...(await selfSigned({ extendedKeyUsage: [SERVER_AUTH] })),
      want: "individual invalid",
    },
    {
      name: "critical name constraints on the intermediate",
      source: "RFC 5280 4.2: the sandbox does not evaluate them",
      presented: await through({ extensions: [nameConstraints(true)] }),
      ...rootGroup(w),
      want: "chain invalid",
    },
    {
      name: "critical name constraints on the intermediate, ignored by the switch",
      source: ASSUMED,
      presented: await through({ extensions: [nameConstraints(true)] }),
      switches: { criticalNameConstraints: "ignored" },
      ...admitted,
    },
    {
      name: "name constraints that are not critical",
      source: ASSUMED,
      presented: await through({ extensions: [nameConstraints(false)] }),
      ...admitted,
    },
    {
      name: "critical policy constraints on the intermediate",
      source: "RFC 5280 4.2: the sandbox does not evaluate them",
      presented: await through({ extensions: [policyConstraints] }),
      ...rootGroup(w),
      want: "chain invalid",
    },
    {
      name: "a leaf with a critical extension that nobody understands",
      source: "RFC 5280 4.2",
      presented: [await below({ criticalExtension: "1.2.3.4.5" })],
      ...rootGroup(w),
      want: "chain invalid",
    },
    {
      name: "a leaf with an unknown extension that is not critical",
      source: "RFC 5280 4.2",
      presented: [
        await below({ extensions: [new Extension("1.2.3.4.5", false, new Uint8Array([5, 0]))] }),
      ],
      ...admitted,
    },
    {
      name: "an authority key identifier of another key",
      source: "RFC 5280 4.2.1.1, as OpenSSL reads it",
      presented: [
        await below({ extensions: [new AuthorityKeyIdentifierExtension("00".repeat(20))] }),
      ],
      ...rootGroup(w),
      want: "no CA",
    },
    {
      name: "a huge leaf: 1,500 alternative names",
      source: ASSUMED,
      presented: [
        await below({
          extensions: [
            new SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value }))),
          ],
        }),
      ],
      ...admitted,
    },
  ];
}

async function selfSigned(
  options: CertificateOptions,
): Promise<Pick<Case, "presented" | "individuals">> {
  const leaf = await TestCa.selfSigned(ID, { ...DATES, ...options });
  return { presented: [leaf.der], individuals: [individual([leaf])] };
}
