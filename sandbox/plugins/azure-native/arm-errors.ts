/** Errors of ARM in the words in which azure-native shows them (client_azcore.go, azure.go). */
import type { Answer } from "./arm-answers";

/** An answer that is an error: `Status=404 Code="ResourceNotFound" Message="..."`. */
export class ArmError extends Error {
  readonly status: number;
  /** Empty when the body has no textual code; the flat errors of Microsoft.Devices have a number. */
  readonly code: string;

  constructor(answer: Answer) {
    const { code, message } = detailsOf(answer);
    const codePart = code === "" ? "" : ` Code="${code}"`;
    super(`Status=${answer.status}${codePart} Message="${message}"`);
    this.name = "ArmError";
    this.status = answer.status;
    this.code = code;
  }

  /** The resource is not there. */
  get notFound(): boolean {
    return this.status === 404;
  }
}

/** No answer at all. */
export class NetworkError extends Error {
  constructor(url: string, cause: Error) {
    super(`no answer from the sandbox at ${new URL(url).origin}: ${cause.message}`, { cause });
    this.name = "NetworkError";
  }
}

function detailsOf(answer: Answer): { code: string; message: string } {
  const body = answer.body as { error?: unknown; code?: unknown } | undefined | null;
  const inner = body?.error as { code?: unknown; message?: unknown } | undefined | null;
  const header = answer.headers["x-ms-error-code"];
  const code = typeof header === "string" ? header : (inner?.code ?? body?.code);
  return {
    code: typeof code === "string" ? code : "",
    message: typeof inner?.message === "string" ? inner.message : answer.text,
  };
}
