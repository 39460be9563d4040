/** The device API's three operations, the same for HTTPS and MQTT: register, poll, look up. */
import { randomBytes, randomUUID } from "node:crypto";
import { dpsError } from "../common/errors";
import type { Sandbox } from "../common/model";
import { BodyError, object, optional, present, text } from "../dps-service/body-reader";
import { checkId } from "../dps-service/enrollment-body";
import { POLLS, REGISTRATIONS, throttle } from "../dps-service/limits";
import { showRegistration } from "../dps-service/presenter";
import {
  Directory,
  dpsDate,
  newEtag,
  type OperationRecord,
  type Proof,
  type RegistrationRecord,
} from "../dps-service/records";
import {
  badRequest,
  notWritten,
  registrationNotFound,
  registrationUnderWay,
  serviceGone,
  unauthorized,
} from "../dps-service/service-errors";
import { complete } from "./assignment";
import {
  attest,
  checkSameDevice,
  describe,
  describeProof,
  type Admission,
  type DeviceRequest,
} from "./attestation/attest";

/** Seconds that the service asks a device to wait before it polls (seen in traces). */
export const RETRY_AFTER_SECONDS = 3;

/** What a registration leaves in the record at once. */
const RECORDED_AS: Record<
  Admission["leads"],
  Pick<RegistrationRecord, "status" | "errorCode" | "errorMessage">
> = {
  assignment: { status: "assigning" },
  disabled: { status: "disabled" },
  failed: { status: "failed", errorCode: 401002, errorMessage: "Invalid certificate" },
};

/** An answer to a device, before it becomes HTTP or MQTT. */
export interface DeviceAnswer {
  status: 200 | 202;
  body: object;
  operationId: string;
  /** For the request log: who admitted the device, and which leaf. */
  note: string;
}

export class Registrar {
  constructor(
    private readonly sandbox: Sandbox,
    private readonly serviceName: string,
  ) {}

  /** The service's records as they are now. Throws 404 when the service is gone. */
  directory(): Directory {
    const service = this.sandbox.services.get(this.serviceName);
    if (service === undefined) {
      throw serviceGone(this.sandbox.clock.now());
    }
    return new Directory(this.sandbox, service);
  }

  hasScope(idScope: string): boolean {
    const service = this.sandbox.services.get(this.serviceName);
    return service?.idScope.toLowerCase() === idScope.toLowerCase();
  }

  /** Attests the device and starts an operation: 202. Throws `HttpError` when it is refused. */
  register(request: DeviceRequest, body: unknown): DeviceAnswer {
    this.checkBody(request, body);
    const directory = this.scoped(request);
    throttle(this.sandbox, REGISTRATIONS, directory.service.name);
    const admission = attest(this.sandbox, directory, request);
    const now = this.sandbox.clock.now();
    this.checkNoneUnderWay(directory, request.registrationId, now);
    const operation: OperationRecord = {
      operationId: newOperationId(),
      registrationId: request.registrationId,
      proof: admission.proof,
      by: admission.by ?? { kind: "group", id: "" },
      polls: 0,
      dueMs: now.getTime() + RETRY_AFTER_SECONDS * 1000,
      done: admission.leads !== "assignment",
    };
    this.sandbox.atomically(() => {
      directory.putOperation(operation);
      this.mark(directory, request.registrationId, admission.by, RECORDED_AS[admission.leads]);
    });
    return this.assigning(operation, admission.note);
  }

  /** 202 while the operation runs, then 200 with its outcome, however often it is asked. */
  poll(request: DeviceRequest, operationId: string): DeviceAnswer {
    const directory = this.scoped(request);
    this.throttlePolls(request);
    const operation = directory.operation(request.registrationId);
    if (operation === undefined || operation.operationId !== operationId) {
      throw registrationNotFound(this.sandbox.clock.now(), "Operation not found.");
    }
    checkSameDevice(this.sandbox, directory, request, operation);
    const record = this.advance(directory, operation);
    return record === undefined
      ? this.assigning(operation, describe(operation.by, operation.proof))
      : this.final(operation, record);
  }

  /** The registration record of the device that asks. */
  lookUp(request: DeviceRequest): object {
    const directory = this.scoped(request);
    this.throttlePolls(request);
    if (attest(this.sandbox, directory, request).leads === "failed") {
      throw unauthorized(this.sandbox.clock.now());
    }
    const record = this.settled(directory, request.registrationId);
    if (record === undefined) {
      throw registrationNotFound(this.sandbox.clock.now());
    }
    return this.deviceState(record, directory.operation(record.registrationId)?.proof);
  }

  /**
   * The registration record as the service API sees it. An operation whose time has come completes
   * here too: a device that never polls is assigned all the same.
   */
  settled(directory: Directory, registrationId: string): RegistrationRecord | undefined {
    const operation = directory.operation(registrationId);
    const now = this.sandbox.clock.now().getTime();
    return operation !== undefined && !operation.done && now >= operation.dueMs
      ? this.complete(directory, operation)
      : directory.registration(registrationId);
  }

