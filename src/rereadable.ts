import type { ModelSource } from './load-options.ts';

/** Whether a source can be read again without its bytes being kept: a name, an address, a file, or files. */
export const isRereadable = (source: ModelSource): boolean =>
  typeof source === 'string' ||
  source instanceof URL ||
  source instanceof Blob ||
  (Array.isArray(source) && source.every((file) => file instanceof Blob));
