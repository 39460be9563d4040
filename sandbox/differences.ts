/**
 * Where the sandbox is knowingly not as Azure is. `docs/reference/sandbox-differences.md` is written
 * from it, and each has a test that shows what the sandbox does.
 */

export interface Difference {
  area: "all" | "ARM" | "DPS" | "IoT Hub";
  azure: string;
  sandbox: string;
}

export const DIFFERENCES = {
  notWritten: {
    area: "all",
    azure: "Has far more operations.",
    sandbox: "501, which names the operation; never a plausible 200.",
  },
  clock: {
    area: "all",
    azure: "One time.",
    sandbox:
      "Certificates of devices and CAs, and all dates in records, follow a clock that can be moved, which the header Date tells. Tokens and the servers' certificates follow the machine's, because the SDKs sign by that one.",
  },
  roles: {
    area: "all",
    azure: "Role assignments decide what a token may do.",
    sandbox:
      "A token of the sandbox may do everything. Shared access policies are judged by their rights.",
  },
  apiVersions: {
    area: "all",
    azure: "Each api-version has its own shape.",
    sandbox:
      "Any well-formed api-version is served in the same way, but for the body of CA certificates before 2022-02-05.",
  },
  hostNames: {
    area: "all",
    azure: "Public names on ports 443 and 8883.",
    sandbox:
      "Names below sandbox.test, which a preload leads to free ports of loopback, or an address for each service with `--standard-ports`.",
  },
  serverCertificates: {
    area: "all",
    azure: "Certificates of public authorities; TLS sessions may be resumed.",
    sandbox:
      "Certificates of its own root (`caFile`). Nothing is resumed: a resumed session has lost the presented intermediates.",
  },
  oneSubscription: {
    area: "ARM",
    azure: "Many subscriptions and tenants.",
    sandbox: "One subscription, one tenant, one client with a secret.",
  },
  names: {
    area: "ARM",
    azure: "Names of services are unique in the world.",
    sandbox: "They are unique in the sandbox.",
  },
  operationsAreDone: {
    area: "ARM",
    azure: "A hub takes minutes to be made.",
    sandbox: "Long-running operations are done at their first poll.",
  },
  keptNotActedOn: {
    area: "ARM",
    azure: "IP filters, network access, routing and the other properties of a service work.",
    sandbox: "They are kept and shown, and nothing acts on them.",
  },
  deviceEndpoint: {
    area: "DPS",
    azure: "Devices come to global.azure-devices-provisioning.net, and to the instance's own host.",
    sandbox: "They come to the instance's own host, which `deviceProvisioningHostName` names.",
  },
  assignsAtOnce: {
    area: "DPS",
    azure: "Assigning takes a second or a few.",
    sandbox:
      "It is done at the first poll (`pollsWhileAssigning`), or when Retry-After has passed.",
  },
  geoLatency: {
    area: "DPS",
    azure: "geoLatency assigns to the hub that answers the device fastest.",
    sandbox: "To the first name in the alphabet.",
  },
  customAllocation: {
    area: "DPS",
    azure: "A function of the customer's chooses the hub.",
    sandbox: "The registration fails and says so.",
  },
  tpm: {
    area: "DPS",
    azure: "Attests devices by their TPM.",
    sandbox: "501.",
  },
  nameConstraints: {
    area: "DPS",
    azure: "Not known whether it evaluates name constraints.",
    sandbox: "Does not; critical ones are refused (`criticalNameConstraints`).",
  },
  instanceCounts: {
    area: "DPS",
    azure: "10 instances a subscription, 1,000,000 registrations and enrollments an instance.",
    sandbox:
      "No bound on these. Those of groups, CA certificates, linked hubs and bulk calls hold.",
  },
  telemetry: {
    area: "IoT Hub",
    azure: "Messages go to event endpoints and routes, and count against a daily quota.",
    sandbox: "They are counted, the last ones kept, and go nowhere; there is no quota.",
  },
  queryLanguage: {
    area: "IoT Hub",
    azure: "The whole query language.",
    sandbox: "What fleets use of it; the rest is refused by name.",
  },
} as const satisfies Record<string, Difference>;

/** An assumption as the source says it, and where. */
export interface Assumption {
  /** Below sandbox/. */
  file: string;
  text: string;
}

const AREAS: Record<Difference["area"], string> = {
  all: "Everywhere",
  ARM: "Azure Resource Manager",
  DPS: "Device Provisioning Service",
  "IoT Hub": "IoT Hub",
};

export function differencesPage(
  switches: readonly (readonly [name: string, meaning: string])[],
  assumptions: readonly Assumption[],
): string {
  const differences = Object.entries(AREAS).map(([area, title]) =>
    [
      `### ${title}`,
      "",
      ...Object.values<Difference>(DIFFERENCES)
        .filter((one) => one.area === area)
        .map(({ azure, sandbox }) => `- Azure: ${azure}\n  The sandbox: ${sandbox}`),
      "",
    ].join("\n"),
  );
  const files = [...new Set(assumptions.map(({ file }) => file))];
  return [
    "# How the sandbox differs from Azure, and what is not known\n",
    "What it has is in the [list of operations](sandbox-operations.md).\n",
    "## Known differences\n",
    ...differences,
    "## Not known, with a switch\n",
    "Each can be [set](sandbox-switches.md).\n",
    switches.map(([name, meaning]) => `- \`${name}\`: ${meaning}`).join("\n") + "\n",
    "## Not known, and assumed\n",
    "What the source says beside each assumption, in its place. Whoever has seen Azure's answer changes it there.\n",
    ...files.map((file) =>
      [
        `\`sandbox/${file}\`:\n`,
        ...assumptions.filter((one) => one.file === file).map(({ text }) => `- ${text}`),
        "",
      ].join("\n"),
    ),
  ].join("\n");
}
