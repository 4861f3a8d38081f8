import type { Affine, BatchNorm, Conv2d, FullyConnected, Node } from '../graph/ops.ts';
import { type Pass, rewriteAll } from './pass.ts';

/**
 * A batch-norm or affine after a convolution or fully connected layer goes into its weights and bias, in float64; one
 * before a convolution that pads nothing too. What is left over becomes affine, and affines in a row become one.
 */
export const foldBatchNorm: Pass = (graph) =>
  rewriteAll(graph, (node, links) => {
    if (node.op !== 'batch-norm' && node.op !== 'affine') return null;
    const [source] = node.inputs;
    const channels = links.shapes.get(node.output)![3];
    const factors = factorsOf(node, channels);
    const before = links.soleProducer(source!);
    if (before && isLinear(before)) {
      return new Map<Node, readonly Node[]>([
        [before, []],
        [node, [{ ...scaleOutputs(before, factors), output: node.output }]],
      ]);
    }
    if (before?.op === 'affine') {
      const inner = factorsOf(before, channels);
      const merged = affine(node, before.inputs, {
        scale: factors.scale.map((value, c) => value * inner.scale[c]!),
        shift: factors.shift.map((value, c) => value + factors.scale[c]! * inner.shift[c]!),
      });
      return new Map<Node, readonly Node[]>([
        [before, []],
        [node, [merged]],
      ]);
    }
    const [after, ...others] = links.consumers(node.output);
    if (after && others.length === 0 && !links.isOutput(node.output) && takesInputScale(after, node.output)) {
      return new Map<Node, readonly Node[]>([
        [node, []],
        [after, [{ ...scaleInputs(after, factors), inputs: [source!] }]],
      ]);
    }
    return node.op === 'batch-norm' ? new Map([[node, [affine(node, node.inputs, factors)]]]) : null;
  });

/** y = x · scale + shift for each channel, in float64. */
interface Factors {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

function factorsOf(node: BatchNorm | Affine, channels: number): Factors {
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

const affine = (node: BatchNorm | Affine, inputs: readonly string[], { scale, shift }: Factors): Affine => ({
  op: 'affine',
  name: node.name,
  inputs,
  output: node.output,
  scale: Float32Array.from(scale),
  shift: Float32Array.from(shift),
});

/** A convolution or fully connected layer that does nothing after its sum. */
function isLinear(node: Node): node is Conv2d | FullyConnected {
  return (
    (node.op === 'conv2d' || node.op === 'fully-connected') && node.activation === 'none' && node.inputs.length === 1
  );
}

/** Weights have the output channel last. */
function scaleOutputs<N extends Conv2d | FullyConnected>(node: N, { scale, shift }: Factors): N {
  const outputs = scale.length;
  return {
    ...node,
    weights: node.weights.map((weight, i) => weight * scale[i % outputs]!),
    bias: Float32Array.from({ length: outputs }, (_, o) => (node.bias?.[o] ?? 0) * scale[o]! + shift[o]!),
  };
}

/** A shift before padding would have to be padded too, so only what pads nothing takes one in. */
function takesInputScale(node: Node, tensor: string): node is Conv2d | FullyConnected {
  if (node.inputs[0] !== tensor || node.inputs.length > 1) return false;
  if (node.op === 'fully-connected') return true;
  return node.op === 'conv2d' && Object.values(node.padding).every((side) => side === 0);
}

/** The input channel varies faster than the tap, or than the pixel that a fully connected layer flattens. */
function scaleInputs<N extends Conv2d | FullyConnected>(node: N, { scale, shift }: Factors): N {
  const outputs = node.op === 'conv2d' ? node.outChannels : node.outFeatures;
  const groups = node.op === 'conv2d' ? node.groups : 1;
  const groupInputs = scale.length / groups;
  const weights = new Float32Array(node.weights.length);
  const bias = Float64Array.from({ length: outputs }, (_, o) => node.bias?.[o] ?? 0);
  node.weights.forEach((weight, i) => {
    const output = i % outputs;
    const group = Math.floor(output / (outputs / groups));
    const input = group * groupInputs + (Math.floor(i / outputs) % groupInputs);
    weights[i] = weight * scale[input]!;
    bias[output] = bias[output]! + weight * shift[input]!;
  });
  return { ...node, weights, bias: Float32Array.from(bias) };
}
