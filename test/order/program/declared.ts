/** What the experiment's program declares; handed over in an environment variable as JSON. */
export interface Declared {
  cas: string[];
  entries: Record<string, { enabled: boolean; slots: string[] }>;
  /** Names of compromised keys. */
  compromised: string[];
}

export function declaredFrom(json: string): Declared {
  return JSON.parse(json) as Declared;
}
