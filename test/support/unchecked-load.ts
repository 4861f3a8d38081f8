import { load as loadChecked } from '../../src/load.ts';
import type { LoadOptions, ModelSource } from '../../src/load-options.ts';

/** `load` for a GPU that computes nothing, which no self-check would pass. */
export const load = (source: ModelSource, options: LoadOptions = {}) =>
  loadChecked(source, { selfCheck: 'off', ...options });
