import type { Pool, Shape, SumTiles } from '../graph/ops.ts';
import type { Tensor } from './tensor.ts';

/** Maximum or mean over a window. Places outside are no candidates for the maximum and add nothing to the sum. */
export function pool(node: Pool, input: Tensor, shape: Shape): Tensor {
  const { kernel, stride, padding } = node;
  const [, inHeight, inWidth] = input.shape;
  const [batch, height, width, channels] = shape;
  const data = new Float32Array(batch * height * width * channels);

  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          let maximum = Number.NEGATIVE_INFINITY;
          let count = 0;
          for (let ky = 0; ky < kernel[0]; ky++) {
            for (let kx = 0; kx < kernel[1]; kx++) {
              const inY = y * stride[0] + ky - padding.top;
              const inX = x * stride[1] + kx - padding.left;
              if (inY < 0 || inY >= inHeight || inX < 0 || inX >= inWidth) continue;
              const value = input.data[((n * inHeight + inY) * inWidth + inX) * channels + c]!;
              sum += value;
              maximum = Math.max(maximum, value);
              count++;
            }
          }
          const divisor = node.countPadding ? kernel[0] * kernel[1] : count;
          data[((n * height + y) * width + x) * channels + c] = node.kind === 'max' ? maximum : sum / divisor;
        }
      }
    }
  }
  return { shape, data };
}

/** Sum of the pixels of each tile, tiles row by row. */
export function sumTiles({ tile }: SumTiles, input: Tensor, shape: Shape): Tensor {
  const [batch, height, width, channels] = input.shape;
  const across = Math.ceil(width / tile[1]);
  const sums = new Float64Array(batch * shape[1] * channels);
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const index = Math.floor(y / tile[0]) * across + Math.floor(x / tile[1]);
        for (let c = 0; c < channels; c++) {
          sums[(n * shape[1] + index) * channels + c]! += input.data[((n * height + y) * width + x) * channels + c]!;
        }
      }
    }
  }
  return { shape, data: Float32Array.from(sums) };
}
