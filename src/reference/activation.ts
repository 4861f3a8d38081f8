import type { Activate, Activation } from '../graph/ops.ts';
import type { Tensor } from './tensor.ts';

const relu6 = (x: number): number => Math.min(Math.max(x, 0), 6);

/** The functions of `Activation` (src/graph/ops.ts), in float64. */
export function activate(activation: Activation, x: number): number {
  switch (activation) {
    case 'none':
      return x;
    case 'relu':
      return Math.max(x, 0);
    case 'relu6':
      return relu6(x);
    case 'hard-sigmoid':
      return relu6(x + 3) / 6;
    case 'hard-swish':
      return (x * relu6(x + 3)) / 6;
    case 'sigmoid':
      return 1 / (1 + Math.exp(-x));
  }
}

/** activation(sum) + residual for each element, rounded to float32 once, at the end. */
export function finish(sums: Float64Array, activation: Activation, residual?: Float32Array): Float32Array {
  const out = new Float32Array(sums.length);
  for (let i = 0; i < out.length; i++) {
    const value = activate(activation, sums[i]!);
    out[i] = residual ? value + residual[i]! : value;
  }
  return out;
}

export function activation(node: Activate, input: Tensor): Tensor {
  return { shape: input.shape, data: input.data.map((x) => activate(node.activation, x)) };
}
