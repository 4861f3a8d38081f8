/** Builds the package into a folder. */
export function buildPackage(folder: string, logLevel?: 'warn' | 'error'): Promise<void>;
