import type { Affine, BatchNorm, Conv2d, FullyConnected, Node } from '../graph/ops.ts';

/** y = x · scale + shift for each channel, in float64. */
export interface Factors {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** What a batch-norm or affine of so many channels does. */
export function factorsOf(node: BatchNorm | Affine, channels: number): Factors {
  const at = (values: Float32Array, c: number) => values[values.length === 1 ? 0 : c]!;
  const scale = new Float64Array(channels);
  const shift = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    if (node.op === 'affine') {
      scale[c] = at(node.scale, c);
      shift[c] = at(node.shift, c);
    } else {
      scale[c] = node.scale[c]! / Math.sqrt(node.variance[c]! + node.epsilon);
      shift[c] = node.shift[c]! - node.mean[c]! * scale[c]!;
    }
  }
  return { scale, shift };
}

/** The node, and behind it a scale (of one value: for all channels) that writes what the node did. */
export function withScale(node: Node, name: string, scale: Float32Array): readonly Node[] {
  const { output } = node;
  const unscaled = `${output}/unscaled`;
  return [
    { ...node, output: unscaled },
    { op: 'affine', name, inputs: [unscaled], output, scale, shift: Float32Array.of(0) },
  ];
}

/** The layer followed by the factors, as one layer. It must have no activation. Weights have the output channel last. */
export function scaleOutputs<N extends Conv2d | FullyConnected>(node: N, { scale, shift }: Factors): N {
  const outputs = scale.length;
  const weights = new Float32Array(node.weights.length);
  for (let from = 0; from < weights.length; from += outputs) {
    for (let o = 0; o < outputs; o++) weights[from + o] = node.weights[from + o]! * scale[o]!;
  }
  const bias = Float32Array.from(shift, (value, o) => (node.bias?.[o] ?? 0) * scale[o]! + value);
  return { ...node, weights, bias };
}

/**
 * The layer after the factors, as one layer; with a shift it must pad nothing. The input channel varies faster than the
 * tap, or than the pixel that a fully connected layer flattens.
 */
export function scaleInputs<N extends Conv2d | FullyConnected>(node: N, { scale, shift }: Factors): N {
  const outputs = node.op === 'conv2d' ? node.outChannels : node.outFeatures;
  const groups = node.op === 'conv2d' ? node.groups : 1;
  const groupInputs = scale.length / groups;
  const weights = new Float32Array(node.weights.length);
  const bias = Float64Array.from({ length: outputs }, (_, o) => node.bias?.[o] ?? 0);
  for (let from = 0; from < weights.length; from += outputs) {
    const groupInput = (from / outputs) % groupInputs;
    for (let o = 0; o < outputs; o++) {
      const input = Math.floor(o / (outputs / groups)) * groupInputs + groupInput;
      const weight = node.weights[from + o]!;
      weights[from + o] = weight * scale[input]!;
      bias[o] = bias[o]! + weight * shift[input]!;
    }
  }
  return { ...node, weights, bias: Float32Array.from(bias) };
}
