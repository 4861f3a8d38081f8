import { expect, it } from 'vitest';
import type { MoveNetDecoding, PoseNetDecoding } from '../../src/graph/decoding.ts';
import { load, ModelFormatError, UsageError } from '../../src/index.ts';
import { writeSavedModel } from '../../src/loaders/saved-model/write.ts';
import { pose, poseKeypoints, segment } from '../../src/tasks/index.ts';
import { headsGraph } from '../support/detector.ts';

/** A red pixel on black. */
function picture(height: number, width: number, row: number, column: number) {
  const data = new Uint8ClampedArray(height * width * 4);
  data.set([255, 0, 0, 255], 4 * (row * width + column));
  return { width, height, data };
}

/** Weights of one channel value for red, others zero. */
const red = (channels: number, value: number) => [
  ...new Array<number>(channels).fill(value / 255),
  ...new Array<number>(2 * channels).fill(0),
];

const movenet: MoveNetDecoding = {
  ...{ kind: 'movenet', centre: 'c', keypoints: 'k', regression: 'r', offsets: 'o', size: [4, 6] },
};
const moveGraph = headsGraph([4, 6], { c: red(1, 0.9), k: red(17, 0.8), r: red(34, 0), o: red(34, 0.5) }, movenet);

const posenet: PoseNetDecoding = {
  ...{ kind: 'posenet', heatmaps: 'h', offsets: 'o', forward: 'f', backward: 'b', size: [4, 6], stride: 1 },
  ...{ maxPoses: 5, minScore: 0.6, minPoseScore: 0, radius: 3, people: null, parts: null },
};
const poseGraph = headsGraph([4, 6], { h: red(17, 3), o: red(34, 0), f: red(32, 0), b: red(32, 0) }, posenet);

it('gives the keypoints of MoveNet in pixels of the picture', async () => {
  const model = await load(moveGraph, { device: 'reference' });
  const [person, ...others] = await pose(model, picture(4, 6, 1, 4));
  expect(others).toEqual([]);
  expect(person!.keypoints.map(({ name }) => name)).toEqual([...poseKeypoints]);
  expect(person!.score).toBeCloseTo(0.8, 6);
  for (const { x, y, score } of person!.keypoints) {
    expect([x, y]).toEqual([4.5, 1.5]);
    expect(score).toBeCloseTo(0.8, 6);
  }
  // Twice as large a picture.
  const image = { ...moveGraph.image!, antialias: false };
  const large = picture(8, 12, 2, 8);
  large.data.set([255, 0, 0, 255, 255, 0, 0, 255], 4 * (2 * 12 + 8));
  large.data.set([255, 0, 0, 255, 255, 0, 0, 255], 4 * (3 * 12 + 8));
  const [twice] = await pose(model, large, { image });
  expect([twice!.keypoints[3]!.x, twice!.keypoints[3]!.y]).toEqual([9, 3]);
});

it('gives the people of PoseNet, or the only one', async () => {
  const model = await load(poseGraph, { device: 'reference' });
  const [person, ...others] = await pose(model, picture(4, 6, 1, 4));
  expect(others).toEqual([]);
  expect([person!.keypoints[0]!.x, person!.keypoints[0]!.y]).toEqual([4.5, 1.5]);
  expect(person!.score).toBeCloseTo(1 / (1 + Math.exp(-3)), 6);
  expect(await pose(model, picture(4, 6, 1, 4), { minScore: 0.96 })).toEqual([]);
  const [single] = await pose(model, picture(4, 6, 2, 3), { single: true, minScore: 0.96 });
  expect([single!.keypoints[16]!.x, single!.keypoints[16]!.y]).toEqual([3.5, 2.5]);
  await expect(segment(model, picture(4, 6, 1, 4))).rejects.toThrow(/has no mask of people among its outputs/);
});

it('keeps the decodings in saved models, and refuses damaged ones', async () => {
  for (const graph of [moveGraph, poseGraph]) {
    const bytes = await (await load(graph, { device: 'reference' })).save();
    const opened = await load(bytes, { device: 'reference' });
    expect(opened.graph.decoding).toEqual(graph.decoding);
    expect(await pose(opened, picture(4, 6, 1, 4))).toHaveLength(1);
  }
  for (const change of [{ heatmaps: 'x' }, { stride: 0.5 }, { parts: 'x' }, { people: 3 }, { size: [4] }]) {
    const damaged = writeSavedModel({ ...poseGraph, decoding: { ...posenet, ...change } as never }, '1');
    await expect(load(damaged, { device: 'reference' })).rejects.toThrow(ModelFormatError);
  }
});

it('refuses networks that are none', async () => {
  const { decoding: _, ...bare } = moveGraph;
  const model = await load(bare, { device: 'reference' });
  await expect(pose(model, picture(4, 6, 1, 4))).rejects.toThrow(UsageError);
  await expect(pose(model, picture(4, 6, 1, 4))).rejects.toThrow(/is no pose estimator: .*expected MoveNet/);
});
