import { describe, expect, it } from 'vitest';
import { checkBounds, compareOutputs } from '../../src/validate/compare.ts';

const f = (...values: number[]) => Float32Array.from(values);

describe('a check against bounds', () => {
  it('reports the element that comes nearest to its bound', () => {
    const check = checkBounds(f(1, 2.5, 3), f(1, 2, 3.25), f(1, 10, 0.5), f(1, 1, 1));
    expect(check).toEqual({ maxError: 0.25, bound: 0.5, share: 0.5, unwritten: 0, ok: true });
  });
  it('fails past a bound, and where exactness was promised', () => {
    expect(checkBounds(f(1.5), f(1), f(0.25), f(1)).ok).toBe(false);
    expect(checkBounds(f(1.5), f(1), f(0), f(0)).ok).toBe(false);
    expect(checkBounds(f(1), f(1), f(0), f(0)).ok).toBe(true);
  });
  it.each([
    ['a value that is no number', f(1, Number.NaN), f(1, 2), f(1, 1)],
    ['an infinite value', f(1, Number.POSITIVE_INFINITY), f(1, 2), f(1, 1)],
    ['a reference that is no number', f(1, 2), f(1, Number.NaN), f(1, 1)],
    ['a bound that is no number', f(1, 2), f(1, 2), f(1, Number.NaN)],
    ['an infinite bound', f(1, 2), f(1, 3), f(1, Number.POSITIVE_INFINITY)],
    ['another length', f(1, 2, 3), f(1, 2), f(1, 1)],
  ])('fails on %s', (_, actual, expected, bound) => {
    expect(checkBounds(actual, expected, bound, bound).ok).toBe(false);
  });
});

describe('the difference of two outputs', () => {
  it('is the largest, the normalised mean square, and whether the best class is the same', () => {
    expect(compareOutputs(f(1, 4), f(1, 2))).toEqual({ maxError: 2, nmse: 4 / 5, topEqual: true });
    expect(compareOutputs(f(3, 1), f(1, 3)).topEqual).toBe(false);
    expect(compareOutputs(f(0, 0), f(0, 0))).toEqual({ maxError: 0, nmse: 0, topEqual: true });
    expect(compareOutputs(f(1, Number.NaN), f(1, 2))).toMatchObject({ maxError: Number.MAX_VALUE, topEqual: false });
  });
});
