/** What the rows of the table are made of: a small PKI, entries, and the shape of a row. */
import type {
  CaView,
  GroupView,
  IndividualView,
  Refusal,
} from "../../../../sandbox/dps-device/attestation/judge";
import type { Switches } from "../../../../sandbox/common/switches";
import { TestCa, type Issued } from "../../../support/test-ca";

export const NOW = new Date("2026-06-15T12:00:00Z");
export const DATES = {
  notBefore: new Date("2026-01-01T00:00:00Z"),
  notAfter: new Date("2027-01-01T00:00:00Z"),
};
export const ID = "truck-7";
export const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
export const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";

export const CHAIN_PAGE = "learn.microsoft.com/azure/iot-dps/concepts-x509-attestation";
export const REVOKE_PAGE = "learn.microsoft.com/azure/iot-dps/how-to-revoke-device-access-portal";
export const ASSUMED = "not known, assumed";

export interface World {
  root: TestCa;
  otherRoot: TestCa;
  factory: TestCa;
  line: TestCa;
  leaf: Issued;
  nextLeaf: Issued;
  rootLeaf: Issued;
  selfSigned: Issued;
}

/** "no handshake": nobody hears of a device that TLS does not let in. */
export type HubAnswer =
  "connects" | "expired" | "not valid yet" | "no certificate" | "no handshake";

/** One row; `source` says who knows that `want` is right. */
export interface Case {
  name: string;
  source: string;
  presented: Buffer[];
  registrationId?: string;
  individuals?: IndividualView[];
  groups?: GroupView[];
  cas?: CaView[];
  now?: Date;
  switches?: Partial<Switches>;
  want: Refusal | `individual ${string}` | `group ${string}`;
  /** What the hub does when its record of the device holds this leaf. Default: "connects". */
  hub?: HubAnswer;
}

export const ca = (one: TestCa, isVerified = true): CaView => ({ der: one.der, isVerified });
export const group = (id: string, one: TestCa | Buffer, enabled = true): GroupView => ({
  id,
  enabled,
  certificates: [Buffer.isBuffer(one) ? one : one.der],
});
export const individual = (certificates: Issued[], enabled = true): IndividualView => ({
  registrationId: ID,
  enabled,
  certificates: certificates.map(({ der }) => der),
});

export async function world(): Promise<World> {
  const root = await TestCa.root("Root", DATES);
  const otherRoot = await TestCa.root("Other root", DATES);
  const factory = await root.intermediate("Factory", DATES);
  const line = await factory.intermediate("Line", DATES);
  return {
    root,
    otherRoot,
    factory,
    line,
    leaf: await line.leaf(ID, DATES),
    nextLeaf: await line.leaf(ID, DATES),
    rootLeaf: await root.leaf(ID, DATES),
    selfSigned: await TestCa.selfSigned(ID, DATES),
  };
}

/** What most rows have: the root is verified, and a group is for it. */
export function rootGroup(w: World): Pick<Case, "groups" | "cas"> {
  return { groups: [group("root", w.root)], cas: [ca(w.root)] };
}

/** The leaf with everything above it, root included. */
export function fullChain(w: World): Buffer[] {
  return [w.leaf.der, w.line.der, w.factory.der, w.root.der];
}
