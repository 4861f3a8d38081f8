import type { FullyConnected, Shape } from '../graph/ops.ts';
import { finish } from './activation.ts';
import type { Counter, Tensor } from './tensor.ts';

/** The sums before the activation, in float64: sum[n, k] = bias[k] + Σ over i of input[n, i] · weights[i, k]. */
export function matrixProduct(node: FullyConnected, input: Tensor, counter?: Counter): Float64Array {
  const { weights, bias, outFeatures } = node;
  const [batch, height, width, channels] = input.shape;
  const inFeatures = height * width * channels;
  const sums = new Float64Array(batch * outFeatures);
  let multiplications = 0;

  for (let n = 0; n < batch; n++) {
    const out = n * outFeatures;
    if (bias) for (let k = 0; k < outFeatures; k++) sums[out + k] = bias[k]!;

    for (let i = 0; i < inFeatures; i++) {
      const value = input.data[n * inFeatures + i]!;
      for (let k = 0; k < outFeatures; k++) {
        sums[out + k]! += value * weights[i * outFeatures + k]!;
        multiplications++;
      }
    }
  }
  if (counter) counter.multiplications += multiplications;
  return sums;
}

export function fullyConnected(node: FullyConnected, input: Tensor, shape: Shape, counter?: Counter): Tensor {
  return { shape, data: finish(matrixProduct(node, input, counter), node.activation) };
}
