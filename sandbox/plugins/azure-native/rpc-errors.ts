/** Errors as the engine reads them: the text, and the state of a resource that is only half made. */
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { PartialError } from "./resources";
import { encode } from "./values";

/** The gRPC error of something thrown. A `PartialError` carries the state for the engine to keep. */
export function rpcErrorOf(thrown: unknown): Partial<ServiceError> {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const metadata = new Metadata();
  if (error instanceof PartialError) {
    metadata.add("grpc-status-details-bin", Buffer.from(statusOf(error).serializeBinary()));
  }
  return { code: status.UNKNOWN, details: error.message, message: error.message, metadata };
}

function statusOf(error: PartialError): Status {
  const failed = new ErrorResourceInitFailed();
  failed.setId(error.id);
  failed.setProperties(encode(error.outputs));
  failed.setInputs(encode(error.inputs));
  failed.setReasonsList([error.message]);
  const details = new Any();
  details.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const result = new Status();
  result.setCode(status.UNKNOWN);
  result.setMessage(error.message);
  result.addDetails(details);
  return result;
}
