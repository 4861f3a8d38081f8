import { afterEach, expect, it, vi } from 'vitest';

afterEach(() => void vi.unstubAllGlobals());

it('importing the package touches no global of a page', async () => {
  const touched: string[] = [];
  for (const name of [
    'navigator',
    'document',
    'window',
    'location',
    'caches',
    'indexedDB',
    'GPU',
    'createImageBitmap',
  ]) {
    vi.stubGlobal(name, new Proxy(() => {}, { get: () => touched.push(name), apply: () => touched.push(name) }));
  }
  vi.resetModules();
  await import('../../src/index.ts');
  await import('../../src/tasks/index.ts');
  expect(touched).toEqual([]);
});
