import { describe, expect, it } from 'vitest';
import type { Shape } from '../../src/graph/ops.ts';
import type { Precision } from '../../src/planner/plan.ts';
import { runWithBound } from '../../src/validate/bounds.ts';
import { enginePage } from '../support/engine-page.ts';
import { randomValues } from '../support/random-values.ts';
import { browsers } from '../support/suite.ts';
import type { RankCase, RankResult } from './rank-in-page.ts';

const page = '/test/kernels/rank-in-page.ts';

/** One image's classes in the order in which they must come: by score, the lower index first. */
const inOrder = (scores: Float32Array): number[] =>
  [...scores.keys()].sort((a, b) => (scores[a]! === scores[b]! ? a - b : scores[a]! > scores[b]! ? -1 : 1));

/** Against the reference's softmax, or the scores themselves; exact in order, within its bound in probability. */
function check({ shape, logits, count }: RankCase, { held, indices, probabilities, repeatable }: RankResult): void {
  const [images, , , classes] = shape;
  const node = { op: 'softmax', name: 'softmax', inputs: ['x'], output: 'y' } as const;
  const { output, bound } = runWithBound(node, [{ shape, data: held }]);
  const expected = logits ? output.data : held;
  expect(repeatable).toBe(true);
  for (let image = 0; image < images; image++) {
    const ranked = indices.slice(image * count, (image + 1) * count);
    const scores = held.subarray(image * classes, (image + 1) * classes);
    expect(ranked, `image ${image}`).toEqual(inOrder(scores).slice(0, count));
    ranked.forEach((index, place) => {
      const at = image * classes + index;
      const error = Math.abs(probabilities[image * count + place]! - expected[at]!);
      expect(error, `class ${index} of image ${image}`).toBeLessThanOrEqual(logits ? bound[at]! : 0);
    });
  }
}

const cases: readonly (readonly [Shape, number])[] = [
  [[1, 1, 1, 1], 1],
  [[1, 1, 1, 3], 3],
  [[1, 1, 1, 10], 1],
  [[1, 1, 1, 10], 5],
  [[1, 1, 1, 10], 10],
  [[2, 1, 1, 10], 10],
  [[1, 1, 1, 1000], 5],
  [[1, 1, 1, 1001], 1],
  [[1, 1, 1, 1001], 5],
  [[2, 1, 1, 1001], 64],
  [[3, 1, 1, 411], 7],
  [[2, 1, 1, 21841], 5],
];

const spread = (length: number, from: number, to: number) => randomValues(length, length, from, to);

/** Seven different numbers, many times each, and zeros of both signs. */
const ties = (length: number) =>
  spread(length, -3.4, 3.4).map((value, i) => Math.round(value) * (Math.round(value) === 0 && i % 2 ? -1 : 1));

describe.each(browsers)('rank-classes in %s', (browser) => {
  const rank = async (rankCase: RankCase) => (await enginePage(browser)).call<RankResult>(page, 'rank', rankCase);
  const float32 = { precision: 'float32' as Precision, logits: true };

  it.each(cases)('%j, the %i best, of logits and of probabilities', async (shape, count) => {
    const length = shape[0] * shape[3];
    const logits = { ...float32, shape, count, scores: spread(length, -8, 8) };
    check(logits, await rank(logits));
    const probabilities = { ...logits, logits: false, scores: spread(length, 0, 1) };
    check(probabilities, await rank(probabilities));
  });

  it.for(['float16-packed', 'float16'] as const)('on %s storage', async (precision, { skip }) => {
    const here = await (await enginePage(browser)).call<boolean>(page, 'canStore', { precision });
    if (!here) skip(`no shader-f16 in ${browser}`);
    for (const [shape, count] of cases) {
      const rankCase = { shape, count, precision, logits: true, scores: spread(shape[0] * shape[3], -8, 8) };
      check(rankCase, await rank(rankCase));
    }
  });

  it.each([10, 411, 5000])('of %i classes, equal scores come by their index', async (classes) => {
    const rankCase = { ...float32, shape: [2, 1, 1, classes] as const, count: 10, scores: ties(2 * classes) };
    check(rankCase, await rank(rankCase));
    const same = { ...rankCase, scores: new Float32Array(2 * classes).fill(-2.5) };
    check(same, await rank(same));
  });

  it('takes logits of any size, −∞ among them', async () => {
    const shape = [1, 1, 1, 101] as const;
    for (const range of [1e-30, 80, 1e4, 3e38]) {
      const rankCase = { ...float32, shape, count: 64, scores: spread(101, -range, range) };
      check(rankCase, await rank(rankCase));
    }
    const opposite = Float32Array.from({ length: 101 }, (_, i) => (i % 2 ? 3.4e38 : -3.4e38));
    const masked = spread(101, -8, 8).map((value, i) => (i % 3 ? value : Number.NEGATIVE_INFINITY));
    for (const scores of [opposite, masked]) {
      const rankCase = { ...float32, shape, count: 64, scores };
      check(rankCase, await rank(rankCase));
    }
  });

  it.each([
    ['NaN in the first class', 0, Number.NaN],
    ['NaN in the middle', 57, Number.NaN],
    ['NaN in the last class', 100, Number.NaN],
    ['∞', 57, Number.POSITIVE_INFINITY],
  ])('%s shows in every probability of its image, and in no other', async (_, at, value) => {
    for (const precision of ['float32', 'float16-packed'] as const) {
      const scores = spread(202, -8, 8);
      scores[at] = value;
      const { indices, probabilities } = await rank({
        shape: [2, 1, 1, 101],
        logits: true,
        precision,
        count: 5,
        scores,
      });
      expect(indices.slice(0, 5), precision).toEqual([0, 1, 2, 3, 4]);
      expect(
        [...probabilities].map((score) => Number.isNaN(score)),
        precision,
      ).toEqual([true, true, true, true, true, false, false, false, false, false]);
    }
  });

  it('probabilities that are NaN show, and nothing but −∞ has none', async () => {
    const shape = [1, 1, 1, 9] as const;
    const one = spread(9, 0, 1);
    one[8] = Number.NaN;
    const unknown = await rank({ ...float32, shape, count: 3, logits: false, scores: one });
    expect([...unknown.probabilities]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    const nothing = new Float32Array(9).fill(Number.NEGATIVE_INFINITY);
    const undefinedSum = await rank({ ...float32, shape, count: 3, scores: nothing });
    expect([...undefinedSum.probabilities]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(undefinedSum.indices).toEqual([0, 1, 2]);
  });
});
