import * as deviceprovisioningservices from "@pulumi/azure-native/deviceprovisioningservices";
import * as iothub from "@pulumi/azure-native/iothub";
import * as resources from "@pulumi/azure-native/resources";
import * as authorization from "@pulumi/azure-native/authorization";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { CompromisedKey } from "../certificates/compromised-keys";
import type { Declared } from "../certificates/declared";
import { denialGroupId } from "../certificates/denial-group";
import type { AppliedSlots, StackBefore } from "../certificates/promotion";
import type { Connection } from "../clients/target";
import {
  BreachContainmentResource,
  FleetJudgementResource,
  EnrollmentResource,
  RotationManifestResource,
} from "../dynamic-providers/resources";
import type { IssuedLeavesFile } from "../dynamic-providers/device-registration-removal/scope";
import type { Certificate } from "./certificate";
import { certificateSlot } from "./enrollment-args";
import { isReadOnly } from "./read-only";

export interface LinkedHubArgs {
  /** Name of the hub, unique in Azure. Default: made from the stack's names and a random suffix. */
  name?: string;
  /** Default: S1. */
  sku: string;
  /** Number of units. Default: 1. */
  units: number;
  /** It exists already: looked up in the resource group, not managed. Default: false. */
  adopt: boolean;
}

export interface ProvisioningServiceArgs {
  /** Where the stack works. Changing it replaces everything. */
  target: Connection["target"];
  /** How the data planes are opened. */
  auth: Connection["auth"];
  /** Name of the DPS instance, unique in Azure. Default: made with a random suffix. Changing it replaces the instance. */
  name?: string;
  /** Name of the resource group; made here, unless the service is adopted. */
  resourceGroup: string;
  location: string;
  /** How devices are spread over the linked hubs. */
  allocationPolicy: "Hashed" | "GeoLatency" | "Static";
  /** It exists already: looked up, not managed. */
  adopt: boolean;
  hubs: LinkedHubArgs[];
  /** Everything the stack declares, to be judged as a whole before anything is written. */
  declared: Declared;
  /** PEM of certificates made in the stack, by name. */
  made: Record<string, pulumi.Input<string>>;
  compromised: pulumi.Input<CompromisedKey[]>;
  /** The stack that carries out expiration rolls before this one, and what it gives out as `appliedRolls`. Default: none. */
  promotion?: pulumi.Input<StackBefore>;
  /** CA certificates that disabled groups shut out before anything else is written, by resource name. Default: none. */
  held?: Record<string, Certificate>;
  /** Key of each declared CA certificate (SHA-256 of SubjectPublicKeyInfo), by its name in DPS. */
  caKeys: Record<string, pulumi.Input<string>>;
  /** Keys in the slots of each enrollment, by `group/ID` or `individual/ID`. Default: none. */
  slotKeys?: Record<string, pulumi.Input<string[]>>;
  /** The manifest of issued leaves: evidence of which CA a group's devices came in under. Default: none. */
  issuedLeaves?: IssuedLeavesFile;
}

/** A linked hub, whoever manages it. */
interface Hub {
  connectionString: pulumi.Output<string>;
  location: pulumi.Output<string>;
}

/**
 * A DPS instance with its linked hubs, the judgement of everything declared for it (by itself, and in
 * view of the live service and its devices), and the containment of a breach. Enrollments and CA
 * certificates are written after these (`gate`).
 */
export class ProvisioningService extends pulumi.ComponentResource {
  readonly connection: pulumi.Output<Connection>;
  /** Burnt into devices: what they register with. */
  readonly idScope: pulumi.Output<string>;
  /** Host name for devices and for the service API. */
  readonly hostName: pulumi.Output<string>;
  readonly containment: BreachContainmentResource;
  /** What the slots of each enrollment were told to hold, oldest first. */
  readonly applied: pulumi.Output<AppliedSlots[]>;
  private readonly judgement: FleetJudgementResource;
  private readonly holding: pulumi.Resource[];

  constructor(
    name: string,
    args: ProvisioningServiceArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("dps-certificates:index:ProvisioningService", name, {}, options);
    const inside: pulumi.CustomResourceOptions = { parent: this };
    const kept: pulumi.CustomResourceOptions = { ...inside, protect: args.target === "azure" };

    const { subscriptionId } = authorization.getClientConfigOutput(inside);
    const judged = {
      declared: args.declared,
      made: args.made,
      ...(args.issuedLeaves !== undefined && { issuedLeaves: args.issuedLeaves }),
    };
    const manifest = new RotationManifestResource(
      name,
      {
        ...judged,
        target: args.target,
        service: {
          target: args.target,
          auth: args.auth,
          ...(args.target === "azure" && { subscriptionId }),
          resourceGroup: args.resourceGroup,
          ...(args.name !== undefined && { name: args.name }),
          prefix: namePrefix(),
        },
        ...(args.promotion && { promotion: args.promotion }),
      },
      inside,
    );
    this.applied = manifest.applied;
    const afterManifest = { ...kept, dependsOn: [manifest] };
    const group = args.adopt
      ? undefined
      : new resources.ResourceGroup(
          name,
          { resourceGroupName: args.resourceGroup, location: args.location },
          afterManifest,
        );
    const groupName = group?.name ?? pulumi.output(args.resourceGroup);
    const hubs = args.hubs.map((hub, index) =>
      // By its name, so that a hub stays itself when another one before it is taken away.
      linkHub(`${name}-${hub.name ?? `hub-${index + 1}`}`, hub, args, groupName, afterManifest),
    );
    const service = args.adopt
      ? lookUp(args, inside)
      : create(name, args, groupName, hubs, afterManifest);

    this.idScope = service.idScope;
    this.hostName = service.hostName;
    this.connection = pulumi
      .all([service.name, service.hostName, groupName, subscriptionId])
      .apply(([serviceName, serviceHostName, resourceGroup, subscription]) => ({
        target: args.target,
        auth: args.auth,
        subscriptionId: subscription,
        resourceGroup,
        service: serviceName,
        serviceHostName,
      }));
    this.containment = new BreachContainmentResource(
      name,
      {
        connection: this.connection,
        compromised: args.compromised,
        caKeys: Object.fromEntries(
          Object.entries(args.caKeys).map(([ca, key]) => [
            ca,
            pulumi.output(key).apply((one) => [one]),
          ]),
        ),
        slotKeys: args.slotKeys ?? {},
      },
      { ...inside, dependsOn: [manifest] },
    );
    this.judgement = new FleetJudgementResource(
      name,
      { ...judged, connection: this.connection },
      { ...inside, dependsOn: [manifest] },
    );
    this.holding = Object.entries(args.held ?? {}).map(([resourceName, certificate]) =>
      holdingGroup(resourceName, certificate, this.connection, {
        ...inside,
        dependsOn: [this.containment],
      }),
    );
    this.registerOutputs({ idScope: this.idScope, hostName: this.hostName });
  }

