/**
 * What a reviewer reads of each kind of refused change. `golden/refused/` has a page for each file of
 * `certificates/fault-kinds/`; the plans of `golden/refused-*` are whole.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FaultCode, type Fault, FAULTS, RefusedError } from "../../certificates/faults";
import { readConfiguration } from "../../configuration/configuration";
import { declaredOf } from "../../configuration/load-certificates";
import { readIssuedLeaves } from "../../dynamic-providers/device-registration-removal/issued-leaves-file";
import { buildPlan } from "../../plan/build";
import { html } from "../../plan/html";
import type { Inventory } from "../../plan/inventory";
import { markdown } from "../../plan/markdown";
import type { Plan } from "../../plan/model";
import { NOW } from "../certificates/fixtures";
import { matchesGolden, named } from "./golden";
import { CHANGE_REFUSALS } from "./refusals/changes";
import { goodConfiguration, PROGRAM_REFUSALS } from "./refusals/program";
import type { ChangeRefusal, LiveScene, ProgramRefusal } from "./refusals/refusal";
import { edited, inventoryOf, scene, type Scene } from "./scene";
import { previewOf, refusedByProgram } from "./scene-preview";
import { isPlan } from "./schema";

/** Refusals that no preview has, because only `up` finds what they are about. */
const ONLY_IN_UP: Partial<Record<FaultCode, string>> = {
  "DPS-CERT-113": "which code is live is known when the certificate is verified",
  "DPS-CERT-115": "signing commands run in `up` only",
  "DPS-CERT-116": "key files are read in `up` only",
  "DPS-CERT-128": "an entry is read again right before it is written",
  "DPS-CERT-161": "what refers to a CA certificate is asked right before it goes",
  "DPS-CERT-170": "entries are closed in `up`",
  "DPS-CERT-171": "devices are removed in `up`",
  "DPS-CERT-172": "devices are removed in `up`",
  "DPS-CERT-173": "hub identities are written in `up`",
  "DPS-CERT-174": "what was written is read back in `up`",
  "DPS-CERT-175": "there is no change to show without what carries it out",
  "DPS-CERT-176": "`npm run contain` plans nothing",
  "DPS-CERT-180": "a shell that leads elsewhere shows no plan",
  "DPS-CERT-181": "a service that cannot be asked shows no plan",
  "DPS-CERT-182": "a service that cannot be asked shows no plan",
  "DPS-CERT-183": "a run that only reads is refused before it plans",
  "DPS-CERT-184": "entries are closed in `up`",
};

/** One of each group of those that look at the change as a whole; others are among the golden plans. */
const WHOLE: FaultCode[] = [
  "DPS-CERT-001",
  "DPS-CERT-048",
  "DPS-CERT-063",
  "DPS-CERT-073",
  "DPS-CERT-126",
  "DPS-CERT-140",
  "DPS-CERT-150",
  "DPS-CERT-162",
];

const KINDS = join(__dirname, "../../certificates/fault-kinds");

