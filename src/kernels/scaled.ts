/** What kernels share whose sums of products end with a product with the output's scale. */
import end from '../../shaders/fragments/scaled-end.wgsl?raw';
import type { Fragments } from '../wgsl/preprocess.ts';
import type { PackedConstant } from './kernel.ts';

export const scaledFragments: Fragments = { 'scaled-end': end };

/** Made when first asked for. */
export function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** The bias and behind it the scales, each for so many outputs. */
export function biasAndScales(bias: Float32Array | null, outputs: number, scales: () => Float32Array): PackedConstant {
  return {
    elements: 2 * outputs,
    precision: 'float32',
    pack() {
      const out = new Float32Array(2 * outputs);
      if (bias) out.set(bias);
      out.set(scales(), outputs);
      return out;
    },
  };
}
