import { createStore, del, entries, get, set } from 'idb-keyval';
import type { DevicesRecord, TuningCache, TuningRecord } from './cache.ts';

/** Adapters, browser versions and precisions that are remembered: of more, the oldest go. */
const MOST_RECORDS = 8;

/** Remembers in the browser's IndexedDB; null where there is none (Node, some private windows). */
export function indexedDbCache(): TuningCache | null {
  if (typeof globalThis.indexedDB === 'undefined') return null;
  const store = createStore('mobilenet-webgpu', 'tuning');
  return {
    get: async (key) => (await get<Kept>(key, store))?.record,
    async set(key, record) {
      await set(key, { record, at: Date.now() } satisfies Kept, store);
      const kept = (await entries<string, Partial<Kept>>(store)).sort(([, a], [, b]) => (b.at ?? 0) - (a.at ?? 0));
      const stale = kept.filter(([, { record: other }], i) => i >= MOST_RECORDS || other?.engine !== record.engine);
      for (const [old] of stale) await del(old, store);
    },
  };
}

interface Kept {
  readonly record: TuningRecord | DevicesRecord;
  /** When it was written, in milliseconds since 1970. */
  readonly at: number;
}
