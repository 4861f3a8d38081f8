import type { Resize, Shape } from '../graph/ops.ts';
import type { Tensor } from './tensor.ts';

/** Source coordinate of output `o` along an axis of `input` → `output` pixels, not clamped; pixel i lies at i. */
export function sourceCoordinate(corners: Resize['corners'], o: number, input: number, output: number): number {
  switch (corners) {
    case 'align':
      return output > 1 ? (o * (input - 1)) / (output - 1) : 0;
    case 'half-pixel':
      return ((o + 0.5) * input) / output - 0.5;
    case 'asymmetric':
      return (o * input) / output;
  }
}

/**
 * Bilinear: the mean of the four pixels around the clamped source coordinate, weighted by nearness. Nearest: the pixel
 * at the coordinate rounded half up; for 'asymmetric' rounded down, as TensorFlow's ResizeNearestNeighbor does.
 */
export function resize(node: Resize, input: Tensor, shape: Shape): Tensor {
  const [, inHeight, inWidth] = input.shape;
  const [batch, height, width, channels] = shape;
  const data = new Float32Array(batch * height * width * channels);
  const nearest = (coordinate: number) => Math.floor(node.corners === 'asymmetric' ? coordinate : coordinate + 0.5);
  const clamp = (coordinate: number, length: number) => Math.min(Math.max(coordinate, 0), length - 1);

  for (let n = 0; n < batch; n++) {
    const source = (y: number, x: number, c: number) => input.data[((n * inHeight + y) * inWidth + x) * channels + c]!;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const out = ((n * height + y) * width + x) * channels;
        const inY = sourceCoordinate(node.corners, y, inHeight, height);
        const inX = sourceCoordinate(node.corners, x, inWidth, width);
        if (node.mode === 'nearest') {
          const fromY = clamp(nearest(inY), inHeight);
          const fromX = clamp(nearest(inX), inWidth);
          for (let c = 0; c < channels; c++) data[out + c] = source(fromY, fromX, c);
          continue;
        }
        const clampedY = clamp(inY, inHeight);
        const clampedX = clamp(inX, inWidth);
        const top = Math.floor(clampedY);
        const left = Math.floor(clampedX);
        const bottom = Math.min(top + 1, inHeight - 1);
        const right = Math.min(left + 1, inWidth - 1);
        const fy = clampedY - top;
        const fx = clampedX - left;
        for (let c = 0; c < channels; c++) {
          const upper = source(top, left, c) * (1 - fx) + source(top, right, c) * fx;
          const lower = source(bottom, left, c) * (1 - fx) + source(bottom, right, c) * fx;
          data[out + c] = upper * (1 - fy) + lower * fy;
        }
      }
    }
  }
  return { shape, data };
}
