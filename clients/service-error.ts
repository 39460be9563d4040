/** One table that turns whatever the Azure SDKs throw into a coded error that says what to do. */
import { faultError } from "../certificates/faults";
import { examine, type Findings, withoutSecrets } from "./sdk-error";
import type { Connection } from "./target";

export type ServiceErrorCode =
  | "BadRequest"
  | "Unauthorized"
  | "NotFound"
  | "Conflict"
  | "PreconditionFailed"
  | "QuotaExceeded"
  | "Throttled"
  | "NotImplemented"
  | "Unavailable"
  | "UnknownHost"
  | "UntrustedServer"
  | "Unexpected";

export type ServiceKind = "dps" | "hub" | "hubMethods" | "arm";

/** What was attempted, and against what. */
export interface Attempt {
  /** In words that follow "Could not", e.g. `write enrollment group "plant-7"`. */
  operation: string;
  service: ServiceKind;
  host: string;
  connection: Pick<Connection, "target" | "auth" | "resourceGroup" | "service">;
}

export interface ServiceErrorDetails {
  code: ServiceErrorCode;
  operation: string;
  /** HTTP status; undefined when there was no answer. */
  status: number | undefined;
  /** The service's own error code, e.g. "404201" or "DeviceNotFound"; undefined when it gave none. */
  serviceCode: string | undefined;
  /** How long the service asked to wait, milliseconds. */
  retryAfterMs?: number | undefined;
}

/** For an answer that is none: of another form than the documentation and Microsoft's client say. */
export function unusable(operation: string, who: string, found: string): Error {
  return faultError(
    "DPS-CERT-182",
    who,
    `${found}, in the answer to: ${operation}`,
    "run the same again; if it stays so, see what answers in its place (a proxy, another version)",
  );
}

/**
 * A call to Azure that failed. The message says what was attempted and what to do. It holds no key,
 * token or PEM, and there is no `cause`: the SDKs' errors carry the request with its credentials.
 */
