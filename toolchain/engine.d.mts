export type Way = "installed" | "download" | "build";

export interface Engine {
  /** the folder above bin/, for `PulumiCommand.get({ root })` */
  root: string;
  binDir: string;
  pulumiHome: string;
  version: string;
  way: Way;
  plugins: { name: string; version: string; folder: string }[];
}

/** Which engine it is, in one line. */
export function describeEngine(engine: Engine): string;

/** Finds or makes the engine and the plugins that package-lock.json asks for. */
export function ensureEngine(options?: {
  /** Pulumi's home; default PULUMI_HOME, else ~/.pulumi */
  home?: string;
  log?: (text: string) => void;
  /** the folder of package-lock.json */
  project?: string;
  /** the folder of the Go modules */
  sources?: string;
  environment?: NodeJS.ProcessEnv;
}): Promise<Engine>;
