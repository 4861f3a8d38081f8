import type { Concat, Pad, Shape, Transpose } from '../graph/ops.ts';
import { sizeOf } from '../graph/shapes.ts';
import type { Tensor } from './tensor.ts';

/** The same elements in another shape. */
export function reshape(input: Tensor, shape: Shape): Tensor {
  return { shape, data: input.data.slice() };
}

/** Element (i₀, i₁, i₂, i₃) of the output is the one of the input whose index on axis `permutation[k]` is iₖ. */
export function transpose({ permutation }: Transpose, input: Tensor, shape: Shape): Tensor {
  const [, h, w, c] = input.shape;
  const [a, b, d, e] = permutation.map((axis) => [h * w * c, w * c, c, 1][axis]!) as [number, number, number, number];
  const data = new Float32Array(input.data.length);
  let to = 0;
  for (let i = 0; i < shape[0]; i++) {
    for (let j = 0; j < shape[1]; j++) {
      for (let k = 0; k < shape[2]; k++) {
        for (let l = 0; l < shape[3]; l++) data[to++] = input.data[i * a + j * b + k * d + l * e]!;
      }
    }
  }
  return { shape, data };
}

/** Zeros around height and width. */
export function pad(node: Pad, input: Tensor, shape: Shape): Tensor {
  const [batch, inHeight, inWidth, channels] = input.shape;
  const [, height, width] = shape;
  const data = new Float32Array(batch * height * width * channels);
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < inHeight; y++) {
      const from = (n * inHeight + y) * inWidth * channels;
      const to = ((n * height + y + node.padding.top) * width + node.padding.left) * channels;
      data.set(input.data.subarray(from, from + inWidth * channels), to);
    }
  }
  return { shape, data };
}

/** Along one axis of NHWC: each place of the result comes from the input whose turn it is there. */
export function concat({ axis = 3 }: Concat, inputs: readonly Tensor[], shape: Shape): Tensor {
  const data = new Float32Array(sizeOf(shape));
  const strides = (of: Shape) => [of[1] * of[2] * of[3], of[2] * of[3], of[3], 1];
  const at = (of: Shape, place: readonly number[]) => place.reduce((sum, p, i) => sum + p * strides(of)[i]!, 0);
  let begin = 0;
  for (const input of inputs) {
    const [batch, height, width, channels] = input.shape;
    for (let n = 0; n < batch; n++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const from = at(input.shape, [n, y, x, 0]);
          const to = at(
            shape,
            [n, y, x, 0].map((p, i) => (i === axis ? p + begin : p)),
          );
          data.set(input.data.subarray(from, from + channels), to);
        }
      }
    }
    begin += input.shape[axis];
  }
  return { shape, data };
}
