/** Small graphs that use every operation, for the writers. */
import type { Graph, Node, NodeOf, Padding, Shape } from '../../src/index.ts';
import { randomValues } from '../support/oracles.ts';

export interface GraphCase {
  readonly name: string;
  readonly graph: Graph;
}

const none: Padding = { top: 0, left: 0, bottom: 0, right: 0 };

let seed = 100;
const random = (length: number, low = -1, high = 1) => randomValues(length, seed++, low, high);

/** A chain of nodes; each reads what the one before wrote unless it names its inputs. */
function chain(name: string, shape: Shape, ...nodes: (Partial<Node> & Pick<Node, 'op'>)[]): GraphCase {
  let current = 'input';
  const complete = nodes.map((node, i) => {
    const full = { name: `node ${i}`, inputs: [current], output: `tensor ${i}`, ...node } as Node;
    current = full.output;
    return full;
  });
  return {
    name,
    graph: {
      name,
      inputs: [{ name: 'input', shape }],
      outputs: [{ name: 'result', tensor: current }],
      nodes: complete,
    },
  };
}

function conv(
  channels: number,
  outChannels: number,
  options: Partial<NodeOf<'conv2d'>> = {},
): Partial<Node> & Pick<Node, 'op'> {
  const { kernel = [3, 3], groups = 1 } = options;
  return {
    op: 'conv2d',
    weights: random(kernel[0] * kernel[1] * (channels / groups) * outChannels),
    bias: random(outChannels),
    kernel,
    stride: [1, 1],
    dilation: [1, 1],
    padding: none,
    groups,
    outChannels,
    activation: 'none',
    ...options,
  };
}

const around = (top: number, left: number, bottom: number, right: number): Padding => ({ top, left, bottom, right });

const activations = ['none', 'relu', 'relu6', 'hard-swish', 'hard-sigmoid', 'sigmoid'] as const;

