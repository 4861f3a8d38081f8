import type { Padding, Pair, Shape } from '../graph/ops.ts';

/** Fields of `struct Shape` that every sliding window has. */
export function windowShape(
  node: { readonly kernel: Pair; readonly stride: Pair; readonly padding: Padding },
  input: Shape,
  output: Shape,
) {
  return {
    in_height: input[1],
    in_width: input[2],
    out_height: output[1],
    out_width: output[2],
    kernel_y: node.kernel[0],
    kernel_x: node.kernel[1],
    stride_y: node.stride[0],
    stride_x: node.stride[1],
    pad_top: node.padding.top,
    pad_left: node.padding.left,
  };
}
