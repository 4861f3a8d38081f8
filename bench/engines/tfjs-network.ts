import * as tf from '@tensorflow/tfjs-core';
import { inferShapes, samePadding } from '../../src/graph/shapes.ts';
import type { Activation, Conv2d, Graph, Node, NodeOf, Padding, Shape } from '../../src/index.ts';
import type { BenchModel, Session } from './engine.ts';

export interface TfjsSession extends Session {
  /** Has every operation issued; the outputs are to be read and disposed of. */
  issue(values: readonly Float32Array[]): tf.Tensor4D[];
}

export interface TfjsLoader {
  load(model: BenchModel): Promise<TfjsSession>;
}

export async function startBackend(backend: 'webgpu' | 'wasm'): Promise<TfjsLoader> {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js could not start its ${backend} backend`);
  await tf.ready();
  // A run submits before it returns, and only reading back is waited for; on the CPU nothing is.
  const inFlight = backend === 'webgpu' ? 3 : 1;
  return { load: async ({ graph }) => ({ ...loadNetwork(graph), inFlight }) };
}

/**
 * The operations that TensorFlow.js's converter emits: convolution, bias and relu or relu6 fused; hard-swish as
 * x · relu6(x + 3) / 6. Weights become tensors once, here; a run is one `tf.tidy`.
 */
function loadNetwork(graph: Graph) {
  const shapes = inferShapes(graph);
  const steps = graph.nodes.map((node) => ({ node, run: operation(node, shapes) }));
  const issue = (values: readonly Float32Array[]): tf.Tensor4D[] =>
    tf.tidy(() => {
      const tensors = new Map<string, tf.Tensor4D>(
        graph.inputs.map(({ name, shape }, i) => [name, tf.tensor4d(values[i]!, [...shape])]),
      );
      for (const { node, run } of steps) tensors.set(node.output, run(node.inputs.map((name) => tensors.get(name)!)));
      return graph.outputs.map(({ tensor }) => tensors.get(tensor)!);
    });
  return {
    issue,
    async run(values: readonly Float32Array[]): Promise<Float32Array[]> {
      const outputs = issue(values);
      const data = await Promise.all(outputs.map((output) => output.data() as Promise<Float32Array>));
      tf.dispose(outputs);
      return data;
    },
  };
}

type Step = (inputs: tf.Tensor4D[]) => tf.Tensor4D;

function operation(node: Node, shapes: ReadonlyMap<string, Shape>): Step {
  const input = shapes.get(node.inputs[0]!)!;
  const output = shapes.get(node.output)!;
  switch (node.op) {
    case 'conv2d':
      return convolution(node, input);
    case 'fully-connected': {
      const weights = tf.tensor2d(node.weights, [node.weights.length / node.outFeatures, node.outFeatures]);
      const bias = node.bias && tf.tensor1d(node.bias);
      const activation = fusedActivation(node.activation);
      return ([x]) => {
        const flat = tf.reshape(x!, [input[0], -1]) as tf.Tensor2D;
        const product = tf.fused.matMul({ a: flat, b: weights, activation, ...(bias ? { bias } : {}) });
        const image = tf.reshape(product, [...output]) as tf.Tensor4D;
        return activation === 'linear' ? activate(image, node.activation) : image;
      };
    }
    case 'global-average-pool':
      return ([x]) => tf.mean(x!, [1, 2], true);
    case 'pool':
      return pooling(node, input);
    case 'add':
      return ([a, b]) => activate(tf.add(a!, b!), node.activation);
    case 'multiply':
      return ([a, b]) => activate(tf.mul(a!, b!), node.activation);
    case 'activation':
      return ([x]) => activate(x!, node.activation);
    case 'clip':
      return ([x]) => tf.clipByValue(x!, node.min, node.max);
    case 'batch-norm': {
      const [mean, variance, shift, scale] = [node.mean, node.variance, node.shift, node.scale].map((values) =>
        tf.tensor1d(values),
      );
      return ([x]) => tf.batchNorm4d(x!, mean!, variance!, shift!, scale!, node.epsilon);
    }
    case 'affine': {
      const scale = tf.tensor1d(node.scale);
      const shift = tf.tensor1d(node.shift);
      return ([x]) => tf.add(tf.mul(x!, scale), shift);
    }
    case 'l2-normalize':
      return ([x]) => tf.div(x!, tf.maximum(tf.norm(x!, 2, 3, true), node.epsilon));
    case 'prelu': {
      const slope = tf.tensor4d(node.slope, [1, 1, 1, node.slope.length]);
      return ([x]) => tf.prelu(x!, slope);
    }
    case 'softmax':
      return ([x]) => tf.softmax(x!);
    case 'reshape':
      return ([x]) => tf.reshape(x!, [...node.shape]) as tf.Tensor4D;
    case 'transpose':
      return ([x]) => tf.transpose(x!, [...node.permutation]);
    case 'pad':
      return ([x]) => tf.pad(x!, aroundImage(node.padding));
    case 'concat':
      return (parts) => tf.concat(parts, 3);
    case 'resize': {
      const align = node.corners === 'align';
      const half = node.corners === 'half-pixel';
      const resize = node.mode === 'bilinear' ? tf.image.resizeBilinear : tf.image.resizeNearestNeighbor;
      return ([x]) => resize(x!, [...node.size], align, half);
    }
    case 'conv-transpose2d':
      throw new Error(`node "${node.name}": transposed convolutions are not compared`);
    case 'integer':
      throw new Error(`node "${node.name}": peers are given networks of real numbers`);
    case 'sum-tiles':
      throw new Error(`node "${node.name}": peers are given networks that are not fused`);
    case 'fused': {
      const parts = node.parts.map((part) => ({ part, run: operation(part, shapes) }));
      return (inputs) => {
        const tensors = new Map(node.inputs.map((name, i) => [name, inputs[i]!]));
        for (const { part, run } of parts) tensors.set(part.output, run(part.inputs.map((name) => tensors.get(name)!)));
        return tensors.get(node.output)!;
      };
    }
  }
}

function convolution(node: Conv2d, input: Shape): Step {
  const { kernel, stride, dilation, padding, groups, outChannels } = node;
  const depthwise = groups > 1 && groups === input[3];
  const bias = node.bias && tf.tensor1d(node.bias);
  const fused = fusedActivation(node.activation);
  const options = {
    strides: [...stride] as [number, number],
    // The typings of the fused operations leave out explicit padding, which they take.
    pad: (namedPadding(padding, samePadding([input[1], input[2]], kernel, stride, dilation)) ??
      aroundImage(padding)) as 'same',
    dilations: [...dilation] as [number, number],
  };
  const finish = (y: tf.Tensor4D, residual: tf.Tensor4D | undefined): tf.Tensor4D => {
    const activated = fused === 'linear' ? activate(y, node.activation) : y;
    return residual ? tf.add(activated, residual) : activated;
  };
  if (groups > 1 && !depthwise) {
    // There is no grouped convolution: one a group, as the converter does.
    const all = tf.tensor4d(node.weights, [...kernel, input[3] / groups, outChannels]);
    const filters = tf.split(all, groups, 3);
    return ([x, residual]) => {
      const parts = tf
        .split(x!, groups, 3)
        .map((part, g) =>
          tf.conv2d(
            part as tf.Tensor4D,
            filters[g] as tf.Tensor4D,
            options.strides,
            options.pad,
            'NHWC',
            options.dilations,
          ),
        );
      const joined = tf.concat(parts, 3);
      const sum: tf.Tensor4D = bias ? tf.add(joined, bias) : joined;
      return finish(fused === 'linear' ? sum : activate(sum, node.activation), residual);
    };
  }
  const filter = tf.tensor4d(
    node.weights,
    depthwise ? [...kernel, input[3], outChannels / groups] : [...kernel, input[3], outChannels],
  );
  const convolve = depthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
  return ([x, residual]) =>
    finish(convolve({ x: x!, filter, ...options, activation: fused, ...(bias ? { bias } : {}) }), residual);
}

/** TensorFlow's pools pad as SAME or VALID do, and an average never counts what it pads; the rest is laid around before. */
function pooling(node: NodeOf<'pool'>, input: Shape): Step {
  const { kernel, stride, padding, kind } = node;
  const size = [...kernel] as [number, number];
  const strides = [...stride] as [number, number];
  const named = namedPadding(padding, samePadding([input[1], input[2]], kernel, stride));
  const around = aroundImage(padding);
  if (kind === 'max') {
    if (named) return ([x]) => tf.maxPool(x!, size, strides, named);
    return ([x]) => tf.maxPool(tf.pad(x!, around, -3.4e38), size, strides, 'valid');
  }
  if (named === 'valid' || (named && !node.countPadding)) return ([x]) => tf.avgPool(x!, size, strides, named);
  const padded = (x: tf.Tensor4D) => tf.avgPool(tf.pad(x, around), size, strides, 'valid');
  if (node.countPadding) return ([x]) => padded(x!);
  const inside = tf.tidy(() => padded(tf.ones([1, input[1], input[2], 1])));
  return ([x]) => tf.div(padded(x!), inside);
}

function namedPadding(padding: Padding, same: Padding): 'valid' | 'same' | null {
  const sides = ['top', 'left', 'bottom', 'right'] as const;
  if (sides.every((side) => padding[side] === 0)) return 'valid';
  return sides.every((side) => padding[side] === same[side]) ? 'same' : null;
}

const aroundImage = ({ top, left, bottom, right }: Padding): [number, number][] => [
  [0, 0],
  [top, bottom],
  [left, right],
  [0, 0],
];

function fusedActivation(activation: Activation): 'linear' | 'relu' | 'relu6' {
  return activation === 'relu' || activation === 'relu6' ? activation : 'linear';
}

function activate(x: tf.Tensor4D, activation: Activation): tf.Tensor4D {
  switch (activation) {
    case 'none':
      return x;
    case 'relu':
      return tf.relu(x);
    case 'relu6':
      return tf.relu6(x);
    case 'sigmoid':
      return tf.sigmoid(x);
    case 'hard-sigmoid':
      return tf.mul(tf.relu6(tf.add(x, 3)), 1 / 6);
    case 'hard-swish':
      return tf.mul(tf.mul(x, tf.relu6(tf.add(x, 3))), 1 / 6);
  }
}
