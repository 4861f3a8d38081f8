import { createStore, get, set } from 'idb-keyval';
import type { TuningCache } from './cache.ts';

/** Remembers in the browser's IndexedDB; null where there is none (Node, some private windows). */
export function indexedDbCache(): TuningCache | null {
  if (typeof globalThis.indexedDB === 'undefined') return null;
  const store = createStore('mobilenet-webgpu', 'tuning');
  return { get: (key) => get(key, store), set: (key, value) => set(key, value, store) };
}
