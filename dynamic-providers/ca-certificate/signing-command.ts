/** Runs the command that signs a proof of possession with a key that this program never sees. */
import { execFile, type ExecFileException } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filledIn } from "../../certificates/signing-command";
import { printable } from "../../certificates/text";

/** Long enough for a person who touches a token or enters a PIN. */
const TIME_LIMIT_MS = 5 * 60_000;
/** A chain of certificates with text around it is far smaller. */
const LARGEST_OUTPUT_BYTES = 64 * 1024;
const LONGEST_LAST_WORDS = 1_000;

export interface SigningCommand {
  argv: readonly string[];
  /** Given on its standard input. */
  input: Buffer;
  /** Placeholders that stand for a text. */
  texts?: Record<string, string>;
  /** Placeholders that stand for the path of a file with this content. */
  files: Record<string, Buffer>;
  timeLimitMs?: number;
}

/**
 * What the command prints. It runs as argv, never through a shell, in the folder of the program, with
 * the environment of `up` but for Pulumi's own variables (they hold the state's passphrase). Throws
 * with a sentence that begins with the program's name when it cannot be started, fails, takes longer
 * than 5 minutes or prints more than 64 KiB. The sentence has what it wrote to its standard error,
 * without PEM blocks and PINs, and no argument.
 */
export async function runSigningCommand(command: SigningCommand): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), "proof-of-possession-"));
  try {
    const paths = Object.entries(command.files).map(([name, content]) => {
      const path = join(folder, name);
      writeFileSync(path, content, { mode: 0o600 });
      return [name, path] as const;
    });
    const values = { ...command.texts, ...Object.fromEntries(paths) };
    const [program = "", ...args] = filledIn(command.argv, values);
    return await run(program, args, command);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(
  program: string,
  args: string[],
  { input, timeLimitMs = TIME_LIMIT_MS }: SigningCommand,
): Promise<Buffer> {
  const options = {
    encoding: "buffer",
    env: withoutPulumi(process.env),
    timeout: timeLimitMs,
    killSignal: "SIGKILL",
    maxBuffer: LARGEST_OUTPUT_BYTES,
  } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
      } else {
        // No `cause`: it repeats the arguments.
        reject(
          new Error(
            `${printable(program)}, which ${ending(program, error, timeLimitMs)}${lastWords(stderr)}`,
          ),
        );
      }
    });
    // A command that reads its file instead may close its input early.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}

function withoutPulumi(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith("PULUMI_")),
  );
}

function ending(program: string, error: ExecFileException, timeLimitMs: number): string {
  if (error.code === "ENOENT") return "was not found";
  if (error.code === "EACCES") {
    // The search for a name also ends so where it is nowhere and a folder of PATH may not be read.
    const isSearchedFor = !/[/\\]/.test(program);
    return isSearchedFor
      ? "was not found in a folder of PATH that may be read, or may not be executed"
      : "may not be executed";
  }
  if (error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") {
    return `printed more than ${LARGEST_OUTPUT_BYTES / 1024} KiB`;
  }
  if (error.killed === true) return `was stopped after ${timeLimitMs / 1000} seconds`;
  if (typeof error.code === "number") return `ended with exit code ${error.code}`;
  return `was ended by ${error.signal ?? String(error.code)}`;
}

function lastWords(stderr: Buffer): string {
  const text = stderr
    .toString("utf8")
    .replace(/-----BEGIN[\s\S]*?(-----END[^\n]*|$)/g, "(a PEM block)")
    .replace(/(pin-value=)[^;&?\s"']*/gi, "$1(not shown)");
  const lines = text.split("\n").map((line) => printable(line.trim()));
  const words = lines.filter((line) => line !== "").join(" / ");
  return words === "" ? "" : `: ${words.slice(-LONGEST_LAST_WORDS)}`;
}
