import { expect } from 'vitest';

/** Each value within `tolerance` of the largest. */
export function expectClose(found: Float32Array, expected: Float32Array, tolerance: number): void {
  expect(found.length).toBe(expected.length);
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  found.forEach((value, i) => {
    if (!(Math.abs(value - expected[i]!) <= tolerance * scale)) {
      expect.fail(`element ${i} is ${value}, expected ${expected[i]} (±${tolerance * scale})`);
    }
  });
}