describe("golden refusals", () => {
  let all: Scene;
  let folder: string;
  /** By code; made once, and looked at in several ways. */
  const plans = new Map<FaultCode, Plan>();

  before(async () => {
    all = await scene();
    folder = mkdtempSync(join(tmpdir(), "refusals-"));
    for (const row of PROGRAM_REFUSALS) plans.set(row.code, programPlan(row));
    for (const row of CHANGE_REFUSALS) plans.set(row.code, changePlan(row));
  });

  after(() => rmSync(folder, { recursive: true }));

  /** What the program says of a configuration; nothing is wrong with it when it says nothing. */
  function faultsOf(configure: ProgramRefusal["configure"]): readonly Fault[] {
    const raw = goodConfiguration();
    const files: Record<string, string | Buffer> = {};
    for (const [name, { pem, key }] of Object.entries(all.certificates)) {
      files[`${name}.pem`] = pem;
      files[`${name}.key`] = key;
    }
    configure(raw, files, all.certificates);
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(folder, name), content, { mode: 0o600 });
    }
    try {
      const configuration = readConfiguration(raw);
      declaredOf(configuration, folder, NOW);
      const { issuedLeaves } = configuration.remove;
      return issuedLeaves === undefined ? [] : readIssuedLeaves(issuedLeaves, folder).faults;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return error.faults;
    }
  }

  function programPlan({ configure }: ProgramRefusal): Plan {
    const inventory = inventoryOf(all, all.base, all.devices);
    return buildPlan({
      preview: refusedByProgram([...faultsOf(configure)]),
      inventory,
      now: NOW,
    });
  }

  function changePlan(row: ChangeRefusal): Plan {
    const base = edited(all.base, (copy) => row.before?.(copy, all));
    const after = edited(base, (copy) => row.change(copy, all));
    const live = row.live?.(all) ?? {};
    const inventory = withLive(
      inventoryOf(all, base, row.devices?.(all.devices) ?? all.devices),
      live,
    );
    const preview = previewOf(base, after, inventory, {
      ...(row.known && { known: row.known(all) }),
      isPastProgram: row.isPastProgram === true,
      ...(live.joining && { joining: live.joining }),
    });
    return buildPlan({ preview, inventory, now: NOW });
  }

  it("begin from a configuration with nothing wrong in it", () => {
    assert.deepEqual(
      faultsOf(() => undefined),
      [],
    );
  });

  it("are there for every refusal that a preview can have", () => {
    const refusable = (Object.keys(FAULTS) as FaultCode[]).filter(
      (code) => FAULTS[code].severity !== "warning",
    );
    const there = [...plans.keys(), ...(Object.keys(ONLY_IN_UP) as FaultCode[])].sort();
    assert.deepEqual(there, refusable.sort());
  });

  for (const kind of readdirSync(KINDS).filter((file) => file !== "fault-kind.ts")) {
    const name = kind.replace(/\.ts$/, "");
    it(`say what is wrong and what to do: ${name}`, () => {
      const codes = readFileSync(join(KINDS, kind), "utf8").match(/DPS-CERT-\d{3}(?=": {)/g) ?? [];
      const parts = (codes as FaultCode[]).flatMap((code) => {
        const plan = plans.get(code);
        return plan === undefined ? [] : [part(code, plan)];
      });
      if (parts.length === 0) return;
      matchesGolden(`refused/${name}.md`, named(parts.join("\n"), all.certificates));
    });
  }

  /** As far as a refusal shows in Markdown, and in JSON. HTML has the same words. */
  function part(code: FaultCode, plan: Plan): string {
    assert.ok(isPlan(plan), isPlan.problem(plan));
    assert.equal(plan.verdict, "refused", code);
    assert.ok(
      plan.refusals.some((each) => each.code === code),
      `${code} is not among ${plan.refusals.map((each) => each.code).join()}`,
    );
    const text = markdown(plan);
    const refused = text.indexOf("### Refused");
    const end = text.indexOf("\n\n###", refused + 1);
    const page = html(plan);
    assert.match(page, new RegExp(`<h2>Refused</h2>[^]*<strong[^>]*>${code}</strong>`));
    return `${text.slice(0, end).replace(/^## .*/, `## ${code}`)}\n\n\`\`\`json\n${JSON.stringify(plan.refusals, null, 2)}\n\`\`\`\n`;
  }

  for (const code of WHOLE) {
    it(`are whole plans: ${code}`, () => {
      const plan = plans.get(code)!;
      const name = `refused/${code.toLowerCase()}`;
      matchesGolden(`${name}.md`, named(markdown(plan), all.certificates));
      matchesGolden(`${name}.json`, named(`${JSON.stringify(plan, null, 2)}\n`, all.certificates));
    });
  }
});

function withLive(inventory: Inventory, live: LiveScene): Inventory {
  const { caCertificates = [], lastWritten, uncounted = {} } = live;
  const verified = caCertificates.map((each) => ({ ...each, isVerified: true }));
  const entries = Object.fromEntries(
    Object.entries(inventory.facts.entries).map(([key, facts]) => [
      key,
      {
        ...facts,
        ...(lastWritten !== undefined && { lastWritten }),
        ...(uncounted[key] !== undefined && { uncounted: uncounted[key] }),
      },
    ]),
  );
  return {
    ...inventory,
    caCertificates: [
      ...inventory.caCertificates,
      ...verified.map(({ sha1Thumbprint, ...each }) => ({
        ...each,
        etag: "1",
        thumbprint: sha1Thumbprint,
      })),
    ],
    facts: {
      ...inventory.facts,
      entries,
      caCertificates: [...(inventory.facts.caCertificates ?? []), ...verified],
    },
  };
}
