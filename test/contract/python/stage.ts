/** Where the Python cases run: a sandbox of their own, or what the environment aims all contract suites at. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IotDpsClient } from "@azure/arm-deviceprovisioningservices";
import { ProvisioningServiceClient } from "azure-iot-provisioning-service";
import type { EnrollmentGroup } from "azure-iot-provisioning-service/dist/interfaces";
import { Registry } from "azure-iothub";
import type { LoggedRequest } from "../../../sandbox/common/request-log";
import type { EndpointsFile } from "../../../sandbox/endpoints";
import { openPlant } from "../../sandbox/openssl/plant";
import { TestCa } from "../../support/test-ca";
import { aim } from "../aim";
import { openPlace } from "../place";

export interface PythonStage {
  /** Verified at the service; a group admits by it. */
  root: TestCa;
  /** What the clients in Python have to be told. */
  hub: { host: string; connectionString: string };
  service: { deviceHost: string; idScope: string };
  manager: {
    subscription: string;
    endpoint: string;
    /** Undefined: Azure's. */
    authority: string | undefined;
    group: string;
    location: string;
    /** Of the service that is there, and of one more. */
    services: [string, string];
  };
  /** The root of the servers; undefined: one that Python trusts anyway. */
  serverCa: string | undefined;
  /** For the processes: credentials, and `serverCa` for the clients over HTTPS. */
  env: NodeJS.ProcessEnv;
  /** Whether WebSockets can be reached at their port. */
  hasPort443: boolean;
  /** Of the sandbox, when it is this suite's own. */
  requests: LoggedRequest[] | undefined;
  file(name: string, text: string): string;
  enroll(registrationId: string, pem: string): Promise<void>;
  /** The device at the hub; undefined when there is none. */
  identity(deviceId: string): Promise<Record<string, unknown> | undefined>;
  close(): Promise<void>;
}

export function openPythonStage(): Promise<PythonStage> {
  return aim === undefined ? openOwn() : openAimed();
}

async function openOwn(): Promise<PythonStage> {
  const plant = await openPlant({ standardPorts: true });
  const { sandbox, root, hub, service } = plant;
  const { arm, caFile } = sandbox.endpoints();
  const requests: LoggedRequest[] = [];
  sandbox.sandbox.log.on("request", (request) => requests.push(request));
  return {
    ...plant,
    hub: { host: hub.hostName, connectionString: atPort(hub) },
    service: { deviceHost: hostOf(service), idScope: service.idScope },
    manager: {
      subscription: arm.subscriptionId,
      endpoint: arm.endpoint,
      authority: arm.authorityHost,
      group: "plant",
      location: "westeurope",
      services: [service.name, "py-dps"],
    },
    serverCa: caFile,
    env: { ...process.env, ...sandbox.environment({}), REQUESTS_CA_BUNDLE: caFile },
    hasPort443: isStandard(hub, service),
    requests,
    root,
  };
}

async function openAimed(): Promise<PythonStage> {
  const place = await openPlace();
  try {
    const { names, credential, subscriptionId, clientOptions } = place;
    const root = await TestCa.root(place.named("root"));
    const services = new IotDpsClient(credential, subscriptionId, clientOptions);
    await services.dpsCertificate.createOrUpdate(names.resourceGroup, names.service, "root", {
      properties: { certificate: Buffer.from(root.pem), isVerified: true },
    });
    const client = ProvisioningServiceClient.fromConnectionString(place.serviceConnection);
    await client.createOrUpdateEnrollmentGroup({
      enrollmentGroupId: "fleet",
      attestation: { type: "x509", x509: { caReferences: { primary: "root" } } },
    } as EnrollmentGroup);
    const registry = Registry.fromConnectionString(place.hubConnection("iothubowner"));
    const folder = mkdtempSync(join(tmpdir(), "python-"));
    const box = attachedTo(names);
    return {
      root,
      hub: {
        host: place.hub,
        connectionString: box === undefined ? place.hubConnection("iothubowner") : atPort(box.hub),
      },
      service: {
        deviceHost: box === undefined ? place.deviceHostName : hostOf(box.service),
        idScope: place.idScope,
      },
      manager: {
        subscription: subscriptionId,
        endpoint: clientOptions.endpoint,
        authority: box?.authority,
        group: names.resourceGroup,
        location: names.location,
        services: [names.service, place.named("py")],
      },
      serverCa: box?.caFile,
      env: {
        ...process.env,
        ...(box === undefined ? {} : { REQUESTS_CA_BUNDLE: box.caFile }),
      },
      hasPort443: box === undefined || isStandard(box.hub, box.service),
      requests: undefined,
      file(name, text) {
        const path = join(folder, name);
        writeFileSync(path, text, { mode: 0o600 });
        return path;
      },
      async enroll(registrationId, pem) {
        await client.createOrUpdateIndividualEnrollment({
          registrationId,
          attestation: {
            type: "x509",
            x509: { clientCertificates: { primary: { certificate: pem } } },
          },
        } as never);
      },
      async identity(deviceId) {
        try {
          return (await registry.get(deviceId)).responseBody as unknown as Record<string, unknown>;
        } catch (error) {
          if ((error as Error).name === "DeviceNotFoundError") return undefined;
          throw error;
        }
      },
      async close() {
        rmSync(folder, { recursive: true });
        await place.close();
      },
    };
  } catch (error) {
    await place.close();
    throw error;
  }
}

type Hub = EndpointsFile["iotHubs"][number];
type Service = EndpointsFile["provisioningServices"][number];

/** The sandbox that this shell is attached to, if that is what is aimed at. */
function attachedTo(names: { hub: string; service: string }) {
  if (aim?.isSandbox !== true) return undefined;
  const file = process.env["DPS_SANDBOX_ENDPOINTS"]!;
  const endpoints = JSON.parse(readFileSync(file, "utf8")) as EndpointsFile;
  const hub = endpoints.iotHubs.find(({ name }) => name === names.hub);
  const service = endpoints.provisioningServices.find(({ name }) => name === names.service);
  assert.ok(hub !== undefined && service !== undefined);
  return { hub, service, caFile: endpoints.caFile, authority: endpoints.arm.authorityHost };
}

/** azure-iot-device knows no port but 8883. */
function hostOf({ device }: Service): string {
  const [host, port] = device.mqtt.split(":");
  assert.equal(port, "8883", "start the sandbox with --standard-ports: Python knows no other");
  return host!;
}

/** With the port in it: azure-iot-hub takes one. */
function atPort({ endpoint, connectionString }: Hub): string {
  return connectionString.replace(/HostName=[^;]+/, `HostName=${new URL(endpoint).host}`);
}

function isStandard(hub: Hub, service: Service): boolean {
  return [hub.endpoint, service.serviceEndpoint].every((url) => new URL(url).port === "");
}
