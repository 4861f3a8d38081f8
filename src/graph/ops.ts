/**
 * The operations of a graph. Every tensor is a rank-4 NHWC array of float32; a vector is `[batch, 1, 1, channels]`.
 * Weights are canonical (the layouts stated here); a kernel packs them for itself.
 */
import type { Integer } from './integers.ts';
import type { NodeBase, Padding, Pair, Permutation, Shape } from './terms.ts';

export type { NodeBase, Padding, Pair, Permutation, Shape } from './terms.ts';

/**
 * Elementwise functions that kernels can apply in their epilogue.
 * relu6(x) = min(max(x, 0), 6); hard-sigmoid(x) = relu6(x + 3) / 6; hard-swish(x) = x · hard-sigmoid(x)
 * (Howard et al. 2019, "Searching for MobileNetV3", section 5.2); sigmoid(x) = 1 / (1 + e^-x).
 */
export type Activation = 'none' | 'relu' | 'relu6' | 'hard-swish' | 'hard-sigmoid' | 'sigmoid';

/**
 * Convolution, grouped: `groups === 1` is the normal convolution, `groups === input channels` is depthwise
 * (with `cout / groups` outputs a channel), a 1×1 kernel with one group is pointwise.
 *
 * output = activation(conv(inputs[0]) + bias) + inputs[1], where inputs[1] (the residual) is optional.
 */
export interface Conv2d extends NodeBase {
  readonly op: 'conv2d';
  /** `[kernelHeight][kernelWidth][cin / groups][cout]`, float32. */
  readonly weights: Float32Array;
  /** With one group: a GPU keeps them as bytes, which they are exactly (`byteWeights`). */
  readonly weightsAs?: 'int8' | undefined;
  /** `[cout]`, or null. */
  readonly bias: Float32Array | null;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly padding: Padding;
  readonly groups: number;
  readonly outChannels: number;
  readonly activation: Activation;
}

/**
 * Transposed convolution of one group (Dumoulin & Visin 2016, section 4): every input pixel lays its products with the
 * whole kernel on the output, `stride` apart.
 *
 * output[n, y · stride + ky · dilation − top, x · stride + kx · dilation − left, k] += Σ over c of
 *   inputs[0][n, y, x, c] · weights[ky, kx, c, k], then the bias and the activation; what falls outside is left out.
 */
export interface ConvTranspose2d extends NodeBase {
  readonly op: 'conv-transpose2d';
  /** `[kernelHeight][kernelWidth][cin][cout]`, float32. */
  readonly weights: Float32Array;
  /** `[cout]`, or null. */
  readonly bias: Float32Array | null;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Rows above and columns left of the output that are left out: the padding of the convolution that this transposes. */
  readonly crop: Pair;
  /** Height and width of the output. */
  readonly size: Pair;
  readonly outChannels: number;
  readonly activation: Activation;
}

/** y = (x − mean) / √(variance + epsilon) · scale + shift, per channel (Ioffe & Szegedy 2015). */
export interface BatchNorm extends NodeBase {
  readonly op: 'batch-norm';
  readonly scale: Float32Array;
  readonly shift: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly epsilon: number;
}

