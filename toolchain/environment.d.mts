import type { Engine } from "./engine.mjs";

/** The environment in which commands find the engine. */
export function engineEnvironment(
  engine: Engine,
  environment?: NodeJS.ProcessEnv,
  project?: string,
): Promise<NodeJS.ProcessEnv>;
