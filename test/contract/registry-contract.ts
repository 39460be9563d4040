import { Registry } from "azure-iothub";
import { Contract, operationsOf } from "./answers";

/** The files with its cases add to it. */
export const registryContract = new Contract<Registry & typeof Registry>("azure-iothub Registry", [
  ...operationsOf(Registry),
  "fromConnectionString",
  "fromSharedAccessSignature",
  "fromTokenCredential",
]);
