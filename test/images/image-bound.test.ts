/** The bound against the formula of resample.ts evaluated in float32, as a shader would. */
import { describe, expect, test } from 'vitest';
import type { ImageRule } from '../../src/graph/graph.ts';
import type { Pair } from '../../src/graph/ops.ts';
import { imageBound } from '../../src/images/image-bound.ts';
import { channelWeights, imageToTensor } from '../../src/images/image-to-tensor.ts';
import { constant, type Picture } from '../../src/images/picture.ts';
import { type AxisPlan, resamplePlan } from '../../src/images/resample.ts';
import { seeded } from '../reference/nodes.ts';

const f = Math.fround;

function filter32(filter: ImageRule['filter'], x: number): number {
  const a = Math.abs(x);
  if (filter === 'bilinear') return Math.max(0, f(1 - a));
  if (a < 1) return f(f(f(f(f(1.5 * a) - 2.5) * a) * a) + 1);
  if (a < 2) return f(f(f(f(f(f(-0.5 * a) + 2.5) * a) - 4) * a) + 2);
  return 0;
}

function weights32(axis: AxisPlan, filter: ImageRule['filter'], o: number): { from: number; weights: number[] } {
  const centre = f(f(axis.start) + f((o - axis.first) * f(axis.step)));
  const support = f(axis.support);
  const from = Math.max(0, Math.ceil(f(f(centre - support) - 0.5)));
  const to = Math.min(axis.input - 1, Math.floor(f(f(centre + support) - 0.5)));
  const weights = [];
  for (let p = from; p <= to; p++) weights.push(filter32(filter, f(f(p + 0.5 - centre) / f(axis.width))));
  return { from, weights };
}

function tensor32(picture: Picture, rule: ImageRule, size: Pair, channels: number): Float32Array {
  const { vertical, horizontal, filter } = resamplePlan([picture.height, picture.width], rule, size);
  const mixes = channelWeights(rule.channels);
  const out = new Float32Array(size[0] * size[1] * channels);
  const inside = (axis: AxisPlan, o: number) => o >= axis.first && o < axis.first + axis.length;
  for (let y = 0; y < size[0]; y++) {
    for (let x = 0; x < size[1]; x++) {
      const colours = new Float32Array(3);
      let sum = 0;
      if (inside(vertical, y) && inside(horizontal, x)) {
        const [row, column] = [weights32(vertical, filter, y), weights32(horizontal, filter, x)];
        for (const [i, wy] of row.weights.entries()) {
          for (const [j, wx] of column.weights.entries()) {
            const weight = f(wy * wx);
            sum = f(sum + weight);
            for (let c = 0; c < 3; c++) {
              const pixel = picture.data[((row.from + i) * picture.width + column.from + j) * 4 + c]!;
              colours[c]! += f(weight * pixel);
            }
          }
        }
        for (let c = 0; c < 3; c++) colours[c]! /= sum;
      }
      for (const [c, mix] of mixes.entries()) {
        const value = mix.reduce((total, share, i) => f(total + f(f(share) * colours[i]!)), 0);
        out[(y * size[1] + x) * channels + c] = f(f(value * f(constant(rule.scale, c))) + f(constant(rule.offset, c)));
      }
    }
  }
  return out;
}

const fits = ['stretch', 'crop', 'letterbox'] as const;
const filters = ['bilinear', 'bicubic'] as const;
const cases = fits.flatMap((fit) =>
  filters.flatMap((filter) =>
    (['half-pixel', 'align'] as const).flatMap((corners) =>
      [true, false].map((antialias) => ({ fit, filter, corners, antialias })),
    ),
  ),
);

describe.each(cases)('$fit $filter $corners antialias $antialias', (options) => {
  test.each([
    { from: [37, 53] as Pair, to: [16, 16] as Pair, channels: 'rgb' as const },
    { from: [9, 5] as Pair, to: [24, 31] as Pair, channels: 'grey' as const },
    { from: [200, 30] as Pair, to: [7, 9] as Pair, channels: 'bgr' as const },
  ])('$from → $to $channels', ({ from, to, channels }) => {
    const rule: ImageRule = { ...options, cropFraction: 0.875, channels, scale: [1 / 127.5], offset: [-1] };
    const random = seeded(from[0]);
    const data = Uint8Array.from({ length: from[0] * from[1] * 4 }, () => 127.5 * (1 + random()));
    const picture: Picture = { width: from[1], height: from[0], data };
    const count = channels === 'grey' ? 1 : 3;
    const expected = imageToTensor(picture, rule, to, count);
    const actual = tensor32(picture, rule, to, count);
    const bound = imageBound(from, rule, to, count);
    let used = 0;
    for (const [i, value] of expected.entries()) used = Math.max(used, Math.abs(actual[i]! - value) / bound[i]!);
    expect(used).toBeLessThanOrEqual(1);
    // A quarter of a step of 8 bits would be seen.
    expect(Math.max(...bound)).toBeLessThan(0.25 / 127.5);
  });
});
