import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadGraph } from '../../src/loaders/index.ts';
import { cocoLabels, decodeDetections, detectImage, overlap } from '../../src/tasks/index.ts';
import { zoo, zooFiles } from '../models/zoo.ts';
import { paintedScene } from '../support/painted-scene.ts';
import { photograph } from './photograph.ts';
import { runBoth } from './tfjs-models.ts';

const photo = join(process.env.IMAGENET_MODELS ?? '', 'parrot.jpg');
const real = Boolean(process.env.IMAGENET_MODELS) && existsSync(photo);

it(`are CenterNet's detections in TensorFlow.js, on ${real ? 'a photograph' : 'a painted scene'}`, async () => {
  const picture = real ? await photograph(photo, detectImage, 512) : paintedScene([512, 512, 3], 7);
  const { found, expected, errors } = await runBoth('centernet', picture);
  for (const [name, error] of errors) expect(error, name).toBeLessThan(1e-10);
  const tail = expected['tower_0/detections']!;
  const rows = Array.from({ length: 100 }, (_, i) => [...tail.subarray(6 * i, 6 * i + 6)]);
  const rowsOf = (heads: Readonly<Record<string, Float32Array>>) => {
    const [heatmap, distances] = [heads['tower_0/keypoints']!, heads['tower_0/wh']!];
    return decodeDetections({ heatmap, distances }, { labels: cocoLabels }).map(
      ({ left, top, right, bottom, score, index }) => [
        ...[left, top, right, bottom].map((side) => side * 512),
        ...[score, index],
      ],
    );
  };
  const near = (a: readonly number[], b: readonly number[]) =>
    a.every((v, i) => Math.abs(v - b[i]!) < [2e-3, 1e-5][+(i > 3)]!);
  // Of its own heads, in the same order; of ours, but for places that a rounding exchanges.
  const same = rowsOf(expected);
  expect(same).toHaveLength(100);
  for (const [i, row] of same.entries()) expect(near(row, rows[i]!), `${row} for ${rows[i]}`).toBe(true);
  const ours = rowsOf(found);
  const lost = ours.slice(0, 95).filter((row) => !rows.some((other) => near(row, other)));
  expect(lost).toEqual([]);
  if (real) expect(cocoLabels[ours[0]![5]!]).toBe('bird');
});

it('is what its file is decoded as', async () => {
  const graph = await loadGraph(await zooFiles(zoo.find(({ file }) => file.endsWith('/centernet.json'))!));
  const [heatmap, distances] = ['tower_0/keypoints', 'tower_0/wh'];
  expect(graph.decoding).toEqual({ kind: 'centernet', heatmap, distances, size: [128, 128], stride: 4 });
  expect(graph.image).toEqual(detectImage);
});

it('keeps the best of overlapping boxes and orders by score', () => {
  const heatmap = new Float32Array(4 * 8 * 2);
  const distances = new Float32Array(4 * 8 * 4).fill(8);
  const put = (y: number, x: number, c: number, score: number) => {
    heatmap[(y * 8 + x) * 2 + c] = score;
  };
  put(1, 1, 0, 0.5);
  put(1, 2, 0, 0.4); // not a peak: its neighbour is larger
  put(1, 3, 1, 0.9);
  put(2, 6, 1, 0.3);
  const size = [4, 8] as const;
  const all = decodeDetections({ heatmap, distances }, { size });
  expect(all.map(({ score, index }) => [Math.fround(score), index])).toEqual([
    [Math.fround(0.9), 1],
    [0.5, 0],
    [Math.fround(0.3), 1],
  ]);
  expect(all[0]).toMatchObject({ left: 4 / 32, right: 20 / 32, top: -4 / 16, bottom: 12 / 16, label: null });
  // The first two share 8 of 24 columns.
  expect(overlap(all[0]!, all[1]!)).toBeCloseTo(1 / 3, 10);
  const scores = (maxOverlap: number) => decodeDetections({ heatmap, distances }, { size, maxOverlap }).length;
  expect([scores(0.3), scores(0.34)]).toEqual([2, 3]);
  expect(decodeDetections({ heatmap, distances }, { size, minScore: 0.4, maxDetections: 1 })).toHaveLength(1);
});

it('says what does not fit, and knows 80 classes', () => {
  const heads = { heatmap: new Float32Array(33), distances: new Float32Array(64) };
  expect(() => decodeDetections(heads)).toThrow(/the heatmap has 33 values, expected 4 · 4 · 2/);
  expect([cocoLabels.length, new Set(cocoLabels).size, cocoLabels[0], cocoLabels[79]]).toEqual([
    ...[80, 80, 'person', 'toothbrush'],
  ]);
});
