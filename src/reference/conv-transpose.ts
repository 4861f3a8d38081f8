import type { ConvTranspose2d, Shape } from '../graph/ops.ts';
import { finish } from './activation.ts';
import type { Counter, Tensor } from './tensor.ts';

/**
 * The sums of a transposed convolution before its activation, with the bias, in float64 and in the order of `shape` (the
 * output): the bias, and what every input pixel lays there (`ConvTranspose2d` has the formula). Products that fall outside
 * are counted and dropped.
 */
export function layOut(node: ConvTranspose2d, input: Tensor, shape: Shape, counter?: Counter): Float64Array {
  const { weights, bias, kernel, stride, dilation, crop } = node;
  const [batch, inHeight, inWidth, inChannels] = input.shape;
  const [, height, width, outChannels] = shape;
  const sums = new Float64Array(batch * height * width * outChannels);
  if (bias) for (let i = 0; i < sums.length; i++) sums[i] = bias[i % outChannels]!;
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < inHeight; y++) {
      for (let x = 0; x < inWidth; x++) {
        const pixel = ((n * inHeight + y) * inWidth + x) * inChannels;
        for (let ky = 0; ky < kernel[0]; ky++) {
          for (let kx = 0; kx < kernel[1]; kx++) {
            const outY = y * stride[0] + ky * dilation[0] - crop[0];
            const outX = x * stride[1] + kx * dilation[1] - crop[1];
            if (counter) counter.multiplications += inChannels * outChannels;
            if (outY < 0 || outY >= height || outX < 0 || outX >= width) continue;
            const out = ((n * height + outY) * width + outX) * outChannels;
            for (let c = 0; c < inChannels; c++) {
              const row = ((ky * kernel[1] + kx) * inChannels + c) * outChannels;
              for (let k = 0; k < outChannels; k++) sums[out + k]! += input.data[pixel + c]! * weights[row + k]!;
            }
          }
        }
      }
    }
  }
  return sums;
}

/** activation(transposed convolution + bias). */
export const convTranspose2d = (node: ConvTranspose2d, input: Tensor, shape: Shape, counter?: Counter): Tensor => ({
  shape,
  data: finish(layOut(node, input, shape, counter), node.activation),
});