  /** What everything that is written to this DPS waits for: nothing compromised is admitted. */
  get gate(): pulumi.Resource[] {
    return [this.containment, ...this.holding, this.judgement];
  }
}

/** A disabled group that holds a CA certificate: DPS refuses every chain that goes through it. */
function holdingGroup(
  name: string,
  certificate: Certificate,
  connection: pulumi.Output<Connection>,
  options: pulumi.CustomResourceOptions,
): EnrollmentResource {
  return new EnrollmentResource(
    "EnrollmentGroup",
    name,
    {
      connection,
      enrollmentId: certificate.summary.apply(denialGroupId),
      provisioningStatus: "disabled",
      reprovisionPolicy: "migrate",
      compromised: [],
      primary: certificateSlot(certificate),
    },
    options,
  );
}

interface Service {
  name: pulumi.Output<string>;
  idScope: pulumi.Output<string>;
  hostName: pulumi.Output<string>;
}

function create(
  name: string,
  args: ProvisioningServiceArgs,
  resourceGroupName: pulumi.Input<string>,
  hubs: Hub[],
  options: pulumi.CustomResourceOptions,
): Service {
  const service = new deviceprovisioningservices.IotDpsResource(
    name,
    {
      provisioningServiceName: args.name ?? uniqueName(name, options),
      resourceGroupName,
      location: args.location,
      sku: { name: deviceprovisioningservices.IotDpsSku.S1, capacity: 1 },
      properties: {
        allocationPolicy: args.allocationPolicy,
        iotHubs: hubs.map(({ connectionString, location }) => ({ connectionString, location })),
      },
    },
    // What was not read is not a change.
    isReadOnly()
      ? { ...options, ignoreChanges: ["properties.iotHubs[*].connectionString"] }
      : options,
  );
  return {
    name: service.name,
    idScope: service.properties.apply(({ idScope }) => idScope),
    hostName: service.properties.apply(
      ({ serviceOperationsHostName }) => serviceOperationsHostName,
    ),
  };
}

function lookUp(args: ProvisioningServiceArgs, options: pulumi.InvokeOptions): Service {
  const found = deviceprovisioningservices.getIotDpsResourceOutput(
    { provisioningServiceName: args.name ?? "", resourceGroupName: args.resourceGroup },
    options,
  );
  return {
    name: found.name,
    idScope: found.properties.apply(({ idScope }) => idScope),
    hostName: found.properties.apply(({ serviceOperationsHostName }) => serviceOperationsHostName),
  };
}

function linkHub(
  name: string,
  hub: LinkedHubArgs,
  args: ProvisioningServiceArgs,
  resourceGroupName: pulumi.Input<string>,
  options: pulumi.CustomResourceOptions,
): Hub {
  const found = hub.adopt
    ? iothub.getIotHubResourceOutput(
        { resourceName: hub.name ?? "", resourceGroupName },
        { parent: options.parent! },
      )
    : new iothub.IotHubResource(
        name,
        {
          resourceName: hub.name ?? uniqueName(name, options),
          resourceGroupName,
          location: args.location,
          sku: { name: hub.sku, capacity: hub.units },
        },
        options,
      );
  return {
    connectionString: isReadOnly()
      ? pulumi.secret("not read")
      : connectionString(found, resourceGroupName, options),
    location: found.location.apply((location) => location ?? args.location),
  };
}

function connectionString(
  hub: {
    name: pulumi.Input<string>;
    properties: pulumi.Output<{ hostName: string }>;
  },
  resourceGroupName: pulumi.Input<string>,
  options: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const key = iothub.listIotHubResourceKeysForKeyNameOutput(
    { resourceName: hub.name, resourceGroupName, keyName: "iothubowner" },
    { parent: options.parent! },
  );
  return pulumi.secret(
    pulumi.interpolate`HostName=${hub.properties.hostName};SharedAccessKeyName=iothubowner;SharedAccessKey=${key.primaryKey}`,
  );
}

/** A name that nobody else in Azure has: DPS and hub names are shared by all customers. */
function uniqueName(name: string, options: pulumi.CustomResourceOptions): pulumi.Output<string> {
  const suffix = new random.RandomString(
    name,
    { length: 8, special: false, upper: false },
    { parent: options.parent! },
  );
  return pulumi.interpolate`${namePrefix()}${suffix.result}`;
}

/** Of the names that are made up here. */
function namePrefix(): string {
  return `${pulumi.getProject()}-${pulumi.getStack()}-`;
}
