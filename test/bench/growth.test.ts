import { expect, test } from 'vitest';
import { describeGrowth, growthExponent } from '../../bench/growth.ts';
import { growthPlot } from '../../bench/growth-plot.ts';
import type { Growth } from '../../bench/growth-results.ts';

const point = (value: number, macs: number, medianMs: number) => ({
  ...{ model: `v2-1.0-${value}`, batch: 1, value },
  ...{ macs, medianMs, minMs: medianMs },
});

const growth: Growth = {
  browser: 'Chrome/1',
  adapter: { vendor: 'a & b', architecture: '', description: '', software: true, features: [] },
  plan: 'auto',
  series: [{ against: 'size', points: [point(112, 100e6, 10), point(224, 400e6, 20)], exponent: 0.5 }],
};

test('the exponent of a power law is found, whatever its factor', () => {
  const points = [1, 2, 5, 9].map((macs) => ({ macs: 1e6 * macs, medianMs: 3 * macs ** 0.8 }));
  expect(growthExponent(points)).toBeCloseTo(0.8, 10);
  // 1, 2, 4 over 1, 2, 8: Σ(x − x̄)(y − ȳ) / Σ(x − x̄)² of the logarithms to base 2 is 3 / (14 / 3).
  const uneven = [
    { macs: 1, medianMs: 1 },
    { macs: 2, medianMs: 2 },
    { macs: 8, medianMs: 4 },
  ];
  expect(growthExponent(uneven)).toBeCloseTo(9 / 14, 10);
});

test('the table sets times and MACs against the first of a series', () => {
  const text = describeGrowth(growth);
  expect(text).toContain('a & b');
  expect(text).toMatch(/v2-1\.0-224 +1 +400\.0 +20\.00 +4\.00 × +2\.00 ×/);
  expect(text).toContain('against size: time grows as MACs to the power of 0.50');
});

test('the plot draws times over what MACs would make of the first, within its frame', () => {
  const svg = growthPlot(growth);
  // 240 × 180; the most is 40 ms, four times the first.
  expect(svg).toContain('points="120.0,135.0 240.0,0.0" fill="none" stroke="#888"');
  expect(svg).toContain('points="120.0,135.0 240.0,90.0" fill="none" stroke="#1463b8"');
  expect(svg).toContain('a &#38; b');
});
