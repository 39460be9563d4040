/** Registration with the Device Provisioning Service, over MQTT, with an X.509 certificate. */
import { ProvisioningDeviceClient } from "azure-iot-provisioning-device";
import { Mqtt } from "azure-iot-provisioning-device-mqtt";
import { X509Security } from "azure-iot-security-x509";
import type { CertificatePair } from "./certificate-files";
import { DeviceError, provisioningFailure } from "./failure";

/** Which hub a device belongs to, and the certificate that the hub now knows it by. */
export interface Assignment {
  /** Host name. */
  hub: string;
  deviceId: string;
  pair: CertificatePair;
}

export interface ProvisioningOptions {
  registrationId: string;
  /** Host name, e.g. `global.azure-devices-provisioning.net`; a port may follow. */
  provisioningHost: string;
  idScope: string;
}

/**
 * Registers, and waits until DPS has assigned a hub. Each success makes this certificate the one
 * that the hub accepts. Throws `DeviceError`, also when `signal` aborts.
 */
export async function register(
  { registrationId, provisioningHost, idScope }: ProvisioningOptions,
  pair: CertificatePair,
  signal: AbortSignal,
): Promise<Assignment> {
  const security = new X509Security(registrationId, { cert: pair.chain, key: pair.key });
  const client = ProvisioningDeviceClient.create(provisioningHost, idScope, new Mqtt(), security);
  const cancel = (): void => void client.cancel();
  signal.addEventListener("abort", cancel);
  try {
    const { assignedHub, deviceId } = (await client.register()) as {
      assignedHub: string;
      deviceId: string;
    };
    return { hub: assignedHub, deviceId, pair };
  } catch (error) {
    throw new DeviceError(provisioningFailure(error));
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
