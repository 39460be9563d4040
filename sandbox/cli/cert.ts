/** `sandbox cert`: certificates to try things with, dated by the sandbox's clock. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { issue, type Issuer, KEYS, type KeyKind } from "../common/issue";
import { control, runningIn } from "../control/client";
import type { ClockState } from "../control/server";
import { SandboxError } from "../folder";
import { folderOf, withDir } from "./options";

type Kind = "root" | "intermediate" | "leaf";

const DAYS: Record<Kind, number> = { root: 3650, intermediate: 365, leaf: 30 };

interface CertOptions {
  cn?: string;
  issuer?: string;
  days?: number;
  key: KeyKind;
}

export function addCert(program: Command): void {
  const cert = withDir(
    program
      .command("cert")
      .description(
        "issue a certificate: NAME.pem, NAME.key.pem, and NAME.chain.pem with the intermediates above it",
      ),
  )
    .addArgument(new Argument("<kind>", "of certificate").choices(["root", "intermediate", "leaf"]))
    .argument("<name>", "files to write, as pki/root-a; existing ones are not overwritten")
    .option("--cn <name>", "common name; default: the last part of NAME")
    .option("--issuer <name>", "who signs it, as NAME above; a leaf without is self-signed")
    .option(
      "--days <days>",
      "validity from the sandbox's time on; default: 3650, 365 or 30",
      toDays,
    )
    .addOption(
      new Option("--key <kind>", "kind of key").choices(Object.keys(KEYS)).default("ecdsa-p256"),
    );
  cert.action(async (kind: Kind, name: string, options: CertOptions) => {
    if ((kind === "intermediate") !== (options.issuer !== undefined) && kind !== "leaf") {
      throw new SandboxError(
        kind === "root"
          ? "A root signs itself: leave --issuer away, or ask for an intermediate."
          : "An intermediate is signed by another CA: name it with --issuer.",
      );
    }
    const files = filesOf(name);
    const taken = Object.values(files).filter((file) => existsSync(file));
    if (taken.length > 0) {
      throw new SandboxError(`${taken.join(" and ")} would be overwritten: choose another name.`);
    }
    const { now, source } = await timeIn(cert);
    const made = await issue({
      kind,
      commonName: options.cn ?? basename(filesOf(name).certificate, ".pem"),
      ...(options.issuer !== undefined && { issuer: readIssuer(options.issuer) }),
      days: options.days ?? DAYS[kind],
      key: options.key,
      now,
    });
    mkdirSync(dirname(files.certificate), { recursive: true });
    writeFileSync(files.key, made.privateKey, { mode: 0o600, flag: "wx" });
    writeFileSync(files.chain, [made.certificate, ...made.intermediates].join(""), { flag: "wx" });
    writeFileSync(files.certificate, made.certificate, { flag: "wx" });
    const { subject, fingerprint256, validTo } = new X509Certificate(made.certificate);
    process.stdout.write(
      [
        `${files.certificate}  ${kind} ${subject.replaceAll("\n", ", ")}, valid until ${new Date(validTo).toISOString().slice(0, 10)} (by ${source})`,
        `  SHA-256 ${fingerprint256.replaceAll(":", "")}`,
        "",
      ].join("\n"),
    );
  });
}

function filesOf(name: string): { certificate: string; key: string; chain: string } {
  const stem = name.replace(/\.pem$/, "");
  return { certificate: `${stem}.pem`, key: `${stem}.key.pem`, chain: `${stem}.chain.pem` };
}

function readIssuer(name: string): Issuer {
  const files = filesOf(name);
  try {
    const certificate = readFileSync(files.certificate, "utf8");
    const above = existsSync(files.chain) ? readFileSync(files.chain, "utf8") : certificate;
    const privateKey = readFileSync(files.key, "utf8");
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey))) {
      throw new SandboxError(`The key in ${files.key} is not that of ${files.certificate}.`);
    }
    const blocks =
      above.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
    return { certificate, intermediates: blocks.slice(1), privateKey };
  } catch (error) {
    if (error instanceof SandboxError) throw error;
    throw new SandboxError(
      `The issuer ${name} cannot be read (${(error as NodeJS.ErrnoException).code ?? "error"}): it needs ${files.certificate} and ${files.key}.`,
    );
  }
}

/** The sandbox's time where one runs, else the machine's. */
async function timeIn(command: Command): Promise<{ now: Date; source: string }> {
  const running = runningIn(folderOf(command));
  if (running === undefined) {
    return { now: new Date(), source: "the machine's clock: no sandbox runs" };
  }
  const { now } = await control<ClockState>(running, "GET", "/clock");
  return { now: new Date(now), source: "the sandbox's clock" };
}

function toDays(text: string): number {
  const days = Number(text);
  if (!Number.isFinite(days) || days <= 0 || days > 36_500) {
    throw new InvalidArgumentError("a number of days from above 0 to 36500.");
  }
  return days;
}
