import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas } from '@napi-rs/canvas';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { main as poseMain } from '../../src/cli/pose.ts';
import { main as segmentMain } from '../../src/cli/segment.ts';
import { writeSavedModel } from '../../src/loaders/saved-model/write.ts';
import { poseKeypoints } from '../../src/tasks/index.ts';
import { runMain } from '../support/command.ts';
import { headsGraph } from '../support/detector.ts';

let folder = '';
const at = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pose-segment-'));
  const red = (channels: number, value: number) =>
    Array.from({ length: 3 * channels }, (_, i) => (i < channels ? value / 255 : 0));
  const movenet = headsGraph(
    [4, 6],
    { c: red(1, 0.9), k: red(17, 0.8), r: red(34, 0), o: red(34, 0.5) },
    { kind: 'movenet', centre: 'c', keypoints: 'k', regression: 'r', offsets: 'o', size: [4, 6] },
  );
  const classes = headsGraph(
    [4, 6],
    { y: [0, 1 / 255, 0, 0, 0, 0] },
    { kind: 'segmentation', scores: 'y', size: [4, 6], classes: 2, corners: 'align', logits: true },
  );
  writeFileSync(at('pose.safetensors'), writeSavedModel(movenet, '1'));
  writeFileSync(at('classes.safetensors'), writeSavedModel(classes, '1'));
  writeFileSync(at('labels.txt'), 'other\nred\n');
  const canvas = createCanvas(6, 4);
  const context = canvas.getContext('2d');
  context.fillStyle = 'black';
  context.fillRect(0, 0, 6, 4);
  context.fillStyle = 'red';
  context.fillRect(4, 1, 1, 1);
  writeFileSync(at('picture.png'), canvas.toBuffer('image/png'));
});

afterAll(() => rmSync(folder, { recursive: true }));

it('pose prints the keypoints in pixels, and refuses what estimates none', async () => {
  const args = ['--device', 'reference', '--json', at('picture.png')];
  const { code, stdout } = await runMain(poseMain, '--model', at('pose.safetensors'), ...args);
  expect(code).toBe(0);
  const { file, device, poses } = JSON.parse(stdout);
  expect([file, device, poses.length]).toEqual([at('picture.png'), 'reference', 1]);
  expect(Object.keys(poses[0])).toEqual(['score', 'keypoints']);
  expect(poses[0].score).toBeCloseTo(0.8, 5);
  expect(poses[0].keypoints.map(({ name }: { name: string }) => name)).toEqual([...poseKeypoints]);
  expect(poses[0].keypoints[5]).toMatchObject({ x: 4.5, y: 1.5 });
  const other = await runMain(poseMain, '--model', at('classes.safetensors'), ...args);
  expect(other.code).toBe(1);
  expect(other.stderr).toMatch(/is no pose estimator: its outputs are decoded as segmentation; expected MoveNet/);
  expect((await runMain(poseMain, '--model', at('pose.safetensors'), '--top', '0', 'x.png')).code).toBe(2);
  expect((await runMain(poseMain, '--help')).stdout).toMatch(/^usage: npm run pose -- \[--model MODEL\]/);
});

it('segment prints shares, and the mask where asked', async () => {
  const model = ['--model', at('classes.safetensors'), '--labels', at('labels.txt'), '--device', 'reference'];
  const { code, stdout } = await runMain(segmentMain, ...model, '--mask', '--json', at('picture.png'));
  expect(code).toBe(0);
  const mask = new Uint8Array(24);
  mask[10] = 1;
  expect(JSON.parse(stdout)).toEqual({
    ...{ file: at('picture.png'), device: 'reference', width: 6, height: 4 },
    classes: [
      { index: 0, label: 'other', share: 23 / 24 },
      { index: 1, label: 'red', share: 1 / 24 },
    ],
    mask: Buffer.from(mask).toString('base64'),
  });
  const text = await runMain(segmentMain, ...model, at('picture.png'));
  expect(text.stdout).toBe(`${at('picture.png')}: other 95.8 %, red 4.2 %\n`);
  const first = await runMain(segmentMain, ...model, '--top', '1', at('picture.png'));
  expect(first.stdout).toBe(`${at('picture.png')}: other 95.8 %\n`);
  const parts = await runMain(segmentMain, ...model, '--parts', at('picture.png'));
  expect([parts.code, parts.stderr]).toEqual([1, expect.stringMatching(/no parts of bodies/)]);
  expect((await runMain(segmentMain, ...model, '--min-score', '2', at('picture.png'))).code).toBe(2);
});
