export interface Versions {
  engine: string;
  plugins: { name: string; version: string }[];
}

/** Which versions package-lock.json asks for. */
export function wantedVersions(project: string): Promise<Versions>;

/** Whether `text` is a version of at least `least`. */
export function isAtLeast(text: string, least: string): boolean;

/** Whether an installed engine serves programs written for `wanted`. */
export function fits(installed: string, wanted: string): boolean;

/** The version a go.mod requires of a module, or of Go itself for the module "go". */
export function requiredByGoMod(goMod: string, module: string): string | undefined;
