import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas } from '@napi-rs/canvas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/detect.ts';
import { runMain } from '../support/command.ts';
import { tfliteDetector } from '../support/tflite-detector.ts';

let folder = '';
const at = (name: string) => join(folder, name);
const detect = (...argv: string[]) => runMain(main, ...argv);
const given = () => ['--model', at('model.tflite'), '--range=0,1', '--device', 'reference'];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'detect-'));
  writeFileSync(at('model.tflite'), tfliteDetector({ labels: ['red', 'green'] }));
  writeFileSync(at('labels.txt'), 'background\nrouge\nvert\n');
  // Ten times as large as the input: the cell of column 1 and row 2 is red, that of column 3 and row 0 half green.
  const canvas = createCanvas(40, 40);
  const context = canvas.getContext('2d');
  context.fillRect(0, 0, 40, 40);
  context.fillStyle = '#f00';
  context.fillRect(10, 20, 10, 10);
  context.fillStyle = '#080';
  context.fillRect(30, 0, 10, 10);
  writeFileSync(at('picture.png'), canvas.toBuffer('image/png'));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('detect', () => {
  it('prints a JSON line a picture, boxes in its pixels', async () => {
    const { code, stdout } = await detect(...given(), '--json', at('picture.png'));
    expect(code).toBe(0);
    const { file, device, boxes } = JSON.parse(stdout);
    expect([file, device]).toEqual([at('picture.png'), 'reference']);
    expect(boxes.map(({ index, label }: { index: number; label: string }) => [index, label])).toEqual([
      [0, 'red'],
      [1, 'green'],
    ]);
    const near = (box: readonly number[]) => box.map((value) => Math.round(value * 1000) / 1000);
    expect(boxes.map(({ box }: { box: number[] }) => near(box))).toEqual([
      [5, 15, 20, 20],
      [25, -5, 20, 20],
    ]);
    expect(boxes[0].score).toBeGreaterThan(boxes[1].score);
  });

  it('takes labels, and says less where asked', async () => {
    const { code, stdout } = await detect(...given(), '--labels', at('labels.txt'), '--top', '1', at('picture.png'));
    expect([code, stdout]).toEqual([0, expect.stringMatching(/picture\.png: rouge \d\d\.\d % at 5 15 20 20\n$/)]);
    expect((await detect(...given(), '--min-score', '1', at('picture.png'))).stdout).toMatch(/picture\.png: nothing/);
  });

  it('goes on after a bad picture, and says what it needs', async () => {
    const { code, stdout, stderr } = await detect(...given(), '--json', 'README.md', at('picture.png'));
    expect([code, stdout.trim().split('\n').length]).toEqual([1, 1]);
    expect(stderr).toMatch(/README\.md could not be decoded/);
    expect((await detect('--help')).code).toBe(0);
    expect((await detect(...given())).code).toBe(2);
    const bad = await detect(...given(), '--min-score', '2', at('picture.png'));
    expect([bad.code, bad.stderr]).toEqual([
      2,
      expect.stringMatching(/--min-score is "2", expected a number from 0 to 1/),
    ]);
  });
});
