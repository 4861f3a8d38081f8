import { describe, expect, it } from 'vitest';
import type { AdapterDescription } from '../../src/device/gpu.ts';
import { allKernels } from '../../src/kernels/index.ts';
import type { Kernel } from '../../src/kernels/kernel.ts';
import { possible } from '../../src/scheduler/dispatch-time.ts';
import { usableRecord } from '../../src/tuning/cache.ts';
import { shippedPreferences, startingPreferences } from '../../src/tuning/defaults.ts';
import { version } from '../../src/version.ts';

it.each([
  [1.5, true],
  [0, false],
  [-0.1, false],
  [Number.NaN, false],
  [Number.POSITIVE_INFINITY, false],
])('a time of %s ms can be: %s', (ms, expected) => {
  expect(possible(ms) !== null).toBe(expected);
});

describe('a remembered outcome', () => {
  const layer = { kernel: 'conv-pointwise', tried: ['conv-pointwise'], refused: [] };
  const record = { engine: version, fingerprintMs: 2, layers: { layer } };

  it('is used on the adapter that it was measured on', () => {
    expect(usableRecord(structuredClone(record), 2.5)).toEqual(record);
  });

  it.each([
    ['nothing', undefined],
    ['a string', 'tuned'],
    ['another version', { ...record, engine: '0.0.0' }],
    ['no fingerprint', { engine: version, layers: {} }],
    ['a fingerprint that is not a number', { ...record, fingerprintMs: 'fast' }],
    ['no layers', { engine: version, fingerprintMs: 2, layers: null }],
    ['kernels that are not names', { ...record, layers: { layer: { ...layer, kernel: 7 } } }],
    ['kernels without names', { ...record, layers: { layer: { ...layer, tried: [7] } } }],
    ['of a layer that is nothing', { ...record, layers: { layer: null } }],
    ['an older form', { engine: version, fingerprintMs: 2, tuned: { layer: 'conv-pointwise' } }],
  ])('is dropped where it is %s', (_what, value) => {
    expect(usableRecord(value, 2)).toBeNull();
  });

  it('is dropped on an adapter that is much faster or slower', () => {
    expect(usableRecord(record, 0.1)).toBeNull();
    expect(usableRecord(record, 40)).toBeNull();
    expect(usableRecord(record, Number.NaN)).toBeNull();
  });
});

it('every kernel that is shipped as a default is in the registry', async () => {
  const registry = Object.values(await allKernels()).flat() as Kernel[];
  const all = registry.map(({ op, name }) => `${op} ${name}`);
  expect(new Set(all).size).toBe(all.length);
  const names = registry.map(({ name }) => name);
  for (const software of [true, false]) {
    for (const features of [[], ['subgroups']]) {
      const adapter: AdapterDescription = { vendor: '', architecture: '', description: '', software, features };
      for (const { prefer } of [startingPreferences(adapter), shippedPreferences(adapter)]) {
        expect(names).toEqual(expect.arrayContaining([...prefer]));
      }
    }
  }
});
