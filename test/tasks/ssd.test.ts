import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { decodeSsd, type SsdOptions } from '../../src/tasks/index.ts';
import { randomValues } from '../support/random-values.ts';
import { postProcess } from '../support/ssd-reference.ts';

/** Random heads: a few anchors and classes, boxes that overlap, scores of which some are equal. */
function randomCase(seed: number) {
  const whole = (k: number, low: number, high: number) => {
    const [value] = randomValues(k, seed * 31 + k, 0, 1).slice(-1);
    return Math.min(high, low + Math.floor(value! * (high - low + 1)));
  };
  const [count, classes, background] = [whole(1, 1, 60), whole(2, 1, 7), whole(3, 0, 1)];
  const centres = randomValues(2 * count, seed, 0, 1);
  const sizes = randomValues(2 * count, seed + 1_000_000, 0.05, 0.6);
  const anchors = Array.from({ length: count }, (_, i) => [
    ...[centres[2 * i]!, centres[2 * i + 1]!, sizes[2 * i]!, sizes[2 * i + 1]!],
  ]).flat();
  const boxes = randomValues(4 * count, seed + 2_000_000, -4, 4);
  const drawn = randomValues(count * (classes + background), seed + 3_000_000, 0, 1);
  const scores = seed % 4 === 0 ? drawn.map((score) => Math.round(8 * score) / 8) : drawn;
  const options: SsdOptions = {
    logits: false,
    anchors,
    scales: [10, 10, 5, 5],
    classes,
    maxDetections: whole(4, 1, 20),
    maxClassesPerDetection: whole(5, 1, 3),
    maxPerClass: seed % 2 === 0 ? null : whole(6, 1, 8),
    minScore: [1e-8, 0.3, 0.7][whole(7, 0, 2)]!,
    maxOverlap: [0.1, 0.45, 0.6, 1][whole(8, 0, 3)]!,
  };
  return { heads: { boxes, scores }, options, columns: classes + background };
}

describe('SSD', () => {
  it('1,000 random heads are decoded as the operator is defined, in float64', () => {
    let [total, largest] = [0, 0];
    for (let seed = 0; seed < 1000; seed++) {
      const { heads, options, columns } = randomCase(seed);
      const expected = postProcess({ ...options, ...heads, columns });
      const found = decodeSsd(heads, options);
      expect(
        found.map(({ index, score }) => [index, score]),
        `case ${seed}`,
      ).toEqual(expected.map(([, , , , index, score]) => [index, score]));
      found.forEach(({ top, left, bottom, right }, i) => {
        [top, left, bottom, right].forEach((side, k) => {
          largest = Math.max(largest, Math.abs(side - expected[i]![k]!));
        });
      });
      total += found.length;
    }
    console.log(`1,000 heads, ${total} boxes, largest difference of a side ${largest.toExponential(1)}`);
    expect(total).toBeGreaterThan(5000);
    // A few roundings of numbers below 4.
    expect(largest).toBeLessThan(1e-14);
  });

  it('takes logits as odds of their own, and names the classes', () => {
    const options: SsdOptions = {
      ...{ logits: true, anchors: [0.5, 0.5, 0.2, 0.4], scales: [10, 10, 5, 5], classes: 2, maxDetections: 5 },
      ...{ maxClassesPerDetection: 2, maxPerClass: null, minScore: 0.1, maxOverlap: 0.5, labels: ['a', 'b'] },
    };
    const heads = { boxes: Float32Array.of(1, -1, 0, 5 * Math.log(2)), scores: Float32Array.of(9, Math.log(3), 0) };
    const [first, second] = decodeSsd(heads, options);
    expect(first).toMatchObject({ index: 0, label: 'a' });
    expect(second).toMatchObject({ index: 1, label: 'b', score: 0.5 });
    expect(first!.score).toBeCloseTo(0.75, 7);
    // The centre moves by a tenth of the anchor's size, the width doubles.
    const sides = [first!.top, first!.left, first!.bottom, first!.right];
    for (const [i, side] of [0.42, 0.06, 0.62, 0.86].entries()) expect(sides[i]).toBeCloseTo(side, 7);
  });

  it('says what does not fit', () => {
    const { options } = randomCase(1);
    const heads = { boxes: new Float32Array(options.anchors.length), scores: new Float32Array(1) };
    expect(() => decodeSsd(heads, options)).toThrow(UsageError);
    expect(() => decodeSsd({ ...heads, boxes: new Float32Array(3) }, options)).toThrow(
      /SSD's heads have 3 and 1 values/,
    );
  });
});
