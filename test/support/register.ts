/** A registration over HTTPS, as a device does it, but without waiting between polls. */
import type { TestSandbox } from "./sandbox";
import type { Issued } from "./test-ca";

/**
 * Throws when the device is not assigned.
 *
 * @param service name of the DPS instance; default: the first one
 */
export async function register(
  sandbox: TestSandbox,
  id: string,
  leaf: Issued,
  service?: string,
): Promise<void> {
  const all = sandbox.endpoints().provisioningServices;
  const { device, idScope } = all.find(({ name }) => name === service) ?? all[0]!;
  const base = `${device.https}/${idScope}/registrations/${id}`;
  const identity = { cert: leaf.chainPem, key: leaf.key };
  const call = (method: string, path: string, body?: object) =>
    sandbox.http(method, `${base}/${path}?api-version=2021-10-01`, { ...identity, body });
  let { body } = await call("PUT", "register", { registrationId: id });
  const { operationId } = body as unknown as { operationId: string };
  for (let polls = 0; body.status === "assigning" && polls < 10; polls += 1) {
    ({ body } = await call("GET", `operations/${operationId}`));
  }
  if (body.status !== "assigned") throw new Error(JSON.stringify(body));
}
