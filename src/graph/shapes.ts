import { GraphError } from '../errors.ts';
import type { Graph } from './graph.ts';
import { type Fused, type Node, type Padding, type Pair, type Permutation, type Shape, writtenBy } from './ops.ts';
import { realNode } from './real-node.ts';

/** The shape of `shape` after `permutation`. */
export const permuted = (shape: Shape, permutation: Permutation): Shape =>
  permutation.map((axis) => shape[axis]!) as unknown as Shape;

/** Number of elements of a shape. */
export const sizeOf = (shape: Shape): number => shape[0] * shape[1] * shape[2] * shape[3];

/** Output length along one axis of a window of `kernel` taps (Dumoulin & Visin 2016, relationship 15). */
export function windowOutput(input: number, kernel: number, stride: number, dilation: number, padding: number): number {
  return Math.floor((input + padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

/** Length along one axis of a transposed convolution of which nothing is left out (Dumoulin & Visin 2016, relationship 13). */
export const transposedOutput = (input: number, kernel: number, stride: number, dilation: number): number =>
  (input - 1) * stride + dilation * (kernel - 1) + 1;

/**
 * TensorFlow's SAME padding: output = ⌈input / stride⌉, the odd pixel at the bottom and right.
 * At stride 2 and an even size a 3×3 kernel pads (0, 1), where PyTorch pads (1, 1).
 */
export function samePadding(input: Pair, kernel: Pair, stride: Pair, dilation: Pair = [1, 1]): Padding {
  const total = (axis: 0 | 1) => {
    const output = Math.ceil(input[axis] / stride[axis]);
    return Math.max(0, (output - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1 - input[axis]);
  };
  const [vertical, horizontal] = [total(0), total(1)];
  const top = Math.floor(vertical / 2);
  const left = Math.floor(horizontal / 2);
  return { top, left, bottom: vertical - top, right: horizontal - left };
}

export const noPadding: Padding = { top: 0, left: 0, bottom: 0, right: 0 };

/** The shape of every tensor of the graph, by name. Throws `GraphError` where shapes or weights do not fit. */
export function inferShapes(graph: Graph): Map<string, Shape> {
  const shapes = new Map<string, Shape>();
  for (const input of graph.inputs) {
    checkShape(`input "${input.name}"`, input.shape);
    shapes.set(input.name, input.shape);
  }
  const names = new Set<string>();
  for (const node of graph.nodes) {
    if (names.has(node.name)) throw new GraphError(`${graph.name}: two nodes are named "${node.name}"`);
    names.add(node.name);
    const inputs = node.inputs.map((name) => {
      const shape = shapes.get(name);
      if (!shape) {
        throw new GraphError(
          `${graph.name}: node "${node.name}" (${node.op}) reads tensor "${name}", which nothing before it writes`,
        );
      }
      return shape;
    });
    const inside = node.op === 'fused' ? partShapes(graph.name, node, inputs) : null;
    for (const output of writtenBy(node)) {
      if (shapes.has(output)) {
        throw new GraphError(`${graph.name}: tensor "${output}" is written twice, last by node "${node.name}"`);
      }
      const shape = inside ? inside.get(output) : outputShape(graph.name, node, inputs);
      if (!shape) throw new GraphError(`${graph.name}: node "${node.name}" (fused): no part writes "${output}"`);
      checkShape(`${graph.name}: output of node "${node.name}" (${node.op})`, shape);
      shapes.set(output, shape);
    }
  }
  for (const output of graph.outputs) {
    if (!shapes.has(output.tensor)) {
      throw new GraphError(`${graph.name}: output "${output.name}" is tensor "${output.tensor}", which nothing writes`);
    }
  }
  return shapes;
}

/** Shapes of everything that the parts of a fused node read and write. */
function partShapes(graph: string, node: Fused, inputs: readonly Shape[]): Map<string, Shape> {
  if (inputs.length === 0) throw new GraphError(`${graph}: node "${node.name}" (fused): has no inputs`);
  const outside = new Map(node.inputs.map((name, i) => [name, inputs[i]!]));
  const named = [...outside].map(([name, shape]) => ({ name, shape }));
  return inferShapes({ name: graph, inputs: named, outputs: [], nodes: node.parts });
}

function checkShape(what: string, shape: Shape): void {
  const sound = shape.length === 4 && shape.every((d) => Number.isSafeInteger(d) && d > 0);
  if (!sound || !Number.isSafeInteger(sizeOf(shape)) || sizeOf(shape) > 2 ** 31) {
    throw new GraphError(`${what}: shape [${shape}] is not four positive whole numbers with a product below 2³¹`);
  }
}

function outputShape(graph: string, node: Node, inputs: readonly Shape[]): Shape {
  const fail = (message: string): never => {
    throw new GraphError(`${graph}: node "${node.name}" (${node.op}): ${message}`);
  };
  const count = (from: number, to = from) => {
    if (inputs.length < from || inputs.length > to) fail(`has ${inputs.length} inputs, expected ${from} to ${to}`);
  };
  const length = (what: string, values: Float32Array | null, ...expected: number[]) => {
    if (values && !expected.includes(values.length)) {
      fail(`${what} has ${values.length} values, expected ${expected.join(' or ')}`);
    }
  };
  const positive = (what: string, values: readonly number[]) => {
    if (!values.every((v) => Number.isSafeInteger(v) && v > 0))
      fail(`${what} is [${values}], expected whole numbers ≥ 1`);
  };
  const padded = (padding: Padding) => {
    const sides = [padding.top, padding.left, padding.bottom, padding.right];
    if (!sides.every((v) => Number.isSafeInteger(v) && v >= 0))
      fail(`padding is [${sides}], expected whole numbers ≥ 0`);
  };

  if (node.op === 'concat' || node.op === 'fused') {
    if (inputs.length === 0) fail('has no inputs');
  } else if (node.op === 'conv2d') count(1, 2);
  else if (node.op === 'add' || node.op === 'multiply') count(2);
  else count(1, node.op === 'integer' ? Number.POSITIVE_INFINITY : 1);
  const [n, h, w, c] = inputs[0]!;

  switch (node.op) {
    case 'conv2d': {
      const { kernel, stride, dilation, padding, groups, outChannels } = node;
      positive('kernel', kernel);
      positive('stride', stride);
      positive('dilation', dilation);
      positive('groups, outputs', [groups, outChannels]);
      padded(padding);
      if (c % groups !== 0 || outChannels % groups !== 0) {
        fail(`${groups} groups do not divide ${c} input and ${outChannels} output channels`);
      }
      length('weights', node.weights, kernel[0] * kernel[1] * (c / groups) * outChannels);
      length('bias', node.bias, outChannels);
      const shape: Shape = [
        n,
        windowOutput(h, kernel[0], stride[0], dilation[0], padding.top + padding.bottom),
        windowOutput(w, kernel[1], stride[1], dilation[1], padding.left + padding.right),
        outChannels,
      ];
      if (inputs[1] && inputs[1].join() !== shape.join()) fail(`residual is [${inputs[1]}], output is [${shape}]`);
      return shape;
    }
    case 'conv-transpose2d': {
      const { kernel, stride, dilation, crop, size, outChannels } = node;
      positive('kernel', kernel);
      positive('stride', stride);
      positive('dilation', dilation);
      positive('size, outputs', [...size, outChannels]);
      padded({ top: crop[0], left: crop[1], bottom: 0, right: 0 });
      length('weights', node.weights, kernel[0] * kernel[1] * c * outChannels);
      length('bias', node.bias, outChannels);
      for (const axis of [0, 1] as const) {
        const whole = transposedOutput(axis === 0 ? h : w, kernel[axis], stride[axis], dilation[axis]);
        // Further rows would see the bias alone: fewer than a stride's or a tap's are what formats may ask for.
        const most = whole - crop[axis] + Math.max(stride[axis], dilation[axis]) - 1;
        if (crop[axis] >= whole || size[axis] > most) {
          fail(`output of [${size}] behind [${crop}] does not fit the input [${inputs[0]}], of which ${whole} come`);
        }
      }
      return [n, size[0], size[1], outChannels];
    }
    case 'pool': {
      positive('kernel', node.kernel);
      positive('stride', node.stride);
      padded(node.padding);
      const { top, left, bottom, right } = node.padding;
      if (Math.max(top, bottom) >= node.kernel[0] || Math.max(left, right) >= node.kernel[1]) {
        fail('padding is not smaller than the kernel: a window would lie wholly outside');
      }
      return [
        n,
        windowOutput(h, node.kernel[0], node.stride[0], 1, top + bottom),
        windowOutput(w, node.kernel[1], node.stride[1], 1, left + right),
        c,
      ];
    }
    case 'batch-norm':
      for (const key of ['scale', 'shift', 'mean', 'variance'] as const) length(key, node[key], c);
      if (!(node.epsilon >= 0)) fail(`epsilon is ${node.epsilon}, expected a number ≥ 0`);
      return inputs[0]!;
    case 'affine':
      length('scale', node.scale, 1, c);
      length('shift', node.shift, 1, c);
      return inputs[0]!;
    case 'prelu':
      length('slope', node.slope, 1, c);
      return inputs[0]!;
    case 'add':
    case 'multiply': {
      const other = inputs[1]!;
      const broadcast = (other[0] === 1 || other[0] === n) && other[1] === 1 && other[2] === 1 && other[3] === c;
      if (other.join() !== inputs[0]!.join() && !broadcast) {
        fail(`inputs are [${inputs[0]}] and [${other}], expected equal shapes or a second of [${n},1,1,${c}]`);
      }
      return inputs[0]!;
    }
    case 'global-average-pool':
      return [n, 1, 1, c];
    case 'fully-connected':
      positive('outFeatures', [node.outFeatures]);
      length('weights', node.weights, h * w * c * node.outFeatures);
      length('bias', node.bias, node.outFeatures);
      return [n, 1, 1, node.outFeatures];
    case 'reshape':
      if (sizeOf(node.shape) !== sizeOf(inputs[0]!)) fail(`[${inputs[0]}] cannot be reshaped to [${node.shape}]`);
      return node.shape;
    case 'transpose': {
      const { permutation } = node;
      if ([...permutation].sort().join() !== '0,1,2,3')
        fail(`permutation is [${permutation}], expected each of 0 to 3`);
      return permuted(inputs[0]!, permutation);
    }
    case 'pad':
      padded(node.padding);
      return [n, h + node.padding.top + node.padding.bottom, w + node.padding.left + node.padding.right, c];
    case 'resize':
      positive('size', node.size);
      return [n, node.size[0], node.size[1], c];
    case 'concat': {
      const { axis = 3 } = node;
      const joined: [number, number, number, number] = [n, h, w, c];
      for (const shape of inputs.slice(1)) {
        if (shape.some((d, i) => i !== axis && d !== joined[i])) fail(`cannot join [${shape}] to [${inputs[0]}]`);
        joined[axis] += shape[axis];
      }
      return joined;
    }
    case 'sum-tiles':
      positive('tile', node.tile);
      return [n, Math.ceil(h / node.tile[0]) * Math.ceil(w / node.tile[1]), 1, c];
    case 'fused':
      return partShapes(graph, node, inputs).get(node.output) ?? fail('no part writes its output');
    case 'integer':
      return outputShape(graph, realNode(node), inputs);
    case 'l2-normalize':
      if (!(node.epsilon >= 2 ** -40)) fail(`epsilon is ${node.epsilon}, expected a number ≥ 2^-40`);
      return inputs[0]!;
    case 'activation':
    case 'clip':
    case 'softmax':
      return inputs[0]!;
  }
}
