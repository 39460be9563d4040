/** Microsoft's service SDK, aimed at the HTTPS half of a front for the length of one test. */
import assert from "node:assert/strict";
import { ProvisioningServiceClient } from "azure-iot-provisioning-service";
import type { Throttles } from "../../../sandbox/common/throttles";
import { pointClientsAt, smallSandbox, startHttps, type SmallSandbox } from "./small-sandbox";

export type Json = Record<string, unknown>;

export interface Served {
  small: SmallSandbox;
  port: number;
  client: ProvisioningServiceClient;
  close(): Promise<void>;
}

export async function serve(throttles?: Throttles): Promise<Served> {
  const small = await smallSandbox(throttles);
  const front = await startHttps(small);
  const restore = pointClientsAt(front.port, small.tlsRoot);
  return {
    small,
    port: front.port,
    client: ProvisioningServiceClient.fromConnectionString(small.connectionString),
    close: async () => {
      restore();
      await front.close();
      await small.close();
    },
  };
}

/** What Microsoft's client throws. */
interface ServiceFailure extends Error {
  response: { statusCode: number; headers: Record<string, string> };
  responseBody: string;
}

/** Expects an error answer; returns its message. */
export async function fails(
  promise: Promise<unknown>,
  status: number,
  code: number,
): Promise<string> {
  try {
    await promise;
  } catch (error) {
    const { response, responseBody } = error as ServiceFailure;
    const body = JSON.parse(responseBody) as { errorCode: number; message: string };
    assert.equal(response.statusCode, status);
    assert.equal(body.errorCode, code);
    assert.equal(response.headers["x-ms-error-code"], String(code));
    return body.message;
  }
  assert.fail(`expected ${status}`);
}
