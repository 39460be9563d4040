/** Requests that no client of Azure sends, made from ones that one does. */
import { randomBytes } from "node:crypto";

/** A request that is right: what is spoilt. */
export interface Model {
  /** Which listener it goes to, and as whom. */
  to: "arm" | "token" | "dps-service" | "dps-device" | "iot-hub";
  method: string;
  /** With api-version. */
  path: string;
  /** The same with another last parameter. */
  astray?: (id: string) => string;
  body?: object;
  /** Parts of the body, as `a.b`, that a wrong type makes invalid. */
  typed?: string[];
  /** The operation reads If-Match. */
  conditional?: boolean;
  /** It changes nothing, so that it may be answered. */
  reads?: boolean;
  /** false: the odd IDs are good ones here. */
  ids?: boolean;
}

export interface Malformed {
  to: Model["to"];
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | Buffer;
  /** Leaves the right Authorization away. */
  stranger?: boolean;
  /** It may be answered with 200. */
  reads?: boolean;
  /** For whoever reads a failure. */
  what: string;
}

/** The same numbers for the same seed (xorshift32). */
export class Dice {
  constructor(private state: number) {}

  below(limit: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % limit;
  }

  of<T>(all: readonly T[]): T {
    return all[this.below(all.length)]!;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

type Spoil = (model: Model, dice: Dice) => Malformed | undefined;

const JUNK_VALUES: readonly unknown[] = [
  [],
  [[]],
  { no: "such thing" },
  -1,
  1e308,
  true,
  "",
  " ",
  "\u0000",
  "\ud800",
  "constructor",
  "x".repeat(5000),
  { __proto__: null, toString: 1 },
];

/** Parts that may be any object. */
const ANY_OBJECT = new Set(["tags", "properties"]);

const NOT_JSON = ["{", "[", '{"a":', "nul", "{'a':1}", "\u0000", "<xml/>", '{"a":1}}', "\ufeff{"];
const NOT_OBJECTS = [
  "null",
  "3",
  '"text"',
  "[]",
  "[[[]]]",
  "true",
  `${"[".repeat(400)}${"]".repeat(400)}`,
];
const ETAGS = ['"', '""', "W/", "*x", "\u00ff", "a".repeat(3000), '"AAAAAAAAAAA="', "==="];
const VERSIONS = ["", "latest", "2021", "2021-13-99x", "%27%3B%20--", "%00"];
const IDS = [
  "%00",
  "%0a",
  "%20",
  "..%2f..%2fx",
  "%e2%80%ae",
  "a".repeat(2000),
  "%7b%7d",
  "-",
  "%25",
];

const spoilers: Record<string, Spoil> = {
  "a body that is not JSON": (model, dice) =>
    model.body && sent(model, { body: dice.of(NOT_JSON) }),
  "a body of random bytes": (model, dice) =>
    model.body && sent(model, { body: Buffer.concat([Buffer.from([0xff]), dice.bytes(60)]) }),
  "a body that is no object": (model, dice) =>
    model.body && sent(model, { body: dice.of(NOT_OBJECTS) }),
  "a body that is cut": (model, dice) => {
    if (model.body === undefined) return undefined;
    const text = JSON.stringify(model.body);
    return sent(model, { body: text.slice(0, 1 + dice.below(text.length - 1)) });
  },
  "a wrong type": (model, dice) => {
    if (model.body === undefined || !model.typed?.length) return undefined;
    const part = dice.of(model.typed);
    const junk = JUNK_VALUES.filter((value) => !ANY_OBJECT.has(part) || !isObject(value));
    return sent(model, { body: JSON.stringify(replaced(model.body, part, dice.of(junk))) });
  },
  "an etag that nothing has": (model, dice) =>
    model.conditional ? sent(model, {}, { "if-match": dice.of(ETAGS) }) : undefined,
  "no such api-version": (model, dice) =>
    model.path.includes("api-version")
      ? {
          ...sent(model, {}),
          path: model.path.replace(/api-version=[^&]*/, `api-version=${dice.of(VERSIONS)}`),
        }
      : undefined,
  "an ID that nothing has": (model, dice) =>
    model.astray === undefined || model.ids === false
      ? undefined
      : { ...sent(model, {}), path: model.astray(dice.of(IDS)) },
  "no right to ask": (model, dice) => ({
    ...sent(model, {}, { authorization: dice.of(tokens(dice)) }),
    stranger: true,
  }),
  "a method that the path does not have": (model) => ({
    ...sent(model, {}),
    method: model.method === "PUT" ? "PATCH" : "PUT",
    path: model.path.replace(/\?|$/, "/nowhere/at/all?"),
  }),
};

/** Each model in each way that it can be spoilt, and then any of them. @param seed any number but 0 */
export function malformed(models: readonly Model[], count: number, seed: number): Malformed[] {
  const dice = new Dice(seed);
  const ways = models.flatMap((model) =>
    Object.entries(spoilers).map(([what, spoil]) => () => {
      const one = spoil(model, dice);
      return one && { ...one, what: `${model.method} ${model.path} with ${what}` };
    }),
  );
  const made = ways.flatMap((way) => way() ?? []);
  if (made.length > count) throw new Error(`${made.length} ways, and only ${count} requests`);
  while (made.length < count) {
    const one = dice.of(ways)();
    if (one !== undefined) made.push(one);
  }
  return made;
}

/** A secret of the right form that opens nothing. */
function tokens(dice: Dice): string[] {
  const signature = encodeURIComponent(randomBytes(32).toString("base64"));
  return [
    "",
    "Bearer",
    "Bearer x.y.z",
    `Bearer ${dice.bytes(30).toString("hex")}`,
    "SharedAccessSignature",
    "SharedAccessSignature sr=&sig=&se=&skn=",
    `SharedAccessSignature sr=x&sig=${signature}&se=99999999999&skn=iothubowner`,
    "SharedAccessSignature sr=%E0%A4%A&sig=x&se=-1",
    "Basic dTpw",
  ];
}

function sent(
  { to, method, path, body, reads = false }: Model,
  spoilt: { body?: string | Buffer },
  headers: Record<string, string> = {},
): Malformed {
  const text = spoilt.body ?? (body && JSON.stringify(body));
  return {
    to,
    method,
    path,
    headers: { ...(text !== undefined && { "content-type": "application/json" }), ...headers },
    ...(text !== undefined && { body: text }),
    reads,
    what: "",
  };
}

function replaced(body: object, part: string, value: unknown): object {
  const [name = "", ...rest] = part.split(".");
  const inner = (body as Record<string, unknown>)[name];
  return {
    ...body,
    [name]: rest.length === 0 ? value : replaced(inner as object, rest.join("."), value),
  };
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
