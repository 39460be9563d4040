/** DPS instances as ARM resources. Recorded answers: Azure CLI's test_dps_lifecycle, 2021-10-15. */
import { randomBytes } from "node:crypto";
import { devicesError } from "../common/errors";
import type { ProvisioningServiceRecord } from "../common/model";
import { newPolicy } from "./access-policies";
import type { ArmContext } from "./context";
import { maskedHub, mergeLinkedHubs } from "./linked-hubs";
import { CODE_BAD_REQUEST } from "./not-known";
import type { ServiceLife } from "./service-life";
import { resourceId } from "./services";

const KIND = "provisioning-service";
const ALLOCATION_POLICIES = ["Hashed", "GeoLatency", "Static"] as const;

export function provisioningServices(context: ArmContext): ServiceLife<ProvisioningServiceRecord> {
  const { sandbox } = context;
  return {
    kind: KIND,
    collection: sandbox.services,
    nameRule: /^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$/i,
    nameCheck: "checkProvisioningServiceNameAvailability",
    keys: "keys",
    // not known: how many units a DPS instance may have; assumed as for a hub.
    tiers: { S1: { tier: "Standard", most: 200 } },
    rights: [
      "ServiceConfig",
      "EnrollmentRead",
      "EnrollmentWrite",
      "DeviceConnect",
      "RegistrationStatusRead",
      "RegistrationStatusWrite",
    ],
    policies: () => [
      newPolicy("provisioningserviceowner", "ServiceConfig, DeviceConnect, EnrollmentWrite"),
    ],
    computed: [
      "iotHubs",
      "allocationPolicy",
      "authorizationPolicies",
      "state",
      "provisioningState",
      "idScope",
      "serviceOperationsHostName",
      "deviceProvisioningHostName",
    ],
    // Source: azure-rest-api-specs, example DPSGetValidSku.
    skus: [{ name: "S1" }],
    operationPath: (record, operation) =>
      `${resourceId(context, KIND, record)}/operationResults/${operation}`,
    record: (common, sent, existing) => ({
      ...common,
      idScope: existing?.idScope ?? `0ne${randomBytes(4).toString("hex").toUpperCase()}`,
      serviceHostName: existing?.serviceHostName ?? context.fronts.hostName(KIND, common.name),
      allocationPolicy: allocationPolicy(sent["allocationPolicy"], sandbox.clock.now()),
      linkedHubs: mergeLinkedHubs(sent["iotHubs"], existing?.linkedHubs ?? [], sandbox),
    }),
    // `deviceProvisioningHostName` is the instance's own host, which Azure's instances answer on as
    // well; the sandbox has no global device endpoint.
    shown: (record, creating) => ({
      properties: {
        ...record.otherProperties,
        iotHubs: record.linkedHubs.map(maskedHub),
        allocationPolicy: record.allocationPolicy,
        serviceOperationsHostName: creating ? null : record.serviceHostName,
        deviceProvisioningHostName: creating ? null : record.serviceHostName,
        idScope: creating ? null : record.idScope,
      },
    }),
  };
}

function allocationPolicy(sent: unknown, now: Date): ProvisioningServiceRecord["allocationPolicy"] {
  if (sent === undefined || sent === null) {
    return "Hashed";
  }
  const policy = ALLOCATION_POLICIES.find(
    (known) => typeof sent === "string" && known.toLowerCase() === sent.toLowerCase(),
  );
  if (policy === undefined) {
    const text = `allocationPolicy must be one of ${ALLOCATION_POLICIES.join(", ")}.`;
    throw devicesError(400, CODE_BAD_REQUEST, text, now);
  }
  return policy;
}
