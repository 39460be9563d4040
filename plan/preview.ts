/** The real `pulumi preview` of a stack, through the Automation API, as data. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError, type EngineEvent, LocalWorkspace, Stack } from "@pulumi/pulumi/automation";
import type { Connection } from "../clients/target";
import { type JudgementRecord, JUDGEMENTS, recorded } from "../dynamic-providers/judgement-record";
import { resourceType } from "../dynamic-providers/resource-type";
import { wayIn } from "../gitops/engine";

export interface PreviewOptions {
  /** Folder of the program: where Pulumi.yaml is. */
  program: string;
  /** Default: the stack that is selected in that folder. */
  stack?: string;
  /** Default: the stack's own. */
  configFile?: string;
}

/** What the engine would do with one resource. */
export interface EngineStep {
  op: string;
  type: string;
  name: string;
  /** Properties that differ. */
  properties: string[];
  /** What the program declares of it; absent when it is taken away. */
  inputs?: Record<string, unknown>;
}

export interface Preview {
  stack: string;
  /** The engine came to its end: nothing was refused, and nothing failed. */
  succeeded: boolean;
  judgements: JudgementRecord[];
  /** Every resource, also those that stay as they are. */
  steps: EngineStep[];
  /** Errors of the engine and of the program, as they were printed. */
  errors: string[];
  /** What the last `up` knew of the service; undefined when there was none. */
  connection?: Connection;
  seconds: number;
}

/**
 * @throws `PreviewError` when there is no stack to preview. A preview that fails is no exception: what was
 *   judged until then is in the result.
 */
export async function preview(options: PreviewOptions): Promise<Preview> {
  const folder = mkdtempSync(join(tmpdir(), "dps-plan-"));
  const judgements = join(folder, "judgements");
  writeFileSync(judgements, "", { mode: 0o600 });
  try {
    const workspace = await open(options.program, judgements);
    const name = options.stack ?? (await workspace.stack())?.name;
    if (name === undefined) {
      throw new PreviewError("No stack is selected: name one with --stack.");
    }
    const stack = await Stack.select(name, workspace);
    const started = performance.now();
    const seen = new Seen();
    let succeeded = true;
    try {
      await stack.preview({
        onEvent: (event) => seen.add(event),
        ...(options.configFile !== undefined && { configFile: options.configFile }),
      });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      succeeded = false;
      // It ended before it began: no stack of this name, no passphrase, no project.
      if (seen.errors.length === 0 && seen.steps.length === 0) {
        const words = endOf(error);
        throw new PreviewError(
          `pulumi preview of stack "${name}" failed:\n${words}\n${wayIn(words)}`.trimEnd(),
        );
      }
    }
    const seconds = (performance.now() - started) / 1000;
    const records = recorded(judgements);
    const connection = await connectionOf(stack, records);
    return {
      stack: name,
      succeeded,
      judgements: records,
      steps: seen.steps,
      errors: seen.errors,
      ...(connection && { connection }),
      seconds,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export class PreviewError extends Error {
  override readonly name = "PreviewError";
}

/**
 * `Stack.select` makes the stack the selected one of this folder, so that a person's next `pulumi up`
 * would go to the stack that was only looked at. Commands name their stack anyway.
 */
async function open(program: string, judgements: string): Promise<LocalWorkspace> {
  const workspace = await LocalWorkspace.create({
    workDir: program,
    envVars: { [JUDGEMENTS]: judgements, PULUMI_SKIP_UPDATE_CHECK: "1" },
  });
  workspace.selectStack = async () => undefined;
  return workspace;
}

class Seen {
  readonly steps: EngineStep[] = [];
  readonly errors: string[] = [];

  add({ diagnosticEvent, resourcePreEvent }: EngineEvent): void {
    if (diagnosticEvent?.severity === "error") this.errors.push(plain(diagnosticEvent.message));
    const metadata = resourcePreEvent?.metadata;
    if (metadata === undefined) return;
    const { op, type, urn, diffs, detailedDiff } = metadata;
    this.steps.push({
      op,
      type,
      name: urn.split("::").at(-1) ?? urn,
      properties: [...new Set([...(diffs ?? []), ...Object.keys(detailedDiff ?? {})])].sort(),
      ...(metadata.new && { inputs: (metadata.new as { inputs?: object }).inputs as never }),
    });
  }
}

/* The engine writes colours as <{%...%}>. */
function plain(message: string): string {
  return message.replace(/<\{%[^%]*%\}>/g, "").trim();
}

/** As the judgement saw it; of a refused change as the state has it. */
async function connectionOf(
  stack: Stack,
  records: JudgementRecord[],
): Promise<Connection | undefined> {
  const judged = records.findLast((each) => each.by === "fleet");
  if (judged !== undefined) return judged.connection;
  const state = (await stack.exportStack()) as { deployment?: { resources?: StateResource[] } };
  const resources = state.deployment?.resources ?? [];
  return resources.find(({ type }) => type === resourceType("FleetJudgement"))?.inputs?.connection;
}

interface StateResource {
  type: string;
  inputs?: { connection?: Connection };
}

function endOf({ message }: CommandError): string {
  return message.trimEnd().split("\n").slice(-20).join("\n");
}
