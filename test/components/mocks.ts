/** Pulumi mocks that answer what a test knows, and throw on everything else. */
import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import type * as components from "./modules";

export interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  /** URN of the parent; undefined: the stack. */
  parent: string | undefined;
  /** URNs, without those of components' children. */
  dependsOn: string[];
  protect: boolean;
}

type Modules = typeof components;
type Outputs = (name: string, inputs: Record<string, unknown>) => Record<string, unknown>;

const DPS = "deviceprovisioningservices";
const HOST = "azure-devices-provisioning.net";

/** What the engine would add to the inputs, by type. Components of this project have no outputs. */
const RESOURCES: Record<string, Outputs> = {
  "azure-native:resources:ResourceGroup": (_name, inputs) => ({
    ...inputs,
    name: inputs["resourceGroupName"],
  }),
  "azure-native:iothub:IotHubResource": (_name, inputs) => ({
    ...inputs,
    name: inputs["resourceName"],
    properties: { hostName: `${String(inputs["resourceName"])}.azure-devices.net` },
  }),
  [`azure-native:${DPS}:IotDpsResource`]: (_name, inputs) => ({
    ...inputs,
    name: inputs["provisioningServiceName"],
    properties: {
      idScope: "0ne00000001",
      serviceOperationsHostName: `${String(inputs["provisioningServiceName"])}.${HOST}`,
    },
  }),
  "random:index/randomString:RandomString": (_name, inputs) => ({ ...inputs, result: "abcd1234" }),
  "tls:index/privateKey:PrivateKey": (name, inputs) => ({
    ...inputs,
    privateKeyPem: pulumi.secret(`key of ${name}`),
    privateKeyPemPkcs8: pulumi.secret(`key of ${name}, PKCS#8`),
  }),
  "tls:index/certRequest:CertRequest": (name, inputs) => ({
    ...inputs,
    certRequestPem: `request of ${name}`,
  }),
};

/** Functions that look things up, by token. */
const CALLS: Record<string, (inputs: Record<string, unknown>) => Record<string, unknown>> = {
  "azure-native:authorization:getClientConfig": () => ({ subscriptionId: "sub" }),
  "azure-native:iothub:listIotHubResourceKeysForKeyName": ({ resourceName }) => ({
    primaryKey: `key of ${String(resourceName)}`,
  }),
  "azure-native:iothub:getIotHubResource": ({ resourceName }) => ({
    name: resourceName,
    location: "northeurope",
    properties: { hostName: `${String(resourceName)}.azure-devices.net` },
  }),
  [`azure-native:${DPS}:getIotDpsResource`]: ({ provisioningServiceName }) => ({
    name: provisioningServiceName,
    properties: {
      idScope: "0ne00000002",
      serviceOperationsHostName: `${String(provisioningServiceName)}.${HOST}`,
    },
  }),
};

const LIVE = {
  etag: "1",
  provisioningStatus: "enabled",
  lastUpdated: "2026-11-24T10:00:00Z",
};
/** Outputs of the dynamic resources that the program uses. */
const DYNAMIC: Record<string, Record<string, unknown>> = {
  RotationManifest: { rolls: [] },
  FleetJudgement: {},
  BreachContainment: { contained: {} },
  CompromisedCaDeletion: { deleted: [] },
  CaCertificate: { live: { isVerified: true }, pending: { code: "C0DE", etag: "1" } },
  EnrollmentGroup: { live: LIVE, writes: {}, roll: "none" },
  IndividualEnrollment: { live: LIVE, writes: {}, roll: "none" },
  DeviceReprovisioning: { left: 0 },
  DeviceTwinJournal: {
    devices: [{ deviceId: "device-1" }],
    waiting: [{ deviceId: "device-2" }],
    held: "",
  },
  DeviceRegistrationRemoval: { removed: ["device-1"], restored: [], pending: [], left: [] },
};
const DYNAMIC_TYPE = /^pulumi-nodejs:dynamic\/dps:(\w+)$/;
const OWN_TYPE = /^dps-certificates:index:/;

/** A registration as it goes to the engine: mocks are told neither parent nor dependencies. */
interface Request {
  getParent(): string;
  getDependenciesList(): string[];
  getProtect(): boolean;
}

/** The request whose mock is called next; it is called before anything else happens. */
let request: Request | undefined;
type Register = MockMonitor["registerResource"];
const register = Object.getOwnPropertyDescriptor(MockMonitor.prototype, "registerResource")!
  .value as Register;
