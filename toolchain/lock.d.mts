/** Does `work` while no other process does work under the same lock. */
export function withLock<T>(
  path: string,
  work: () => Promise<T>,
  waiting?: (holder: { pid: number; host: string }) => void,
): Promise<T>;
