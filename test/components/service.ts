import { declared } from "../certificates/fixtures";
import type { Mocks } from "./mocks";

type Args = ConstructorParameters<Mocks["modules"]["ProvisioningService"]>[1];

/** A service as the stack declares one, with whatever a test has otherwise. */
export function serviceArgs(args: Partial<Args> = {}): Args {
  return {
    target: "sandbox",
    auth: "entra",
    name: "dps-a",
    resourceGroup: "group-a",
    location: "westeurope",
    allocationPolicy: "Hashed",
    adopt: false,
    hubs: [],
    declared: declared({}),
    made: {},
    compromised: [],
    caKeys: {},
    ...args,
  };
}