/** y = x · scale + shift with constants per channel (`[channels]`) or for all (`[1]`). */
export interface Affine extends NodeBase {
  readonly op: 'affine';
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

/** y = x where x ≥ 0, else x · slope, with a slope per channel (`[channels]`) or for all (`[1]`) (He et al. 2015). */
export interface Prelu extends NodeBase {
  readonly op: 'prelu';
  readonly slope: Float32Array;
}

export interface Activate extends NodeBase {
  readonly op: 'activation';
  readonly activation: Activation;
}

/** y = min(max(x, min), max); either end may be infinite. */
export interface Clip extends NodeBase {
  readonly op: 'clip';
  readonly min: number;
  readonly max: number;
}

/** inputs[0] + inputs[1], of equal shape, or inputs[1] is `[batch or 1, 1, 1, channels]` and is broadcast. */
export interface Add extends NodeBase {
  readonly op: 'add';
  readonly activation: Activation;
}

/** inputs[0] · inputs[1], of equal shape, or inputs[1] is `[batch or 1, 1, 1, channels]` (squeeze-and-excitation). */
export interface Multiply extends NodeBase {
  readonly op: 'multiply';
  readonly activation: Activation;
}

/** Windowed pooling. Maximum ignores padded places; average divides by the places inside unless `countPadding`. */
export interface Pool extends NodeBase {
  readonly op: 'pool';
  readonly kind: 'average' | 'max';
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Padding;
  readonly countPadding: boolean;
}

/** Mean over height and width: `[n, h, w, c]` → `[n, 1, 1, c]`. */
export interface GlobalAveragePool extends NodeBase {
  readonly op: 'global-average-pool';
}

/**
 * output = activation(flatten(inputs[0]) · weights + bias): `[n, h, w, c]` → `[n, 1, 1, outFeatures]`.
 * The input is flattened row-major as it lies (NHWC).
 */
export interface FullyConnected extends NodeBase {
  readonly op: 'fully-connected';
  /** `[h · w · c][outFeatures]`, float32. */
  readonly weights: Float32Array;
  /** As of `Conv2d`. */
  readonly weightsAs?: 'int8' | undefined;
  readonly bias: Float32Array | null;
  readonly outFeatures: number;
  readonly activation: Activation;
}

/** Over the channels of each pixel. */
export interface Softmax extends NodeBase {
  readonly op: 'softmax';
}

/** x / max(√Σx², epsilon) over the channels of each pixel: vectors of length 1. */
export interface L2Normalize extends NodeBase {
  readonly op: 'l2-normalize';
  readonly epsilon: number;
}

/** The same elements, row-major, in another shape. */
export interface Reshape extends NodeBase {
  readonly op: 'reshape';
  readonly shape: Shape;
}

/** Axis i of the output is axis `permutation[i]` of the input: elements move. */
export interface Transpose extends NodeBase {
  readonly op: 'transpose';
  /** Each of 0 to 3 once. */
  readonly permutation: Permutation;
}

/** Zeros around height and width. Passes absorb it into the convolution or pool that follows. */
export interface Pad extends NodeBase {
  readonly op: 'pad';
  readonly padding: Padding;
}

/**
 * Spatial resampling. Source coordinate of output o: `corners` 'align': o·(in−1)/(out−1); 'half-pixel':
 * (o+½)·in/out − ½; 'asymmetric': o·in/out. Coordinates are clamped to the edge.
 */
export interface Resize extends NodeBase {
  readonly op: 'resize';
  readonly size: Pair;
  readonly mode: 'bilinear' | 'nearest';
  readonly corners: 'align' | 'half-pixel' | 'asymmetric';
}

/** Joins tensors along `axis` of NHWC, in order; they are equal along the others. */
export interface Concat extends NodeBase {
  readonly op: 'concat';
  /** The channels, 3, unless given. */
  readonly axis?: 0 | 1 | 2 | 3;
}

/**
 * Sums of the pixels of each tile, tiles row by row: `[n, h, w, c]` → `[n, ⌈h / tile[0]⌉ · ⌈w / tile[1]⌉, 1, c]`. The first
 * half of a mean, where a kernel has a tile at hand.
 */
export interface SumTiles extends NodeBase {
  readonly op: 'sum-tiles';
  readonly tile: Pair;
}

/**
 * Nodes that one kernel runs one after another. `inputs` are the tensors that the parts read from outside, `output` is
 * what one of the parts writes, most often the last; what lies between is not seen outside, but for the tensors of
 * `also`.
 */
export interface Fused extends NodeBase {
  readonly op: 'fused';
  readonly parts: readonly Node[];
  /** Further tensors that it writes. */
  readonly also?: readonly string[];
}

export type Node =
  | Conv2d
  | ConvTranspose2d
  | BatchNorm
  | Affine
  | Prelu
  | Activate
  | Clip
  | Add
  | Multiply
  | Pool
  | GlobalAveragePool
  | FullyConnected
  | Softmax
  | L2Normalize
  | Reshape
  | Transpose
  | Pad
  | Resize
  | Concat
  | SumTiles
  | Fused
  | Integer;

export type OpName = Node['op'];

/** The node of one operation: `NodeOf<'conv2d'>` is `Conv2d`. */
export type NodeOf<O extends OpName> = Extract<Node, { op: O }>;

/** Names of the tensors that a node writes. */
export const writtenBy = (node: Node): readonly string[] =>
  node.op === 'fused' && node.also ? [node.output, ...node.also] : [node.output];