export class ServiceError extends Error {
  readonly code: ServiceErrorCode;
  readonly operation: string;
  readonly status: number | undefined;
  readonly serviceCode: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: ServiceErrorDetails) {
    super(message);
    this.name = "ServiceError";
    this.code = details.code;
    this.operation = details.operation;
    this.status = details.status;
    this.serviceCode = details.serviceCode;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** Is the error a `ServiceError` with this code? */
export function isServiceError(error: unknown, code: ServiceErrorCode): error is ServiceError {
  return error instanceof ServiceError && error.code === code;
}

const NETWORK_CODES = new Set(
  "ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH EAI_AGAIN ESOCKETTIMEDOUT NO_ANSWER".split(
    " ",
  ),
);

/** Translates an error of any SDK. A `ServiceError` stays as it is. */
export function toServiceError(error: unknown, attempt: Attempt): ServiceError {
  if (error instanceof ServiceError) {
    return error;
  }
  const findings = examine(error);
  const code = codeOf(findings);
  const advice = adviceFor(code, attempt, findings);
  const message = `Could not ${attempt.operation}: ${saidBy(findings, attempt)}. ${advice}`.trim();
  return new ServiceError(withoutSecrets(message), {
    code,
    operation: attempt.operation,
    status: findings.status,
    serviceCode: findings.serviceCode,
    retryAfterMs: findings.retryAfterMs,
  });
}

function codeOf({ status, serviceCode, networkCode, isCredential }: Findings): ServiceErrorCode {
  if (isCredential) {
    return "Unauthorized";
  }
  if (status === undefined) {
    if (networkCode === undefined) return "Unexpected";
    if (networkCode === "ENOTFOUND") return "UnknownHost";
    return NETWORK_CODES.has(networkCode) ? "Unavailable" : "UntrustedServer";
  }
  if (status === 403 && /^40300[2-9]$|quota|TooMany/i.test(serviceCode ?? "")) {
    return "QuotaExceeded";
  }
  const exact: Record<number, ServiceErrorCode> = {
    401: "Unauthorized",
    403: "Unauthorized",
    404: "NotFound",
    408: "Unavailable",
    409: "Conflict",
    412: "PreconditionFailed",
    429: "Throttled",
    501: "NotImplemented",
  };
  return (
    exact[status] ?? (status >= 500 ? "Unavailable" : status >= 400 ? "BadRequest" : "Unexpected")
  );
}

/** The smallest built-in role that allows everything this project does with the service. */
const ROLES: Record<ServiceKind, string> = {
  dps: '"Device Provisioning Service Data Contributor" on the DPS instance',
  hub: '"IoT Hub Registry Contributor" and "IoT Hub Twin Contributor" on the hub',
  hubMethods: '"IoT Hub Data Contributor" on the hub',
  arm: '"Contributor" on the resource group',
};
const RIGHTS: Record<ServiceKind, string> = {
  dps: "an access policy with ServiceConfig and EnrollmentWrite",
  hub: "an access policy with RegistryWrite and ServiceConnect",
  hubMethods: "an access policy with RegistryWrite and ServiceConnect",
  arm: "a role that may list keys",
};

function adviceFor(code: ServiceErrorCode, attempt: Attempt, { isCredential }: Findings): string {
  const { service, host, connection } = attempt;
  const sandbox = connection.target === "sandbox";
  switch (code) {
    case "Unauthorized":
      if (isCredential) {
        return sandbox
          ? "The sandbox may have been started anew since this shell was attached: attach it again."
          : "Sign in with `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and a credential.";
      }
      return connection.auth === "keys" && service !== "arm"
        ? `This needs ${RIGHTS[service]}; a key that was renewed just now takes a moment.`
        : `Assign the role ${ROLES[service]} to the identity that runs this; creating a service grants no role on its data, and a new assignment takes some minutes.`;
    case "NotFound":
      return service === "arm"
        ? `Check the subscription, the resource group "${connection.resourceGroup}" and the service "${connection.service}".`
        : "It may have been removed in the meantime.";
    case "Conflict":
      return "It exists already, or something else is being done to it: read it again.";
    case "PreconditionFailed":
      return "It was changed since it was read, so nothing was written: read it again.";
    case "QuotaExceeded":
      return "The service is at a limit of its tier: remove what is not needed any more, or ask for more.";
    case "Throttled":
      return "The service is still throttling after several attempts; run the same again later.";
    case "NotImplemented":
      return sandbox ? "The sandbox does not have this operation yet." : "";
    case "Unavailable":
      return sandbox
        ? "Is the sandbox still running?"
        : "The service or the network is not available; running the same again later is safe.";
    case "UnknownHost":
      return sandbox
        ? `${host} is only known where the sandbox is attached: run \`eval "$(npm run -s sandbox -- env)"\`.`
        : `Does ${host} exist, and can its name be resolved from here?`;
    case "UntrustedServer":
      return sandbox
        ? "The sandbox's TLS root is not trusted here: attach the sandbox again (NODE_EXTRA_CA_CERTS)."
        : "The connection is not trusted: is a proxy with its own CA in between (NODE_EXTRA_CA_CERTS)?";
    case "BadRequest":
    case "Unexpected":
      return "";
  }
}

function saidBy(findings: Findings, { host }: Attempt): string {
  const { status, serviceCode, text, trackingId, networkCode, isCredential } = findings;
  const words = text === undefined || text === "" ? "" : `"${shortened(text)}"`;
  if (isCredential) {
    return `no access token could be got: ${words || "no reason given"}`;
  }
  if (status === undefined) {
    return `${host} did not answer (${[networkCode, words].filter(Boolean).join(", ")})`;
  }
  const inner = [serviceCode, words, trackingId && `tracking ID ${trackingId}`].filter(Boolean);
  return `${host} answered ${status}${inner.length > 0 ? ` (${inner.join(", ")})` : ""}`;
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ").replace(/[.\s]+$/, "");
  return line.length > 500 ? `${line.slice(0, 500)}...` : line;
}
