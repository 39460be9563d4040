/** The certificate zoo: every row with the answer of DPS and of the hub, and the page that shows them. */
import { createHash } from "node:crypto";
import { format } from "prettier";
import { judge, type Verdict } from "../../../../sandbox/dps-device/attestation/judge";
import { DEFAULT_SWITCHES } from "../../../../sandbox/common/switches";
import { authenticate } from "../../../../sandbox/iot-hub/device-authentication";
import { DeviceRegistry } from "../../../../sandbox/iot-hub/registry";
import { smallSandbox, type SmallSandbox } from "../../dps-service/small-sandbox";
import { chainCases } from "./chain-cases";
import { craftedCases } from "./crafted-cases";
import { groupCases } from "./group-cases";
import { individualCases } from "./individual-cases";
import { oddCases } from "./odd-cases";
import { pathCases } from "./path-cases";
import { ID, NOW, world, type Case, type HubAnswer } from "./world";

export interface Exhibit {
  row: Case;
  verdict: Verdict;
  hub: HubAnswer;
}

const HUB = "zoo";
const HOST = "zoo.azure-devices.net";

/** All rows, judged by DPS and by a hub. */
export async function exhibits(): Promise<Exhibit[]> {
  const w = await world();
  const rows = [
    ...(await individualCases(w)),
    ...groupCases(w),
    ...(await chainCases(w)),
    ...(await pathCases(w)),
    ...(await oddCases(w)),
    ...(await craftedCases(w)),
  ];
  const small = await smallSandbox();
  try {
    putHub(small);
    return rows.map((row) => ({ row, verdict: verdictOf(row), hub: hubAnswer(small, row) }));
  } finally {
    await small.close();
  }
}

export function verdictOf(row: Case): Verdict {
  return judge({
    presented: row.presented,
    registrationId: row.registrationId ?? ID,
    individuals: row.individuals ?? [],
    groups: row.groups ?? [],
    caCertificates: row.cas ?? [],
    now: row.now ?? NOW,
    switches: { ...DEFAULT_SWITCHES, ...row.switches },
  });
}

/** Who admits, or why not. */
export function outcomeOf(verdict: Verdict): string {
  return verdict.admitted ? `${verdict.by.kind} ${verdict.by.id}` : verdict.refusal;
}

function putHub({ sandbox }: SmallSandbox): void {
  sandbox.hubs.put(HUB, {
    name: HUB,
    resourceGroup: "rg",
    subscriptionId: "",
    location: "westeurope",
    tags: {},
    sku: { name: "S1", capacity: 1, tier: "Standard" },
    etag: "",
    hostName: HOST,
    authorizationPolicies: [],
    otherProperties: {},
  });
}

/** With a record that holds the leaf, whatever DPS thinks of it. */
function hubAnswer(small: SmallSandbox, row: Case): HubAnswer {
  if (row.hub === "no handshake") {
    return row.hub;
  }
  const deviceId = row.registrationId ?? ID;
  const leaf = row.presented[0] ?? Buffer.alloc(0);
  const thumbprint = createHash("sha256").update(leaf).digest("hex");
  const authentication = { type: "selfSigned", thumbprint } as const;
  const sandbox = { ...small.sandbox, clock: { now: () => row.now ?? NOW } };
  const registry = new DeviceRegistry(sandbox, HUB);
  registry.assign({ hubHostName: HOST, deviceId, authentication }, false);
  const answer = authenticate(sandbox, sandbox.hubs.get(HUB)!, registry, [], {
    clientId: deviceId,
    username: `${HOST}/${deviceId}/?api-version=2021-04-12`,
    password: undefined,
    peerChain: () => row.presented,
    peerLeaf: () => row.presented[0],
  });
  const { code, note } = typeof answer === "number" ? { code: answer, note: "" } : answer;
  if (code === 0) {
    return "connects";
  }
  const reasons: [RegExp, HubAnswer][] = [
    [/ expired on /, "expired"],
    [/ is not valid before /, "not valid yet"],
    [/ no certificate was presented$/, "no certificate"],
  ];
  const found = reasons.find(([pattern]) => pattern.test(note));
  if (found === undefined) {
    throw new Error(`${row.name}: the hub answers ${code}, ${note}`);
  }
  return found[1];
}

const HUB_WORDS: Record<HubAnswer, string> = {
  connects: "connects",
  expired: "CONNACK 5: expired",
  "not valid yet": "CONNACK 5: not valid yet",
  "no certificate": "CONNACK 5: no certificate",
  "no handshake": "TLS does not come about",
};

/** docs/reference/certificate-zoo.md. */
export async function zooPage(all: Exhibit[]): Promise<string> {
  const head = `# Certificate zoo

What the sandbox answers to ${all.length} chains, and who says so. **DPS** is its answer to a registration with
the registration ID \`${ID}\` unless the row says otherwise; **why** is what its request log says.
**Hub** is what an IoT hub does when its record of the device holds the presented leaf, whatever DPS
thought of it. **Source** says who knows; *not known, assumed* marks what nobody has seen Azure do, and
[switches](sandbox-switches.md) name what can be set.

The page is made from the tests (\`test/sandbox/dps-device/attestation/\`):
\`npx tsx docs/reference/write-certificate-zoo.ts\`.

`;
  const lines = all.map(({ row, verdict, hub }, at) =>
    [
      String(at + 1),
      row.name,
      Object.entries(row.switches ?? {})
        .map(([name, value]) => `\`${name}=${String(value)}\``)
        .join(" "),
      verdict.admitted
        ? `assigned, by ${outcomeOf(verdict)}`
        : `401, 401002 "${verdict.message}" (${verdict.refusal})`,
      verdict.admitted ? "" : shortened(verdict.detail),
      HUB_WORDS[hub],
      row.source,
    ]
      .map((cell) => cell.replaceAll("|", "\\|"))
      .join(" | "),
  );
  const table = [
    "#|Certificates|Switches|DPS|Why|Hub|Source",
    "-|-|-|-|-|-|-",
    ...lines.map((line) => `| ${line} |`),
  ].join("\n");
  return format(head + table, { parser: "markdown", printWidth: 100 });
}

/** Without what would be another text in each run: OpenSSL's words for what it cannot read. */
function shortened(detail: string): string {
  return detail.replace(/^Error: error:.*$/s, "OpenSSL cannot read it");
}
