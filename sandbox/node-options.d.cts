/** `current` NODE_OPTIONS with an option that loads `file` before everything else. */
export function preloading(current: string | undefined, file: string): string;
