/** Reads what the Azure SDKs throw: three shapes of errors, three shapes of bodies. */

/** What an SDK's error says, whichever SDK it is from. */
export interface Findings {
  status: number | undefined;
  serviceCode: string | undefined;
  text: string | undefined;
  trackingId: string | undefined;
  retryAfterMs: number | undefined;
  /** Node's or OpenSSL's code of a fault below HTTP, e.g. "ECONNREFUSED". */
  networkCode: string | undefined;
  isCredential: boolean;
}

/** As much of the SDKs' error shapes as is read here. */
interface AnyError {
  name?: string;
  message?: string;
  code?: unknown;
  statusCode?: number;
  /** azure-iot-*: body of the answer. */
  responseBody?: unknown;
  response?: {
    statusCode?: number;
    status?: number;
    /** @azure/*: body of the answer. */
    bodyAsText?: string | null;
    headers?: Record<string, unknown> | { get(name: string): string | undefined };
  };
  cause?: unknown;
  errors?: unknown[];
}

/** Reads an error of any of the Azure SDKs, or whatever else was thrown. */
export function examine(error: unknown): Findings {
  const thrown = (typeof error === "object" && error !== null ? error : {}) as AnyError;
  const status = thrown.response?.statusCode ?? thrown.response?.status ?? thrown.statusCode;
  const isCredential = /^(Credential|Authentication|AggregateAuthentication)/.test(
    thrown.name ?? "",
  );
  const body = readBody(thrown.responseBody ?? thrown.response?.bodyAsText);
  return {
    status,
    serviceCode: body.code,
    text: body.text ?? thrown.message ?? String(error),
    trackingId: body.trackingId,
    retryAfterMs: retryAfter(thrown, body.text),
    networkCode: networkCode(thrown),
    isCredential,
  };
}

interface ReadBody {
  code?: string | undefined;
  text?: string | undefined;
  trackingId?: string | undefined;
}

/**
 * The services' three forms: DPS `{errorCode, message, trackingId}`; IoT Hub
 * `{Message: "ErrorCode:DeviceNotFound;text"}`, or of direct methods JSON in `Message`; resource manager `{code, message}`, also within
 * `error`.
 */
function readBody(body: unknown): ReadBody {
  if (typeof body !== "string" || body === "") {
    return {};
  }
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { text: body };
  }
  const outer = (json ?? {}) as Record<string, unknown>;
  const inner = (outer["error"] ?? outer) as Record<string, unknown>;
  const nested = asText(inner["Message"]);
  if (nested?.startsWith("{")) {
    return readBody(nested);
  }
  const hub = /^ErrorCode:([^;]+);?(.*)$/s.exec(nested ?? "");
  if (hub) {
    return { code: hub[1], text: hub[2] };
  }
  return {
    code: asText(inner["errorCode"] ?? inner["code"]),
    text: asText(inner["message"] ?? inner["Message"]),
    trackingId: asText(inner["trackingId"]),
  };
}

function asText(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

/** From `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), or from IoT Hub's "Wait 10 seconds". */
function retryAfter({ response }: AnyError, text: string | undefined): number | undefined {
  const headers = response?.headers;
  const value =
    typeof headers?.get === "function"
      ? (headers as { get(name: string): string | undefined }).get("retry-after")
      : asText((headers as Record<string, unknown> | undefined)?.["retry-after"]);
  if (value !== undefined && /^\d+$/.test(value.trim())) {
    return Number(value) * 1000;
  }
  const date = Date.parse(value ?? "");
  if (!Number.isNaN(date)) {
    return Math.max(0, date - Date.now());
  }
  const words = /wait (\d+) seconds/i.exec(text ?? "");
  return words ? Number(words[1]) * 1000 : undefined;
}

/** Looks through wrapped errors and, as a host can have several addresses, aggregated ones. */
function networkCode(error: AnyError, depth = 0): string | undefined {
  if (
    typeof error.code === "string" &&
    /^(E[A-Z_]{3,}|[A-Z_]*(CERT|SIGNATURE|NO_ANSWER)[A-Z_]*)$/.test(error.code)
  ) {
    return error.code;
  }
  const inner = [error.cause, ...(error.errors ?? [])].filter(
    (one) => typeof one === "object" && one !== null,
  );
  if (depth < 4) {
    for (const one of inner) {
      const found = networkCode(one, depth + 1);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The text without PEM blocks, keys, signatures and tokens. Thumbprints stay. */
export function withoutSecrets(text: string): string {
  return text
    .replace(/-----BEGIN [^-]+-----[\s\S]*?(-----END [^-]+-----|$)/g, "[PEM]")
    .replace(/(SharedAccessKey|sig|client_secret|password)=[^\s;&"]+/gi, "$1=[hidden]")
    .replace(/Bearer\s+[\w.~+/=-]+/gi, "Bearer [hidden]")
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, "[token]")
    .replace(/"(primaryKey|secondaryKey|certificate)"\s*:\s*"[^"]*"/gi, '"$1":"[hidden]"')
    .replace(/\b(?![0-9A-Fa-f]+\b)[A-Za-z0-9+/]{43,}={0,2}/g, "[hidden]");
}
