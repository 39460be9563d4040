/** A front with a verified root, an enrollment group for it, and a device below it. */
import type { Switches } from "../../../sandbox/common/switches";
import type { Throttles } from "../../../sandbox/common/throttles";
import { TestCa, type Issued } from "../../support/test-ca";
import { GOOD_TOKEN } from "../sandbox-parts";
import {
  ID_SCOPE,
  request,
  smallSandbox,
  startHttps,
  type Answer,
  type SmallSandbox,
} from "../dps-service/small-sandbox";

export type Json = Record<string, unknown>;

export interface Fixture {
  small: SmallSandbox;
  port: number;
  /** PUT of an entry by the service API, whatever its etag. */
  enroll(path: string, body: Json): Promise<Answer>;
  /** Any call of the service API. */
  service(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Any call of the device API, with this certificate and the chain above it. */
  device(leaf: Issued, method: string, path: string, body?: unknown): Promise<Answer>;
  /** Registers and polls once; the last answer. */
  register(leaf: Issued, id?: string): Promise<Answer>;
  close(): Promise<void>;
}

export const ID = "truck-7";
const VERSION = "api-version=2021-10-01";

export async function fixture(
  switches: Partial<Switches> = {},
  throttles?: Throttles,
): Promise<Fixture> {
  const small = await smallSandbox(throttles);
  const front = await startHttps(small, switches);
  const { port } = front;
  const service: Fixture["service"] = (method, path, body) =>
    request(small, port, {
      method,
      path: `${path}?${VERSION}`,
      headers: { authorization: `Bearer ${GOOD_TOKEN}` },
      body,
    });
  const device: Fixture["device"] = (leaf, method, path, body) =>
    request(small, port, {
      method,
      path: `/${ID_SCOPE}/registrations/${path}?api-version=2019-03-31`,
      body,
      cert: leaf.chainPem,
      key: leaf.key,
    });
  return {
    small,
    port,
    service,
    device,
    enroll: async (path, body) => {
      const answer = await request(small, port, {
        method: "PUT",
        path: `${path}?${VERSION}`,
        headers: {
          authorization: `Bearer ${GOOD_TOKEN}`,
          ...((await service("GET", path)).status === 200 ? { "if-match": "*" } : {}),
        },
        body,
      });
      if (answer.status !== 200) {
        throw new Error(`PUT ${path}: ${JSON.stringify(answer.body)}`);
      }
      return answer;
    },
    register: async (leaf, id = ID) => {
      const started = await device(leaf, "PUT", `${id}/register`, { registrationId: id });
      return started.status === 202
        ? device(leaf, "GET", `${id}/operations/${String(started.body["operationId"])}`)
        : started;
    },
    close: async () => {
      await front.close();
      await small.close();
    },
  };
}

/** Body of an individual enrollment. */
export function individualBody(leaf: Issued, more: Json = {}): Json {
  return {
    registrationId: ID,
    attestation: {
      type: "x509",
      x509: { clientCertificates: { primary: { certificate: leaf.pem } } },
    },
    ...more,
  };
}

/** Body of an enrollment group by CA reference. */
export function groupBody(id: string, caName: string, more: Json = {}): Json {
  return {
    enrollmentGroupId: id,
    attestation: { type: "x509", x509: { caReferences: { primary: caName } } },
    ...more,
  };
}

/** A verified root called "root", the group "trucks" for it, and a leaf below an intermediate. */
export async function withGroup(
  f: Fixture,
  more: Json = {},
): Promise<{ ca: TestCa; leaf: Issued }> {
  const root = await TestCa.root("Root");
  const ca = await root.intermediate("Factory");
  f.small.addCa("root", root.der);
  await f.enroll("/enrollmentGroups/trucks", groupBody("trucks", "root", more));
  return { ca, leaf: await ca.leaf(ID) };
}

export function stateOf(answer: Answer): Json {
  return answer.body["registrationState"] as Json;
}
