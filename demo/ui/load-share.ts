import type { LoadProgress } from '../../src/index.ts';

/** Follows a load: the share of it that is done, from 0 to 1. Where bytes are fetched, they are half of it. */
export function loadShare(): (progress: LoadProgress) => number {
  const shares: { fetch?: number; compile?: number } = {};
  return ({ stage, done, total }) => {
    if (stage !== 'parse') shares[stage] = total > 0 ? done / total : 0;
    const { fetch, compile = 0 } = shares;
    return fetch === undefined ? compile : (fetch + compile) / 2;
  };
}
