import { randomValues } from './random-values.ts';

/**
 * Soft blobs on a gradient, always the same for a seed: `[height, width, channels]`, from `low` (black) to `high` (white),
 * in whole numbers of 255 steps.
 */
export function paintedScene(
  [height, width, channels]: readonly number[],
  seed: number,
  [low, high]: readonly [number, number] = [0, 255],
): Float32Array {
  const blobs = Array.from({ length: 12 }, (_, i) => randomValues(4, seed + i, 0, 1));
  const pixels = new Float32Array(height! * width! * channels!);
  let at = 0;
  for (let row = 0; row < height!; row++) {
    for (let column = 0; column < width!; column++) {
      const [y, x] = [row / height!, column / width!];
      for (let c = 0; c < channels!; c++) {
        let value = 60 + 80 * [y, x, 1 - y][c]!;
        for (const [blobY, blobX, size, light] of blobs as unknown as [number, number, number, number][]) {
          const distance = Math.hypot(y - blobY, x - blobX) / (0.05 + 0.15 * size);
          value += (light - 0.5) * 300 * Math.exp(-(distance ** (2 + c)));
        }
        pixels[at++] = low + (Math.floor(Math.min(255, Math.max(0, value))) / 255) * (high - low);
      }
    }
  }
  return pixels;
}