  private checkNoneUnderWay(directory: Directory, registrationId: string, now: Date): void {
    const last = directory.operation(registrationId);
    const isUnderWay = last !== undefined && !last.done && now.getTime() < last.dueMs;
    if (isUnderWay && this.sandbox.switches.concurrentRegistration === "conflict") {
      throw registrationUnderWay(now);
    }
  }

  /** not known: whether the lookup of a registration counts as a poll; assumed. */
  private throttlePolls({ idScope, registrationId }: DeviceRequest): void {
    throttle(this.sandbox, POLLS, `${idScope}/${registrationId}`);
  }

  private scoped(request: DeviceRequest): Directory {
    const directory = this.directory();
    this.checkRegistrationId(request);
    if (directory.service.idScope.toLowerCase() !== request.idScope.toLowerCase()) {
      // not known: status and code for an ID scope that does not exist.
      throw dpsError(404, 404000, "ID scope not found.", this.sandbox.clock.now());
    }
    return directory;
  }

  /** not known: the answer to a registration ID that none can be; assumed 400. */
  private checkRegistrationId({ registrationId }: DeviceRequest): void {
    try {
      checkId(registrationId, "registrationId");
    } catch (error) {
      throw error instanceof BodyError
        ? badRequest(this.sandbox.clock.now(), error.message)
        : error;
    }
  }

  private checkBody({ registrationId }: DeviceRequest, body: unknown): void {
    const now = this.sandbox.clock.now();
    try {
      const sent = object(body, "The body");
      for (const name of ["tpm", "csr"]) {
        if (present(sent, name)) {
          throw notWritten(now, `The sandbox does not have this operation: register with ${name}`);
        }
      }
      const claimed = optional(sent, "registrationId", "", text) ?? registrationId;
      if (claimed.toLowerCase() !== registrationId.toLowerCase()) {
        throw new BodyError("registrationId is not the one of the request.");
      }
    } catch (error) {
      throw error instanceof BodyError ? badRequest(now, error.message) : error;
    }
  }

  /** Gives the record a status; an error of an earlier registration does not stay. */
  private mark(
    directory: Directory,
    registrationId: string,
    by: OperationRecord["by"] | undefined,
    change: Pick<RegistrationRecord, "status" | "errorCode" | "errorMessage">,
  ): void {
    const now = this.sandbox.clock.now();
    const before = directory.registration(registrationId);
    const kept = { ...(before ?? { registrationId, createdDateTimeUtc: dpsDate(now) }) };
    for (const name of ["errorCode", "errorMessage"] as const) {
      delete (kept as Partial<RegistrationRecord>)[name];
    }
    directory.putRegistration({
      ...kept,
      // not known, assumed: a registration that is being assigned is listed with its group already.
      ...(by?.kind === "group" ? { group: by.id } : {}),
      ...change,
      lastUpdatedDateTimeUtc: dpsDate(now),
      etag: newEtag(now),
    });
  }

  private advance(
    directory: Directory,
    operation: OperationRecord,
  ): RegistrationRecord | undefined {
    if (operation.done) {
      return directory.registration(operation.registrationId);
    }
    if (operation.polls < this.sandbox.switches.pollsWhileAssigning) {
      directory.putOperation({ ...operation, polls: operation.polls + 1 });
      return undefined;
    }
    return this.complete(directory, operation);
  }

  /** The hub's record, the operation and the registration are written together. */
  private complete(directory: Directory, operation: OperationRecord): RegistrationRecord {
    return this.sandbox.atomically(() => complete(this.sandbox, directory, operation));
  }

  private assigning({ operationId }: OperationRecord, note: string): DeviceAnswer {
    return { status: 202, body: { operationId, status: "assigning" }, operationId, note };
  }

  private final(operation: OperationRecord, record: RegistrationRecord): DeviceAnswer {
    const { operationId, proof } = operation;
    const { status } = record;
    const body = { operationId, status, registrationState: this.deviceState(record, proof) };
    const outcome = record.assignedHub === undefined ? status : `${status} ${record.assignedHub}`;
    return { status: 200, body, operationId, note: `${outcome}, ${describeProof(proof)}` };
  }

  /** What the device is told of its registration. */
  private deviceState(record: RegistrationRecord, proof: Proof | undefined): object {
    const first = this.sandbox.switches.deviceSubstatus === "initialAssignment";
    return {
      // Seen for certificates; not known for symmetric keys: assumed to be absent.
      ...(proof?.type === "symmetricKey" ? {} : { x509: {} }),
      ...showRegistration(record),
      ...(first && record.substatus !== undefined ? { substatus: "initialAssignment" } : {}),
    };
  }
}

/** As seen in traces: `5.`, sixteen hexadecimal digits, a GUID. */
function newOperationId(): string {
  return `5.${randomBytes(8).toString("hex")}.${randomUUID()}`;
}
