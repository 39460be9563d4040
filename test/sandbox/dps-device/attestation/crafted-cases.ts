/** Rows about certificates that no tool writes: built to be read as something that they are not. */
import "reflect-metadata";
import { Extension } from "@peculiar/x509";
import { TestCa } from "../../../support/test-ca";
import { ASSUMED, ca, DATES, ID, rootGroup, type Case, type World } from "./world";

const der = (hex: string): Uint8Array =>
  new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));

export async function craftedCases(w: World): Promise<Case[]> {
  return [
    {
      name: "CN as NumericString, whose bytes in hexadecimal are the registration ID",
      source: ASSUMED,
      registrationId: "313233",
      presented: [(await w.root.leaf(ID, { ...DATES, subject: "CN=#1203313233" })).der],
      ...rootGroup(w),
      want: "common name",
    },
    {
      name: "CN as BMPString of three bytes",
      source: ASSUMED,
      presented: [await withBytes(ID, "1307747275636b2d37", "1e07747275636b2d37")],
      ...rootGroup(w),
      want: "unreadable certificate",
      hub: "no handshake",
    },
    ...(await purposes({
      "in a field of another tag": "300a 86082b06010505070302",
      "in a SET": "310a 06082b06010505070302",
      "in an OCTET STRING of parts": "240a 06082b06010505070302",
      "with something behind them": "300a 06082b06010505070302 0500",
    })),
    ...(await constraints(w, {
      "in a SET": ["3103 0101ff", "unreadable certificate"],
      "in a field of another tag": ["3003 8101ff", "no CA"],
      "as a BOOLEAN without a byte": ["3002 0100", "unreadable certificate"],
      "as a BOOLEAN of two bytes": ["3004 010200ff", "unreadable certificate"],
      "with a negative path length": ["3006 0101ff 0201ff", "no CA"],
    })),
    {
      name: "a leaf that ended in the year 49, in a slot",
      source: "RFC 5280 4.1.2.5.2",
      ...inSlot(await withBytes(ID, text("20600101"), text("00490101"))),
      want: "individual invalid",
      hub: "expired",
    },
    {
      name: "a CA certificate of the service that cannot be read, beside the one above the leaf",
      source: ASSUMED,
      presented: [w.rootLeaf.der],
      ...rootGroup(w),
      cas: [ca(w.root), ca(await withConstraints("300a 0101ff 02050100000000"))],
      want: "group root",
    },
  ];
}

/** Only what a chain is judged by is checked against the signature, so leaves in slots can be changed. */
async function withBytes(name: string, from: string, to: string): Promise<Buffer> {
  const notAfter = new Date("2060-01-01T00:00:00Z");
  const leaf = await TestCa.selfSigned(name, { ...DATES, notAfter });
  const changed = Buffer.from(Buffer.from(leaf.der).toString("hex").replaceAll(from, to), "hex");
  if (changed.equals(leaf.der)) throw new Error(`there is no ${from}`);
  return changed;
}

const text = (value: string): string => Buffer.from(value).toString("hex");

function inSlot(leaf: Buffer): Pick<Case, "presented" | "individuals"> {
  return {
    presented: [leaf],
    individuals: [{ registrationId: ID, enabled: true, certificates: [leaf] }],
  };
}

/** Client authentication as extended key usage, built in these ways. */
async function purposes(kinds: Record<string, string>): Promise<Case[]> {
  const cases = Object.entries(kinds).map(async ([how, value]): Promise<Case> => {
    const extensions = [new Extension("2.5.29.37", true, der(value))];
    const leaf = await TestCa.selfSigned(ID, { ...DATES, extensions });
    return {
      name: `extended key usages ${how}`,
      source: ASSUMED,
      ...inSlot(leaf.der),
      want: "unreadable certificate",
    };
  });
  return Promise.all(cases);
}

/** A leaf below an intermediate that says in these ways that it is a CA. */
async function constraints(
  w: World,
  kinds: Record<string, [value: string, want: Case["want"]]>,
): Promise<Case[]> {
  const cases = Object.entries(kinds).map(async ([how, [value, want]]): Promise<Case> => {
    const odd = await w.root.intermediate("Odd", oddCa(value));
    const presented = [(await odd.leaf(ID, DATES)).der, odd.der];
    return { name: `a CA ${how}`, source: ASSUMED, presented, ...rootGroup(w), want };
  });
  return Promise.all(cases);
}

function withConstraints(value: string): Promise<TestCa> {
  return TestCa.root("Odd", oddCa(value));
}

function oddCa(value: string) {
  const extensions = [new Extension("2.5.29.19", true, der(value))];
  return { ...DATES, ca: undefined, keyUsage: null, extensions };
}
