import { expect, it } from 'vitest';
import type { PoseNetDecoding, SegmentationDecoding } from '../../src/graph/decoding.ts';
import { InvalidResultError, load, UsageError } from '../../src/index.ts';
import { bodyParts, segment } from '../../src/tasks/index.ts';
import { headsGraph } from '../support/detector.ts';

/** Left half red, right half green; the last row black. */
const picture = (() => {
  const [height, width] = [4, 6];
  const data = new Uint8ClampedArray(height * width * 4);
  for (let i = 0; i < height * width; i++) {
    const red = i % width < 3;
    data.set(i < 18 ? [red ? 255 : 0, red ? 0 : 255, 0, 255] : [0, 0, 0, 255], 4 * i);
  }
  return { width, height, data };
})();

/** Scores of three classes: nothing, red, green. */
const threeClasses = [0, 1 / 255, 0, 0, 0, 1 / 255, 0, 0, 0];

it('tells the class of each pixel and its share, by the decoding of the file or by the shape of the only output', async () => {
  const decoding: SegmentationDecoding = {
    ...{ kind: 'segmentation', scores: 'y', size: [4, 6], classes: 3, corners: 'align', logits: true },
  };
  const graph = headsGraph([4, 6], { y: threeClasses }, decoding);
  const { decoding: _, ...bare } = graph;
  for (const own of [graph, bare]) {
    const model = await load(own, { device: 'reference' });
    const { width, height, mask, classes, foreground } = await segment(model, picture, { labels: ['none', 'r', 'g'] });
    expect([width, height, foreground]).toEqual([6, 4, null]);
    expect([...mask.subarray(0, 6)]).toEqual([1, 1, 1, 2, 2, 2]);
    expect([...mask.subarray(18)]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(classes).toEqual([
      { index: 1, label: 'r', share: 9 / 24 },
      { index: 2, label: 'g', share: 9 / 24 },
      { index: 0, label: 'none', share: 6 / 24 },
    ]);
    model.dispose();
  }
});

it('tells foreground from background by one channel of sigmoids', async () => {
  const decoding: SegmentationDecoding = {
    ...{ kind: 'segmentation', scores: 'y', size: [4, 6], classes: 1, corners: 'half-pixel', logits: false },
  };
  const graph = headsGraph([4, 6], { y: [1 / 255, 0.4 / 255, 0] }, decoding);
  const model = await load(graph, { device: 'reference' });
  const found = await segment(model, picture);
  expect([...found.mask.subarray(0, 6)]).toEqual([1, 1, 1, 0, 0, 0]);
  expect(found.foreground![0]).toBeCloseTo(1, 6);
  expect(found.foreground![5]).toBeCloseTo(0.4, 6);
  expect(found.classes.map(({ label, share }) => [label, share])).toEqual([
    ['background', 15 / 24],
    ['person', 9 / 24],
  ]);
  const lower = await segment(model, picture, { minScore: 0.3 });
  expect(lower.classes[0]).toEqual({ index: 1, label: 'person', share: 18 / 24 });
  await expect(segment(model, picture, { parts: true })).rejects.toThrow(/no parts of bodies among its outputs/);
});

it('finds people and their parts by the heads of BodyPix', async () => {
  const decoding: PoseNetDecoding = {
    ...{ kind: 'posenet', heatmaps: 'h', offsets: 'o', forward: 'f', backward: 'f', size: [4, 6], stride: 1 },
    ...{ maxPoses: 5, minScore: 0.5, minPoseScore: 0, radius: 20, people: 'p', parts: 'q' },
  };
  // Red and green are people, for black the logit is 0 and the score a half.
  const parts = new Array<number>(72).fill(0);
  parts[2] = 1;
  parts[24 + 22] = 1;
  const zeros = (channels: number) => new Array<number>(3 * channels).fill(0);
  const heads = { h: zeros(17), o: zeros(34), f: zeros(64), p: [1, 1, 0], q: parts };
  const model = await load(headsGraph([4, 6], heads, decoding), { device: 'reference' });
  const people = await segment(model, picture, { minScore: 0.6 });
  expect(people.classes).toEqual([
    { index: 1, label: 'person', share: 0.75 },
    { index: 0, label: 'background', share: 0.25 },
  ]);
  expect(people.foreground![18]).toBe(0.5);
  const found = await segment(model, picture, { minScore: 0.6, parts: true });
  expect(found.classes.map(({ index, label }) => [index, label])).toEqual([
    [3, bodyParts[2]],
    [23, bodyParts[22]],
    [0, 'background'],
  ]);
  expect(found.foreground).toBeNull();
});

it('refuses networks that are none, and NaN', async () => {
  const decoding: SegmentationDecoding = {
    ...{ kind: 'segmentation', scores: 'y', size: [4, 6], classes: 3, corners: 'align', logits: true },
  };
  const graph = headsGraph([4, 6], { y: threeClasses, z: threeClasses }, decoding);
  const { decoding: _, ...two } = graph;
  const model = await load(two, { device: 'reference' });
  await expect(segment(model, picture)).rejects.toThrow(UsageError);
  await expect(segment(model, picture)).rejects.toThrow(/is no segmentation network: .*expected DeepLab/);
  const nan = headsGraph([4, 6], { y: threeClasses.map(() => Number.NaN) }, decoding);
  await expect(segment(await load(nan, { device: 'reference' }), picture)).rejects.toThrow(InvalidResultError);
});
