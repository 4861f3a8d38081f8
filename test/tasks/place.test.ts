import { expect, it } from 'vitest';
import { imageToTensor } from '../../src/images/image-to-tensor.ts';
import { detectImage, placeOnPicture, poseImage } from '../../src/tasks/index.ts';

it.each([
  ['letterboxed', poseImage, 0.5, 0.25],
  ['squashed', detectImage, 0.5, 0.25],
  ['cropped', { ...poseImage, fit: 'crop' as const, cropFraction: 0.75 }, 0.5, 0.375],
  ['cropped, corners aligned', { ...poseImage, fit: 'crop' as const, corners: 'align' as const }, 0.5, 0.5],
  ['turned right', { ...poseImage, rotate: 90 as const }, 0.3, 0.25],
  ['turned over and mirrored', { ...poseImage, rotate: 180 as const, flip: true }, 0.3, 0.25],
  [
    'turned left, mirrored and cropped',
    { ...poseImage, rotate: 270 as const, flip: true, fit: 'crop' as const },
    0.3,
    0.375,
  ],
])('leads back to the spot in a picture that was %s', (_, rule, y, x) => {
  const [height, width, size] = [80, 160, 64];
  const data = new Uint8Array(height * width * 4);
  const [row, column] = [Math.floor(y * height), Math.floor(x * width)];
  for (const dy of [-2, -1, 0, 1]) {
    for (const dx of [-2, -1, 0, 1]) data[((row + dy) * width + column + dx) * 4] = 255;
  }
  const tensor = imageToTensor({ width, height, data }, rule, [size, size], 3);
  // The centre of mass of the spot on the input.
  let [mass, sumY, sumX] = [0, 0, 0];
  for (let i = 0; i < size * size; i++) {
    mass += tensor[3 * i]!;
    sumY += tensor[3 * i]! * (Math.floor(i / size) + 0.5);
    sumX += tensor[3 * i]! * ((i % size) + 0.5);
  }
  const place = { y: sumY / mass / size, x: sumX / mass / size };
  const found = placeOnPicture(place, [height, width], rule, [size, size]);
  expect(Math.abs(found.y - y) * height).toBeLessThan(0.2);
  expect(Math.abs(found.x - x) * width).toBeLessThan(0.2);
});
