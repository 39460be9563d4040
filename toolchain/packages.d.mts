/** Installs the packages unless those of package-lock.json are there. */
export function ensurePackages(options?: {
  project?: string;
  log?: (text: string) => void;
  environment?: NodeJS.ProcessEnv;
}): Promise<void>;

/** Throws unless this Node can run the project. */
export function checkNode(project?: string, version?: string): Promise<void>;

/** Why node_modules does not fit package-lock.json; undefined when it does. */
export function firstUnfit(project: string): Promise<string | undefined>;
