import { createStore, get, set } from 'idb-keyval';

/** What an adapter was seen to compute right. */
export interface PassedChecks {
  readonly engine: string;
  /** When the first of them passed, in milliseconds since 1970. */
  readonly at: number;
  /** Hashes of pipelines and layers; none where something has failed. */
  readonly passed: readonly string[];
  /** Whether something has: all is checked at each load then. */
  readonly failed: boolean;
}

export interface CheckStore {
  get(key: string): Promise<PassedChecks | undefined>;
  set(key: string, value: PassedChecks): Promise<void>;
}

/** Remembers in the browser's IndexedDB; null where there is none. */
export function indexedDbChecks(): CheckStore | null {
  if (typeof globalThis.indexedDB === 'undefined') return null;
  const store = createStore('mobilenet-webgpu-checks', 'passed');
  return {
    get: (key) => get<PassedChecks>(key, store),
    set: (key, value) => set(key, value, store),
  };
}
