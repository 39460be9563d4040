/**
 * Contract cases: what Microsoft's clients, unmodified, are answered. Each names the operation of the
 * client that it looks at, and who knows that the answer is Azure's.
 */
import assert from "node:assert/strict";
import { aim, pause } from "./aim";

export const ASSUMED = "not known, assumed";

/** Who knows. Titles show it, and `sourceFault` refuses what names nobody. */
export type Source =
  | typeof ASSUMED
  | `learn.microsoft.com/${string}`
  /** Traffic that was recorded live: the repository and the test. */
  | `recorded: ${string}`
  /** A test that Microsoft runs against Azure. */
  | `live test: ${string}`
  /** An issue, as repository#number. */
  | `${string}#${number}`
  | `azure-rest-api-specs: ${string}`
  /** What the client itself sends, takes or makes of an answer. */
  | `client: ${string}`;

const SOURCES =
  /^(learn\.microsoft\.com\/\S+|recorded: .{8,}|live test: .{8,}|[\w./-]+#\d+|azure-rest-api-specs: .{8,}|client: .{8,})$/;

/** What is wrong with a source; undefined: nothing. */
export function sourceFault(source: string): string | undefined {
  return source === ASSUMED || SOURCES.test(source)
    ? undefined
    : `"${source}" does not say where the answer comes from`;
}

/** A client's class, by the names of its operations. */
type Operation<T> = Extract<keyof T, string>;

export interface ContractCase {
  operation: string;
  what: string;
  source: string;
}

/** All that have been declared by the files that are loaded. */
export const contracts: Contract<object>[] = [];

export class Contract<T extends object> {
  readonly cases: ContractCase[] = [];
  /** Operations that the sandbox answers 501, or that ask no service: why. */
  readonly without = new Map<string, string>();

  /**
   * @param name as the reader of a failure knows it: package and class
   * @param operations every operation that the client has
   */
  constructor(
    readonly name: string,
    readonly operations: readonly string[],
  ) {
    contracts.push(this);
  }

  /** A case. A list: the case needs all of them. */
  answers(
    operation: Operation<T> | readonly Operation<T>[],
    what: string,
    source: Source,
    run: () => Promise<void>,
  ): void {
    for (const one of [operation].flat()) this.cases.push({ operation: one, what, source });
    it(`${[operation].flat().join(", ")}: ${what} [${source}]`, run);
  }

  /** An operation that the sandbox does not have: it has to answer 501. */
  notThere(operation: Operation<T>, call: () => Promise<unknown>): void {
    this.without.set(operation, "501");
    // Azure has it, and would do it.
    const title = aim === undefined ? "501" : "501 (left out when aimed: the sandbox's own answer)";
    it(`${operation}: ${title}`, async function () {
      if (aim !== undefined) return this.skip();
      const error = await call().then(
        () => assert.fail("it was answered"),
        (reason: unknown) => reason,
      );
      assert.equal(statusOf(error), 501);
    });
  }

  /** Operations that ask nothing of a service, or not over a protocol that the sandbox has. */
  noCall(why: string, ...operations: Operation<T>[]): void {
    for (const operation of operations) this.without.set(operation, why);
  }
}

/** The HTTP status of what a client of Microsoft's threw. */
export function statusOf(error: unknown): number | undefined {
  const { statusCode, response } = error as {
    statusCode?: number;
    response?: { statusCode?: number; status?: number };
  };
  return statusCode ?? response?.statusCode ?? response?.status;
}

/** When aimed: asks again as long as the answer is 429. A sandbox of a suite's own has no limits. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (aim === undefined || statusOf(error) !== 429) throw error;
      await pause();
    }
  }
}

/** The public methods of a client, those that it inherits included. */
export function operationsOf(client: { prototype: object }): string[] {
  const found = new Set<string>();
  let prototype: object | null = client.prototype;
  while (
    prototype !== null &&
    prototype !== Object.prototype &&
    // Node's own.
    prototype.constructor.name !== "EventEmitter"
  ) {
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const value = Object.getOwnPropertyDescriptor(prototype, name)?.value as unknown;
      if (typeof value === "function" && name !== "constructor" && !name.startsWith("_")) {
        found.add(name);
      }
    }
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
  return [...found];
}

/** `call` is answered with this HTTP status, and the service's own code. */
export async function refused(
  call: Promise<unknown>,
  status: number,
  code?: number | string,
): Promise<void> {
  const error = await call.then(
    () => assert.fail("it was accepted"),
    (reason: unknown) => reason,
  );
  assert.equal(statusOf(error), status);
  if (code !== undefined) assert.equal(codeOf(error), code);
}

/** Of DPS `errorCode`, of a hub the word behind "ErrorCode:" or, for methods, a number; else `code`. */
function codeOf(error: unknown): unknown {
  const { responseBody, code, details } = error as {
    responseBody?: string;
    code?: unknown;
    details?: { code?: unknown };
  };
  if (responseBody === undefined) return details?.code ?? code;
  const { errorCode, Message = "" } = JSON.parse(responseBody) as Answered;
  const inner = Message.startsWith("{") ? (JSON.parse(Message) as Answered).errorCode : undefined;
  return errorCode ?? inner ?? /^ErrorCode:(\w+)/.exec(Message)?.[1];
}

interface Answered {
  errorCode?: number;
  Message?: string;
}
