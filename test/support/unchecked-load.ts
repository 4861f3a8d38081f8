import { type LoadOptions, load as loadChecked, type ModelSource } from '../../src/load.ts';

/** `load` for a GPU that computes nothing, which no self-check would pass. */
export const load = (source: ModelSource, options: LoadOptions = {}) =>
  loadChecked(source, { selfCheck: 'off', ...options });
