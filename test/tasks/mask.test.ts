import { expect, it } from 'vitest';
import type { ImageRule } from '../../src/graph/graph.ts';
import { plainImage } from '../../src/graph/image-rule.ts';
import { imageToTensor } from '../../src/images/image-to-tensor.ts';
import { classMask, type Framing, scoreMask } from '../../src/tasks/index.ts';

it('gives each pixel its cell where picture, input and grid are one', () => {
  const scores = Float32Array.of(0, 1, 2, 3, 1, 0, 5, 5, 9, 1, 1, 1, 0, 0, 1, 7, 8, 6);
  const framing: Framing = { picture: [2, 3], rule: plainImage, input: [2, 3] };
  // Of equal scores the first.
  for (const corners of ['half-pixel', 'align'] as const) {
    const grid = { scores, classes: 3, size: [2, 3] as const, corners };
    expect([...classMask(grid, framing)]).toEqual([2, 0, 2, 0, 2, 1]);
  }
});

it('interpolates scores between cells, not classes', () => {
  // Two cells, 0 and 8, over eight pixels of the input and of the picture.
  const grid = { scores: Float32Array.of(0, 8), classes: 1, size: [1, 2] as const };
  const framing: Framing = { picture: [1, 8], rule: plainImage, input: [1, 8] };
  // Centres of the cells: 1.5 and 5.5 of 0 … 7, or 0 and 7.
  expect([...scoreMask({ ...grid, corners: 'half-pixel' }, framing)]).toEqual([0, 0, 1, 3, 5, 7, 8, 8]);
  const aligned = [...scoreMask({ ...grid, corners: 'align' }, framing)];
  for (const [i, value] of aligned.entries()) expect(value).toBeCloseTo((8 * i) / 7, 5);
});

it.each([
  ['squashed', plainImage],
  ['letterboxed', { ...plainImage, fit: 'letterbox' }],
  ['cropped', { ...plainImage, fit: 'crop', cropFraction: 0.75 }],
  ['turned right', { ...plainImage, rotate: 90 }],
  ['turned over and mirrored', { ...plainImage, rotate: 180, flip: true, fit: 'letterbox' }],
  ['turned left, cropped', { ...plainImage, rotate: 270, fit: 'crop' }],
] as [string, ImageRule][])('lies over the picture that the network saw, %s', (_, rule) => {
  // A bright blob is found where it lies, by the brightness of the input itself.
  const [height, width] = [40, 64];
  const data = new Uint8Array(height * width * 4);
  for (let y = 16; y < 28; y++) for (let x = 28; x < 44; x++) data[4 * (y * width + x)] = 255;
  const tensor = imageToTensor({ width, height, data }, rule, [80, 80], 3);
  const scores = Float32Array.from({ length: 6400 }, (_, i) => tensor[3 * i]!);
  const grid = { scores, classes: 1, size: [80, 80] as const, corners: 'half-pixel' as const };
  const mask = scoreMask(grid, { picture: [height, width], rule, input: [80, 80] });
  let seen = 0;
  for (let i = 0; i < mask.length; i++) {
    if (Number.isNaN(mask[i]!)) continue;
    seen++;
    // A pixel or two of the edge are blurred.
    const [y, x] = [Math.floor(i / width), i % width];
    const away = Math.max(Math.max(16 - y, y - 27), Math.max(28 - x, x - 43));
    if (away > 1) expect(mask[i], `${y} ${x}`).toBeLessThan(128);
    if (away < -1) expect(mask[i], `${y} ${x}`).toBeGreaterThan(127);
  }
  expect(seen).toBeGreaterThan(rule.fit === 'crop' ? 20 * 20 : height * width - 1);
  if (rule.fit === 'crop') expect(seen).toBeLessThan(height * width);
});

it('says what does not fit', () => {
  const framing: Framing = { picture: [2, 2], rule: plainImage, input: [2, 2] };
  const scores = new Float32Array(8);
  expect(() => classMask({ scores, classes: 3, corners: 'align' }, framing)).toThrow(/scores has 8 values/);
  expect(() => classMask({ scores: new Float32Array(1200), classes: 300, corners: 'align' }, framing)).toThrow(
    /there are 300 classes, expected at most 255/,
  );
});