export const graphCases: readonly GraphCase[] = [
  chain(
    'prelu of images and vectors, vectors of length 1',
    [1, 6, 7, 3],
    conv(3, 5),
    { op: 'prelu', slope: random(5) },
    { op: 'global-average-pool' },
    { op: 'fully-connected', weights: random(5 * 6), bias: random(6), outFeatures: 6, activation: 'none' },
    { op: 'prelu', slope: random(1) },
    { op: 'l2-normalize', epsilon: 1e-6 },
  ),
  chain('valid convolution, no bias', [1, 6, 7, 3], conv(3, 5, { bias: null })),
  chain('same padding, stride 2, even size', [1, 8, 8, 4], conv(4, 6, { stride: [2, 2], padding: around(0, 0, 1, 1) })),
  chain('symmetric padding, stride 2', [2, 8, 6, 4], conv(4, 6, { stride: [2, 2], padding: around(1, 1, 1, 1) })),
  chain('5×3 kernel, padding of its own', [1, 9, 8, 2], conv(2, 3, { kernel: [5, 3], padding: around(2, 0, 1, 2) })),
  chain('dilation', [1, 9, 9, 2], conv(2, 3, { dilation: [2, 2], padding: around(2, 2, 2, 2) })),
  chain(
    'depthwise, multiplier 2',
    [1, 7, 5, 3],
    conv(3, 6, { groups: 3, padding: around(1, 1, 1, 1), activation: 'relu6' }),
  ),
  chain('depthwise, dilation', [1, 9, 9, 4], conv(4, 4, { groups: 4, dilation: [2, 2], padding: around(2, 2, 2, 2) })),
  chain('grouped', [1, 5, 5, 4], conv(4, 6, { groups: 2, padding: around(1, 1, 1, 1) })),
  chain(
    'residual after the activation',
    [1, 4, 4, 3],
    conv(3, 5, { kernel: [1, 1], activation: 'relu' }),
    conv(5, 5, { kernel: [1, 1], activation: 'relu', inputs: ['tensor 0', 'tensor 0'] }),
  ),
  ...activations.map((activation) =>
    chain(`convolution and ${activation}`, [1, 3, 3, 4], conv(4, 8, { kernel: [1, 1], activation })),
  ),
  ...activations.map((activation) => chain(`${activation} alone`, [1, 4, 4, 3], { op: 'activation', activation })),
  chain(
    'fully connected over a picture',
    [2, 3, 2, 4],
    {
      op: 'fully-connected',
      weights: random(24 * 5),
      bias: random(5),
      outFeatures: 5,
      activation: 'relu',
    },
    { op: 'fully-connected', weights: random(5 * 3), bias: null, outFeatures: 3, activation: 'none' },
  ),
  chain(
    'pool, classifier, softmax',
    [2, 4, 4, 6],
    { op: 'global-average-pool' },
    { op: 'fully-connected', weights: random(6 * 4), bias: random(4), outFeatures: 4, activation: 'none' },
    { op: 'softmax' },
  ),
  chain(
    'a convolution after a fully connected layer',
    [2, 1, 1, 6],
    { op: 'fully-connected', weights: random(6 * 4), bias: random(4), outFeatures: 4, activation: 'none' },
    conv(4, 3, { kernel: [1, 1] }),
  ),
  chain(
    'squeeze and excitation',
    [2, 4, 3, 4],
    { op: 'global-average-pool' },
    conv(4, 2, { kernel: [1, 1], activation: 'relu' }),
    conv(2, 4, { kernel: [1, 1], activation: 'hard-sigmoid' }),
    { op: 'multiply', inputs: ['input', 'tensor 2'], activation: 'none' },
  ),
  chain('sum of equal shapes, activated', [1, 4, 3, 4], conv(4, 4, { kernel: [1, 1] }), {
    op: 'add',
    inputs: ['tensor 0', 'input'],
    activation: 'relu',
  }),
  chain(
    'broadcast sum of a flat vector',
    [2, 3, 3, 4],
    { op: 'global-average-pool' },
    { op: 'fully-connected', weights: random(4 * 4), bias: null, outFeatures: 4, activation: 'none' },
    { op: 'add', inputs: ['input', 'tensor 1'], activation: 'none' },
  ),
  chain('batch-norm', [2, 3, 4, 5], {
    op: 'batch-norm',
    scale: random(5, 0.5, 2),
    shift: random(5),
    mean: random(5),
    variance: random(5, 0.5, 2),
    epsilon: 1e-3,
  }),
  chain('affine, a constant a channel', [1, 3, 4, 5], { op: 'affine', scale: random(5), shift: random(5) }),
  chain('affine, one for all', [1, 3, 4, 5], { op: 'affine', scale: random(1), shift: random(1) }),
  chain('affine, only a product', [1, 3, 4, 5], { op: 'affine', scale: random(5), shift: new Float32Array(5) }),
  chain('affine, only a sum', [1, 3, 4, 5], { op: 'affine', scale: Float32Array.of(1), shift: random(5) }),
  chain('affine that changes nothing', [1, 3, 4, 5], {
    op: 'affine',
    scale: Float32Array.of(1),
    shift: Float32Array.of(0),
  }),
  chain(
    'affine of a flat vector',
    [1, 1, 1, 4],
    { op: 'fully-connected', weights: random(4 * 3), bias: null, outFeatures: 3, activation: 'none' },
    { op: 'affine', scale: random(3), shift: random(3) },
  ),
  chain('clip', [1, 4, 4, 2], { op: 'clip', min: -0.25, max: 0.5 }),
  chain('clip from below', [1, 4, 4, 2], { op: 'clip', min: -0.25, max: Number.POSITIVE_INFINITY }),
  chain('clip from above', [1, 4, 4, 2], { op: 'clip', min: Number.NEGATIVE_INFINITY, max: 0.5 }),
  ...(['average', 'max'] as const).flatMap((kind) =>
    [
      { title: 'no padding', padding: none, stride: [2, 2] as const },
      { title: 'same padding', padding: around(0, 0, 1, 1), stride: [2, 2] as const },
      { title: 'padding of its own', padding: around(1, 2, 0, 1), stride: [1, 1] as const },
    ].flatMap(({ title, padding, stride }) =>
      [false, true].map((countPadding) =>
        chain(`${kind} pool, ${title}${countPadding ? ', counted' : ''}`, [1, 6, 6, 3], {
          op: 'pool',
          kind,
          kernel: [3, 3],
          stride,
          padding,
          countPadding,
        }),
      ),
    ),
  ),
  chain('pad', [1, 3, 4, 2], { op: 'pad', padding: around(1, 0, 2, 3) }),
  ...(['bilinear', 'nearest'] as const).flatMap((mode) =>
    (['align', 'half-pixel', 'asymmetric'] as const).map((corners) =>
      chain(`${mode} resize, ${corners}`, [1, 4, 5, 3], { op: 'resize', size: [8, 7], mode, corners }),
    ),
  ),
  chain('concat of three', [1, 3, 3, 2], conv(2, 3, { kernel: [1, 1] }), {
    op: 'concat',
    inputs: ['tensor 0', 'input', 'tensor 0'],
  }),
  chain('reshape of a picture', [2, 3, 4, 2], { op: 'reshape', shape: [2, 4, 2, 3] }),
  chain('reshape to a vector', [2, 3, 4, 2], { op: 'reshape', shape: [2, 1, 1, 24] }),
  chain('reshape of a vector', [1, 1, 1, 24], { op: 'reshape', shape: [1, 2, 4, 3] }),
  chain('reshape over the batch', [2, 2, 2, 2], { op: 'reshape', shape: [1, 4, 2, 2] }),
  chain('fused', [1, 4, 4, 3], {
    op: 'fused',
    output: 'tensor 2',
    inputs: ['input'],
    parts: [
      { ...conv(3, 6, { kernel: [1, 1], activation: 'relu6' }), name: 'a', inputs: ['input'], output: 'x' } as Node,
      {
        ...conv(6, 6, { groups: 6, padding: around(1, 1, 1, 1), activation: 'relu6' }),
        name: 'b',
        inputs: ['x'],
        output: 'y',
      } as Node,
      { ...conv(6, 3, { kernel: [1, 1] }), name: 'c', inputs: ['y', 'input'], output: 'tensor 2' } as Node,
    ],
  }),
  {
    name: 'two outputs, names of their own, one of them read on',
    graph: {
      name: 'two outputs',
      inputs: [{ name: 'input', shape: [1, 4, 4, 2] }],
      outputs: [
        { name: 'middle', tensor: 'a' },
        { name: 'b', tensor: 'b' },
        { name: 'the same', tensor: 'a' },
      ],
      nodes: [
        { op: 'activation', name: 'a', inputs: ['input'], output: 'a', activation: 'relu' },
        { op: 'activation', name: 'b', inputs: ['a'], output: 'b', activation: 'hard-swish' },
      ],
    },
  },
];
