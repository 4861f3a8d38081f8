import type { Conv2d, Shape } from '../graph/ops.ts';
import { finish } from './activation.ts';
import type { Counter, Tensor } from './tensor.ts';

/**
 * The sums of a convolution before its activation, with the bias, in float64 and in the order of `shape` (the output):
 *
 * sum[n, y, x, k] = bias[k] + Σ over ky, kx, c of
 *   input[n, y · stride + ky · dilation − top, x · stride + kx · dilation − left, g · cin + c] · weights[ky, kx, c, k]
 *
 * where g = ⌊k / (outputs of a group)⌋ is the group of output channel k, and cin the input channels of a group.
 * Places outside the input are zero, and are multiplied as such: that is what a count of multiplications means.
 */
export function convolve(node: Conv2d, input: Tensor, shape: Shape, counter?: Counter): Float64Array {
  const { weights, bias, kernel, stride, dilation, padding, groups } = node;
  const [, inHeight, inWidth, inChannels] = input.shape;
  const [batch, height, width, outChannels] = shape;
  const groupInputs = inChannels / groups;
  const groupOutputs = outChannels / groups;
  const data = input.data;
  const sums = new Float64Array(batch * height * width * outChannels);
  let multiplications = 0;

  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const out = ((n * height + y) * width + x) * outChannels;
        if (bias) for (let k = 0; k < outChannels; k++) sums[out + k] = bias[k]!;

        for (let ky = 0; ky < kernel[0]; ky++) {
          for (let kx = 0; kx < kernel[1]; kx++) {
            const inY = y * stride[0] + ky * dilation[0] - padding.top;
            const inX = x * stride[1] + kx * dilation[1] - padding.left;
            const inside = inY >= 0 && inY < inHeight && inX >= 0 && inX < inWidth;
            const pixel = ((n * inHeight + inY) * inWidth + inX) * inChannels;

            for (let c = 0; c < groupInputs; c++) {
              const row = ((ky * kernel[1] + kx) * groupInputs + c) * outChannels;
              for (let g = 0; g < groups; g++) {
                const value = inside ? data[pixel + g * groupInputs + c]! : 0;
                const end = (g + 1) * groupOutputs;
                for (let k = g * groupOutputs; k < end; k++) sums[out + k]! += value * weights[row + k]!;
                multiplications += groupOutputs;
              }
            }
          }
        }
      }
    }
  }
  if (counter) counter.multiplications += multiplications;
  return sums;
}

/** activation(convolution + bias) + residual. */
export function conv2d(node: Conv2d, inputs: readonly Tensor[], shape: Shape, counter?: Counter): Tensor {
  return { shape, data: finish(convolve(node, inputs[0]!, shape, counter), node.activation, inputs[1]?.data) };
}