MockMonitor.prototype.registerResource = function (this: MockMonitor, incoming, answer) {
  request = incoming as Request;
  return register.call(this, incoming, answer);
};

export class Mocks {
  readonly registered: Registered[] = [];
  readonly calls: string[] = [];

  private constructor(
    readonly modules: Modules,
    private readonly certificatePem: string,
  ) {}

  /** @param certificatePem what TLS resources make */
  static async set(certificatePem: string): Promise<Mocks> {
    const inner: { mocks?: Mocks } = {};
    await pulumi.runtime.setMocks(
      {
        newResource: (args) => inner.mocks!.resource(args),
        call: (args) => inner.mocks!.call(args),
      },
      "fleet",
      "test",
      false,
    );
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- only once the mocks are set
    inner.mocks = new Mocks(require("./modules") as Modules, certificatePem);
    return inner.mocks;
  }

  /** Waits for these resources and everything below them, and for what is registered meanwhile. */
  async settled(...resources: pulumi.Resource[]): Promise<void> {
    await Promise.all(resources.map(({ urn }) => valueOf(urn)));
    await pulumi.runtime.disconnect();
  }

  /** `type name` of everything registered, without this project's own components. */
  get names(): string[] {
    return this.registered
      .filter(({ type }) => !OWN_TYPE.test(type))
      .map(({ type, name }) => `${type.replace(/^.*[:/]/, "")} ${name}`)
      .sort();
  }

  /** The one resource of this type (its last part) and name. */
  one(type: string, name: string): Registered {
    const found = this.registered.filter(
      (each) => !OWN_TYPE.test(each.type) && each.type.endsWith(`:${type}`) && each.name === name,
    );
    if (found.length !== 1)
      throw new Error(`${found.length} of ${type} ${name}: ${this.names.join()}`);
    return found[0]!;
  }

  /** Last parts of the types and names that this one waits for. */
  waitsFor(type: string, name: string): string[] {
    return this.one(type, name)
      .dependsOn.map((urn) => urn.replace(/^.*[:$/](\w+)::(.*)$/, "$1 $2"))
      .sort();
  }

  private resource(args: pulumi.runtime.MockResourceArgs): pulumi.runtime.MockResourceResult {
    const { type, name } = args;
    this.registered.push({
      type,
      name,
      inputs: args.inputs as Record<string, unknown>,
      parent: request?.getParent() || undefined,
      dependsOn: request?.getDependenciesList() ?? [],
      protect: request?.getProtect() ?? false,
    });
    return { id: `${name}-id`, state: this.stateOf(type, name, args.inputs as never) };
  }

  private stateOf(
    type: string,
    name: string,
    inputs: Record<string, unknown>,
  ): Record<string, unknown> {
    const dynamic = DYNAMIC[DYNAMIC_TYPE.exec(type)?.[1] ?? ""];
    if (dynamic !== undefined) return { ...inputs, ...dynamic };
    if (OWN_TYPE.test(type)) return inputs;
    if (/^tls:.*(SelfSignedCert|LocallySignedCert)$/.test(type)) {
      return { ...inputs, certPem: this.certificatePem };
    }
    const outputs = RESOURCES[type];
    if (outputs === undefined) throw new Error(`Nobody expected a resource of type ${type}.`);
    return outputs(name, inputs);
  }

  private call(args: pulumi.runtime.MockCallArgs): Record<string, unknown> {
    this.calls.push(args.token);
    const answer = CALLS[args.token];
    if (answer === undefined) throw new Error(`Nobody expected a call of ${args.token}.`);
    return answer(args.inputs as Record<string, unknown>);
  }
}

/** What an output becomes. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply((value) => resolve(value)));
}

/** How the engine marks a secret value on the wire (`pulumi.runtime.specialSigKey`). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** The input with secrets in clear, or with `[secret]` in their place. */
export function shown(input: unknown, secrets: "in clear" | "hidden"): unknown {
  if (typeof input !== "object" || input === null) {
    return input;
  }
  if (Array.isArray(input)) {
    return input.map((each) => shown(each, secrets));
  }
  const record = input as Record<string, unknown>;
  if (record[SIGNATURE] === SECRET) {
    return secrets === "hidden" ? "[secret]" : shown(record["value"], secrets);
  }
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, shown(value, secrets)]),
  );
}
