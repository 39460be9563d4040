/** Devices of the contract cases, over plain HTTPS, without the SDK's waits. */
import { setTimeout as delay } from "node:timers/promises";
import type { AttachedSandbox } from "../clients/attached-sandbox";
import type { Issued } from "../support/test-ca";

/** Registers, polls until it is over, and gives the outcome. */
export async function registerOverHttps(
  sandbox: AttachedSandbox,
  registrationId: string,
  { chainPem, key }: Issued,
): Promise<Record<string, unknown>> {
  const { serviceEndpoint, serviceHostName } = sandbox.endpoints().provisioningServices[0]!;
  const call = async (method: string, path: string, body?: object) => {
    const url = `${serviceEndpoint}/${sandbox.idScope}/registrations/${registrationId}${path}?api-version=2021-10-01`;
    const options = { servername: serviceHostName, cert: chainPem, key, body };
    return (await sandbox.http(method, url, options)).body as unknown as Record<string, unknown>;
  };
  let answer = await call("PUT", "/register", { registrationId });
  while (answer["status"] === "assigning") {
    await delay(10);
    answer = await call("GET", `/operations/${String(answer["operationId"])}`);
  }
  return answer;
}
