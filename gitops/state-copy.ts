/**
 * Copies a stack, without its secrets, into a backend of its own: a preview there needs neither the
 * passphrase of the stack nor the right to write to its state, and takes no lock.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse, stringify } from "yaml";
import { runEngine } from "./engine";
import { type Exported, withoutSecrets } from "./without-secrets";

export interface Copy {
  /** What a run on the copy needs in its environment. */
  variables: Record<string, string>;
  /** The stacks that were copied: the one that was named, and those that it is promoted after. */
  stacks: string[];
  /** One that it is promoted after and that does not exist: the preview says what that means. */
  missing?: string;
}

/** Something that the person has to mend; the message is for them. */
export class CopyError extends Error {
  override readonly name = "CopyError";
}

/**
 * Copies the stack and the stacks that it is promoted after. Writes `Pulumi.<stack>.yaml` with the salt of
 * the copy into the folder, for `--config-file`.
 *
 * @param program folder of the program, with its `Pulumi.<stack>.yaml`
 * @param stack name of the stack, of the current backend
 * @param folder where the copy goes; it is made
 */
export async function copyState(program: string, stack: string, folder: string): Promise<Copy> {
  const { name: project } = parse(readFileSync(join(program, "Pulumi.yaml"), "utf8")) as {
    name: string;
  };
  const state = join(folder, "state");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  // `stack init` writes a salt beside the project file that it is shown.
  writeFileSync(join(folder, "Pulumi.yaml"), stringify({ name: project, runtime: "nodejs" }));
  const variables = {
    PULUMI_BACKEND_URL: pathToFileURL(state).href,
    PULUMI_CONFIG_PASSPHRASE: randomBytes(24).toString("base64url"),
    DPS_CERTIFICATES_READ_ONLY: "1",
  };
  const stacks: string[] = [];
  for (let next: string | undefined = stack; next !== undefined && !stacks.includes(next);) {
    const exported = await exportedState(program, next);
    if (exported === undefined) {
      if (next !== stack) return { variables, stacks, missing: next };
      throw new CopyError(`There is no stack ${stack} in this backend.`);
    }
    stacks.push(next);
    next = await copyOne(program, project, next, exported, folder, variables);
  }
  return { variables, stacks };
}

/** Undefined: there is no such stack. */
async function exportedState(program: string, stack: string): Promise<Exported | undefined> {
  try {
    return JSON.parse(await runEngine(["stack", "export", "--stack", stack], program)) as Exported;
  } catch (error) {
    if (/no stack named .* found/.test((error as Error).message)) return undefined;
    throw error;
  }
}

/** Answers the name of the stack that this one is promoted after. */
async function copyOne(
  program: string,
  project: string,
  stack: string,
  exported: Exported,
  folder: string,
  variables: Record<string, string>,
): Promise<string | undefined> {
  const file = join(folder, `${stack}.json`);
  writeFileSync(file, JSON.stringify(withoutSecrets(exported)), { mode: 0o600 });
  await runEngine(["stack", "init", stack, "--no-select"], folder, variables);
  await runEngine(["stack", "import", "--stack", stack, "--file", file], folder, variables);
  const copied = join(folder, `Pulumi.${stack}.yaml`);
  const { encryptionsalt } = parse(readFileSync(copied, "utf8")) as { encryptionsalt: string };
  const { config } = readConfig(join(program, `Pulumi.${stack}.yaml`));
  const secrets = Object.keys(config).filter((key) =>
    JSON.stringify(config[key]).includes('"secure"'),
  );
  if (secrets.length > 0) {
    throw new CopyError(
      `Pulumi.${stack}.yaml: found encrypted values (${secrets.join(", ")}), which a preview without the passphrase cannot read; fix: take them out, this project's configuration has no secrets.`,
    );
  }
  writeFileSync(copied, stringify({ encryptionsalt, config }));
  const { after } = (config[`${project}:promotion`] ?? {}) as { after?: string };
  return after?.split("/").at(-1);
}

function readConfig(file: string): { config: Record<string, unknown> } {
  try {
    return { config: {}, ...(parse(readFileSync(file, "utf8")) as object) };
  } catch (error) {
    throw new CopyError(`${file} cannot be read: ${(error as Error).message}`);
  }
}
