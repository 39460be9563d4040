/**
 * A machine with nothing on it: a home, a project and a PATH of the test's own. The commands on
 * PATH are stand-ins, what is tested is the real toolchain.
 */
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Engine } from "../../toolchain/engine.mjs" with { "resolution-mode": "import" };

export const versions = { engine: "3.256.0", tls: "5.4.0", random: "4.20.0" };

export class Machine {
  readonly log: string[] = [];

  private constructor(readonly folder: string) {}

  static async create(): Promise<Machine> {
    const machine = new Machine(await mkdtemp(join(tmpdir(), "toolchain-")));
    await machine.write("project/package.json", '{"engines":{"node":">=20.19.0"}}');
    await machine.lockPackages({});
    await machine.write(
      "sources/engine/go.mod",
      `go 1.25.11\n\nrequire github.com/pulumi/pulumi/pkg/v3 v${versions.engine}\n`,
    );
    await machine.write("sources/engine/plugins/main.go", "package main\n");
    await machine.write("sources/language-host/go.mod", "go 1.25.0\n");
    await mkdir(machine.path("bin"));
    await symlink(process.execPath, machine.path("bin/node"));
    await machine.write("project/node_modules/pulumi/run.js", failingDownload);
    return machine;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  get home(): string {
    return this.path("home");
  }

  get root(): string {
    return join(this.home, "versions", versions.engine);
  }

  get environment(): NodeJS.ProcessEnv {
    return { HOME: this.folder, TMPDIR: this.folder, PATH: this.path("bin") };
  }

  async write(name: string, content: string): Promise<string> {
    const path = this.path(name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    return path;
  }

  async read(name: string): Promise<string> {
    return readFile(this.path(name), "utf8");
  }

  /** Puts a command there, in shell: the quickest to start. */
  async command(name: string, script: string): Promise<void> {
    const path = await this.write(name, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
  }

  async lockPackages(others: Record<string, object>): Promise<void> {
    const packages = {
      "": {},
      "node_modules/pulumi": { version: versions.engine },
      "node_modules/@pulumi/pulumi": { version: versions.engine },
      "node_modules/@pulumi/tls": { version: versions.tls },
      "node_modules/@pulumi/random": { version: versions.random },
      ...others,
    };
    await this.write("project/package-lock.json", JSON.stringify({ packages }));
  }

  /** A Go that "compiles" scripts which say their version, as the real binaries do. */
  async installGo(version = "1.26.8", during = ""): Promise<void> {
    await this.command("bin/go", goStandIn(version, this.path("go-calls"), during));
  }

  /** How often `go build` was called. */
  async builds(): Promise<number> {
    const calls = await this.read("go-calls").catch(() => "");
    return calls.split("\n").filter((line) => line.startsWith("build")).length;
  }

  async installPulumi(bin: string, version: string): Promise<void> {
    await this.command(join(bin, "pulumi"), `echo v${version}`);
    await this.command(join(bin, "pulumi-language-nodejs"), "");
    await this.command(join(bin, "pulumi-resource-pulumi-nodejs"), "");
  }

  async installPlugins(): Promise<void> {
    for (const name of ["tls", "random"] as const) {
      const folder = `home/plugins/resource-${name}-v${versions[name]}`;
      await this.command(`${folder}/pulumi-resource-${name}`, "");
    }
  }

  async ensure(environment: NodeJS.ProcessEnv = {}): Promise<Engine> {
    const { ensureEngine } = await import("../../toolchain/engine.mjs");
    return ensureEngine({
      home: this.home,
      project: this.path("project"),
      sources: this.path("sources"),
      environment: { ...this.environment, ...environment },
      log: (text) => this.log.push(text),
    });
  }

  /** A script that does the same in a process of its own. */
  async ensureScript(): Promise<string> {
    const module = join(__dirname, "../../toolchain/engine.mjs");
    const options = {
      home: this.home,
      project: this.path("project"),
      sources: this.path("sources"),
      environment: this.environment,
    };
    return this.write(
      "ensure.mjs",
      `import { ensureEngine } from ${JSON.stringify(module)};
       console.log((await ensureEngine(${JSON.stringify(options)})).way);`,
    );
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

export const failingDownload = 'console.error("pulumi: fetch failed"); process.exit(1);';

/** What the npm package does where its server answers. */
export const workingDownload = `
const fs = require("fs"), path = require("path"), version = process.env.PULUMI_VERSION;
const bin = path.join(process.env.PULUMI_HOME, "versions", version, "bin");
fs.mkdirSync(bin, { recursive: true });
const script = "#!/bin/sh\\ntest $1 = version && echo v" + version;
for (const name of ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"])
  fs.writeFileSync(path.join(bin, name), script, { mode: 0o755 });`;

function goStandIn(version: string, calls: string, during: string): string {
  return `
if [ $1 = version ]; then echo "go version go${version} linux/amd64"; exit; fi
echo "$*" >> ${calls}
[ $1 = build ] || exit 0
${during}
while [ $1 != -ldflags ]; do shift; done
flags=$2; out=$4; shift 4
said() { flag="\${flags##*$1=}"; echo "\${flag%% *}"; }
for package; do
  to="$out/\${package##*/}"
  if [ \${package##*/} = plugins ]; then
    text='case "$0" in *tls) echo '"$(said main.tlsVersion)"';; *) echo '"$(said main.randomVersion)"';; esac'
  else
    text="echo $(said version.Version)"
  fi
  printf '#!/bin/sh\\n%s\\n' "$text" > "$to"
  /bin/chmod 755 "$to"
done`;
}
