import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodePose, poseHeads, poseImage, poseKeypoints } from '../../src/tasks/index.ts';
import { randomValues } from '../support/oracles.ts';
import { paintedScene } from '../support/painted-scene.ts';
import { photograph } from './photograph.ts';
import { runBoth } from './tfjs-models.ts';

const folder = process.env.IMAGENET_MODELS ?? '';
/** 1/48 as the file holds it, a float16. */
const cell = 0.0208282470703125;

describe('the pose of MoveNet', () => {
  const pictures: [string, () => Promise<Float32Array>][] = [
    ['a painted scene', async () => paintedScene([192, 192, 3], 5)],
    ['noise', async () => randomValues(192 * 192 * 3, 1, 0, 255).map(Math.floor)],
  ];
  const photo = join(folder, 'cat.bmp');
  if (folder && existsSync(photo)) {
    pictures.push(['a photograph', async () => (await photograph(photo, poseImage, 192)).map(Math.round)]);
  }

  it.each(pictures)('is that of TensorFlow.js on %s', async (_, picture) => {
    const { found, expected, errors } = await runBoth('movenet-lightning', await picture());
    for (const [name, error] of errors) expect(error, name).toBeLessThan(1e-10);
    const tail = expected.Identity!;
    const pose = decodePose(poseHeads(found));
    expect(pose.map(({ name }) => name)).toEqual([...poseKeypoints]);
    pose.forEach(({ y, x, score, name }, k) => {
      expect(Math.abs(y * 48 * cell - tail[3 * k]!), `${name} y`).toBeLessThan(1e-5);
      expect(Math.abs(x * 48 * cell - tail[3 * k + 1]!), `${name} x`).toBeLessThan(1e-5);
      expect(Math.abs(score - tail[3 * k + 2]!), `${name} score`).toBeLessThan(1e-5);
    });
  });
});

it('finds keypoints that were put on a grid that is no square', () => {
  const [height, width] = [3, 4];
  const heads = {
    centre: new Float32Array(12).fill(0.1),
    keypoints: new Float32Array(12 * 17),
    regression: new Float32Array(12 * 34),
    offsets: new Float32Array(12 * 34).fill(0.25),
  };
  // The centre at row 1, column 1; keypoint 3 is expected a row lower and two columns to the right.
  heads.centre[1 * width + 1] = 0.9;
  heads.regression.set([1, 2], (1 * width + 1) * 34 + 2 * 3);
  heads.keypoints[(2 * width + 3) * 17 + 3] = 0.5;
  // A larger value that is too far from there.
  heads.keypoints[0 * 17 + 3] = 0.6;
  const pose = decodePose(heads, [height, width]);
  expect(pose[3]).toEqual({ name: 'left ear', y: 2.25 / 3, x: 3.25 / 4, score: 0.5 });
});

it('says what does not fit', () => {
  const head = (length: number) => new Float32Array(length);
  expect(() => poseHeads({ a: head(4) })).toThrow(/no kpt_regress among the outputs a; expected MoveNet's heads/);
  const heads = { centre: head(12), keypoints: head(12), regression: head(12), offsets: head(12) };
  expect(() => decodePose(heads)).toThrow(/centre heatmap has 12 values, expected a square grid/);
  expect(() => decodePose(heads, [3, 4])).toThrow(/keypoint heatmap has 12 values, expected 3 · 4 · 17/);
});
