import { describe, expect, it } from 'vitest';
import type { AdapterDescription } from '../../src/device/gpu.ts';
import { allKernels } from '../../src/kernels/index.ts';
import type { Kernel } from '../../src/kernels/kernel.ts';
import { plausible } from '../../src/scheduler/dispatch-time.ts';
import { usableRecord } from '../../src/tuning/cache.ts';
import { startingPreferences, steadyPreferences } from '../../src/tuning/defaults.ts';
import { agree } from '../../src/tuning/trial.ts';
import { choose } from '../../src/tuning/tuner.ts';
import { version } from '../../src/version.ts';

describe('the choice of a kernel', () => {
  it('is the fastest', () => {
    expect(
      choose(
        [
          { kernel: 'a', ms: 3 },
          { kernel: 'b', ms: 1 },
          { kernel: 'c', ms: 2 },
        ],
        'a',
      ),
    ).toBe('b');
  });

  it('stays with the usual one where none is clearly faster', () => {
    expect(
      choose(
        [
          { kernel: 'a', ms: 1 },
          { kernel: 'b', ms: 0.97 },
        ],
        'a',
      ),
    ).toBe('a');
  });

  it('never falls on a kernel without a time', () => {
    expect(
      choose(
        [
          { kernel: 'a', ms: 2 },
          { kernel: 'b', ms: null, reason: 'its output leaves the bound' },
        ],
        'a',
      ),
    ).toBe('a');
    expect(
      choose(
        [
          { kernel: 'a', ms: null },
          { kernel: 'b', ms: null },
        ],
        'a',
      ),
    ).toBe('a');
  });

  it('leaves a usual kernel that failed', () => {
    expect(
      choose(
        [
          { kernel: 'a', ms: null, reason: 'its output leaves the bound' },
          { kernel: 'b', ms: 5 },
        ],
        'a',
      ),
    ).toBe('b');
  });
});

it.each([
  [1.5, true],
  [0, false],
  [-0.1, false],
  [Number.NaN, false],
  [Number.POSITIVE_INFINITY, false],
])('a time of %s ms can be: %s', (ms, expected) => {
  expect(plausible(ms)).toBe(expected);
});

it('outputs agree within a tolerance, and never where one is NaN', () => {
  const of = (...values: number[]) => Float32Array.from(values);
  expect(agree(of(1, 2), of(1, 2.1), 0.2)).toBe(true);
  expect(agree(of(1, 2), of(1, 2.3), 0.2)).toBe(false);
  expect(agree(of(1, Number.NaN), of(1, 2), 10)).toBe(false);
  expect(agree(of(1, Number.NaN), of(1, Number.NaN), 10)).toBe(false);
  expect(agree(of(1), of(1, 2), 10)).toBe(false);
});

describe('a remembered outcome', () => {
  const record = { engine: version, fingerprintMs: 2, tuned: { layer: 'conv-pointwise' } };

  it('is used on the adapter that it was measured on', () => {
    expect(usableRecord(structuredClone(record), 2.5)).toEqual(record);
  });

  it.each([
    ['nothing', undefined],
    ['a string', 'tuned'],
    ['another version', { ...record, engine: '0.0.0' }],
    ['no fingerprint', { engine: version, tuned: {} }],
    ['a fingerprint that is not a number', { ...record, fingerprintMs: 'fast' }],
    ['no kernels', { engine: version, fingerprintMs: 2, tuned: null }],
    ['kernels that are not names', { ...record, tuned: { layer: 7 } }],
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
  for (const fallback of [true, false]) {
    for (const features of [[], ['subgroups']]) {
      const adapter: AdapterDescription = { vendor: '', architecture: '', description: '', fallback, features };
      for (const { prefer } of [startingPreferences(adapter), steadyPreferences(adapter)]) {
        expect(names).toEqual(expect.arrayContaining([...prefer]));
      }
    }
  }
});
