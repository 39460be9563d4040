/** Devices of the contract cases, over plain HTTPS, without the SDK's waits. */
import type { AttachedSandbox } from "../clients/attached-sandbox";
import type { Issued } from "../support/test-ca";
import { pause } from "./aim";

/** Registers, polls until it is over, and gives the outcome. */
export async function registerOverHttps(
  place: Pick<AttachedSandbox, "deviceHostName" | "idScope" | "http">,
  registrationId: string,
  { chainPem, key }: Issued,
): Promise<Record<string, unknown>> {
  const call = async (method: string, path: string, body?: object) => {
    const url = `https://${place.deviceHostName}/${place.idScope}/registrations/${registrationId}${path}?api-version=2021-10-01`;
    const options = { cert: chainPem, key, body };
    return (await place.http(method, url, options)).body as unknown as Record<string, unknown>;
  };
  let answer = await call("PUT", "/register", { registrationId });
  while (answer["status"] === "assigning") {
    await pause();
    answer = await call("GET", `/operations/${String(answer["operationId"])}`);
  }
  return answer;
}
