import type { Padding, Pair, Shape } from '../graph/ops.ts';

/** Fields of `struct Shape`: what is read and what is written. */
export const planes = (input: Shape, output: Shape) => ({
  in_height: input[1],
  in_width: input[2],
  out_height: output[1],
  out_width: output[2],
});

/** Fields of `struct Shape` that every sliding window has. */
export function windowShape(
  node: { readonly kernel: Pair; readonly stride: Pair; readonly padding: Padding },
  input: Shape,
  output: Shape,
) {
  return {
    ...planes(input, output),
    kernel_y: node.kernel[0],
    kernel_x: node.kernel[1],
    stride_y: node.stride[0],
    stride_x: node.stride[1],
    pad_top: node.padding.top,
    pad_left: node.padding.left,
  };
}

/** Height and width of the input that a tile of outputs reads. */
export function inputExtent(
  { kernel, stride, dilation }: { readonly kernel: Pair; readonly stride: Pair; readonly dilation: Pair },
  [height, width]: Pair,
): Pair {
  return [
    (height - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1,
    (width - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1,
  ];
}
