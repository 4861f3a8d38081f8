/** Pixels of picture files are those that a browser's decoder gives. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { afterAll, describe, expect, it } from 'vitest';
import { decode } from '../../src/cli/decode.ts';
import { UsageError } from '../../src/errors.ts';
import { modelFolder, needModels } from '../support/real-models.ts';

const folder = mkdtempSync(join(tmpdir(), 'decode-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** By Skia, as Chromium decodes. */
async function expected(file: string): Promise<Uint8ClampedArray> {
  const image = await loadImage(readFileSync(file));
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, image.width, image.height).data;
}

async function difference(file: string): Promise<number> {
  const [found, pixels] = [await decode(file), await expected(file)];
  expect(found.data.length).toBe(pixels.length);
  return pixels.reduce((most, value, i) => Math.max(most, Math.abs(value - found.data[i]!)), 0);
}

describe('photographs', () => {
  needModels();
  it.each(['burger.jpg', 'cats_and_dogs.jpg', 'parrot.jpg', 'cat.bmp', 'squat.bmp'])('%s', async (name) => {
    expect(await difference(join(modelFolder, name))).toBe(0);
  });
});

const canvas = createCanvas(37, 23);
const context = canvas.getContext('2d');
for (let i = 0; i < 60; i++) {
  context.fillStyle = `rgb(${(i * 71) % 256} ${(i * 37) % 256} ${(i * 113) % 256})`;
  context.fillRect((i * 17) % 37, (i * 7) % 23, 9, 5);
}

it.each([
  ['png', () => canvas.toBuffer('image/png')],
  ['webp', () => canvas.toBuffer('image/webp', 100)],
  ['jpg', () => canvas.toBuffer('image/jpeg', 90)],
] as const)('a %s of odd sides, whatever its name', async (kind, write) => {
  const file = join(folder, `${kind}.picture`);
  writeFileSync(file, write());
  expect(await difference(file)).toBeLessThanOrEqual(kind === 'webp' ? 1 : 0);
});

it('what is no picture, or is damaged, is refused with its name', async () => {
  const cases: Record<string, Uint8Array> = {
    empty: new Uint8Array(),
    text: new TextEncoder().encode('GIF89a'),
    jpeg: canvas.toBuffer('image/jpeg').subarray(0, 30),
    png: canvas.toBuffer('image/png').subarray(0, 60),
    webp: canvas.toBuffer('image/webp').subarray(0, 30),
    bmp: new TextEncoder().encode('BM and then nothing of a bitmap'),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    const file = join(folder, name);
    writeFileSync(file, bytes);
    const error = await decode(file).catch((caught: unknown) => caught);
    expect(error, name).toBeInstanceOf(UsageError);
    expect((error as Error).message).toContain(`${name} could not be decoded as a picture`);
  }
});
