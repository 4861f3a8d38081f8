import { expect, it } from 'vitest';
import { decodePoses, decodeSinglePose, type PoseNetHeads, poseKeypoints } from '../../src/tasks/index.ts';
import { randomValues } from '../support/oracles.ts';
import { posesOfHeads } from '../support/posenet-reference.ts';

const stride = 16;

/** Random heads of a grid; with `people`, made so that some of them stand there. */
function headsOf(height: number, width: number, seed: number): PoseNetHeads {
  const cells = height * width;
  return {
    heatmaps: randomValues(cells * 17, seed, -5, 3),
    offsets: randomValues(cells * 34, seed + 1, -24, 24),
    forward: randomValues(cells * 32, seed + 2, -60, 60),
    backward: randomValues(cells * 32, seed + 3, -60, 60),
  };
}

it.each([
  ['as TensorFlow.js has them', [9, 13], {}],
  ['as many as there are', [7, 6], { maxPoses: 1000, minScore: 0.3, radius: 40 }],
  ['with a least score', [12, 5], { maxPoses: 20, minScore: 0.2, minPoseScore: 0.2, radius: 10 }],
  ['on a single row', [1, 9], { maxPoses: 8 }],
] as const)('poses are those of the definition, %s, on 40 random heads', (_, size, options) => {
  let found = 0;
  for (let seed = 0; seed < 40; seed++) {
    const heads = headsOf(...(size as [number, number]), 100 * seed + 1);
    const poses = decodePoses(heads, { size, stride, ...options });
    const defaults = { maxPoses: 5, minScore: 0.5, minPoseScore: 0, radius: 20 };
    const reference = posesOfHeads(heads, size, stride, { ...defaults, ...options });
    expect(poses.length).toBe(reference.length);
    found += poses.length;
    const input = [(size[0] - 1) * stride + 1, (size[1] - 1) * stride + 1] as const;
    poses.forEach(({ score, keypoints }, i) => {
      // Offsets that differ from cell to cell by more than a cell magnify rounding at each of up to 36 steps.
      expect(score).toBeCloseTo(reference[i]!.score, 5);
      expect(keypoints.map(({ name }) => name)).toEqual([...poseKeypoints]);
      keypoints.forEach((keypoint, k) => {
        const own = reference[i]!.keypoints[k]!;
        expect(keypoint.y * input[0]).toBeCloseTo(own.y + 0.5, 3);
        expect(keypoint.x * input[1]).toBeCloseTo(own.x + 0.5, 3);
        expect(keypoint.score).toBeCloseTo(own.score, 5);
      });
    });
  }
  expect(found).toBeGreaterThan(40);
});

it('one tensor may hold the displacements of both ways', () => {
  const heads = headsOf(6, 8, 5);
  const both = new Float32Array(48 * 64);
  for (let cell = 0; cell < 48; cell++) {
    both.set(heads.forward.subarray(32 * cell, 32 * cell + 32), 64 * cell);
    both.set(heads.backward.subarray(32 * cell, 32 * cell + 32), 64 * cell + 32);
  }
  const options = { size: [6, 8], stride } as const;
  expect(decodePoses({ ...heads, forward: both, backward: both }, options)).toEqual(decodePoses(heads, options));
});

it('a single pose has each keypoint where its heatmap is largest', () => {
  const heads = headsOf(5, 7, 9);
  heads.heatmaps[(3 * 7 + 2) * 17 + 4] = 10;
  heads.offsets[(3 * 7 + 2) * 34 + 4] = -8;
  heads.offsets[(3 * 7 + 2) * 34 + 17 + 4] = 4;
  const { score, keypoints } = decodeSinglePose(heads, { size: [5, 7], stride, input: [80, 112] });
  expect(keypoints[4]).toEqual({
    name: 'right ear',
    y: (3 * 16 - 8 + 0.5) / 80,
    x: (2 * 16 + 4 + 0.5) / 112,
    score: 1 / (1 + Math.exp(-10)),
  });
  const largest = Array.from({ length: 17 }, (_, k) =>
    Math.max(...Array.from({ length: 35 }, (_, cell) => heads.heatmaps[cell * 17 + k]!)),
  );
  expect(score).toBeCloseTo(largest.reduce((sum, v) => sum + 1 / (1 + Math.exp(-v)), 0) / 17, 9);
});

it('says what does not fit', () => {
  const heads = headsOf(4, 4, 1);
  expect(() => decodePoses({ ...heads, forward: heads.offsets }, { stride })).toThrow(/forward displacements has/);
  expect(() => decodePoses(heads, { stride, size: [3, 5] })).toThrow(/heatmaps has 272 values, expected 3 · 5 · 17/);
});
