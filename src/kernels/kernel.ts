import type { Activation, Conv2d, Node, Shape } from '../graph/ops.ts';
import type { Fragments } from '../wgsl/preprocess.ts';
import type { UniformValues } from '../wgsl/uniform.ts';

/** What a binding of a shader is bound to. Binding i of group 0 is entry i of a program's list. */
export type Binding =
  | { readonly role: 'shape' }
  | { readonly role: 'input'; readonly index: number }
  /** `uniformBytes`: of a uniform that begins with it, in place of a storage buffer or a texture. */
  | { readonly role: 'constant'; readonly index: number; readonly uniformBytes?: number }
  /** `index`: of the tensors that the node writes; 0 unless given. */
  | { readonly role: 'output'; readonly index?: number };

/** One dispatch: a shader, what specialises it, what it is bound to and how many workgroups run. */
export interface Program {
  /** The shader's file name, for messages and labels. */
  readonly file: string;
  /** The text of the shader file, directives unresolved. */
  readonly source: string;
  /** What it may include beside the fragments that all kernels share. */
  readonly fragments?: Fragments;
  /** What is put before it in place of the prelude of operations on real numbers. */
  readonly prelude?: { readonly file: string; readonly source: string };
  /** Numbers and flags of the directives (src/wgsl/preprocess.ts): what changes the text. */
  readonly constants: Readonly<Record<string, number | boolean>>;
  /** Values of WGSL `override` declarations. */
  readonly overrides: Readonly<Record<string, number>>;
  /** Fields of the shader's `struct Shape`. */
  readonly shape: UniformValues;
  readonly bindings: readonly Binding[];
  readonly workgroups: readonly [number, number, number];
}

/** A constant in the layout that a shader reads. Its size is known before it is packed. */
export interface PackedConstant {
  readonly elements: number;
  /**
   * `storage`: kept in the plan's precision (weights). `float32`: always float32 (depthwise weights, bias, scale). `words`: of 32
   * bits, as they are; `bytes`: of 8.
   */
  readonly precision: 'storage' | 'float32' | 'words' | 'bytes';
  /** Texels of a 2-d texture that it is kept in, four values each; a range of a buffer where absent. */
  readonly texture?: { readonly width: number; readonly height: number };
  /** The values, `elements` of them. */
  pack(): Float32Array | Uint32Array | Int8Array;
}

/** Shapes of a node's inputs and of its output. */
export interface NodeShapes {
  readonly inputs: readonly Shape[];
  readonly output: Shape;
  /** Whether the first input may be stored dense: one of the network's own that no other node reads. */
  readonly dense?: boolean;
  /** Whether the first input is stored as halves, of which nothing is too large to be computed with. */
  readonly half?: boolean;
}

/**
 * A way to run one kind of node. Plain functions of the node and its shapes: nothing here touches a GPU.
 * Tensors are `[batch][height][width][⌈channels / 4⌉]` of four channels. Lanes past the last channel hold finite
 * numbers of no meaning, so that a kernel gives them zero weights or keeps them out.
 */
export interface Kernel<N extends Node = Node> {
  readonly name: string;
  readonly op: N['op'];
  /** Features of the device without which its shader is refused, and what a probe has found (src/scheduler/integer-probe.ts). */
  readonly requires?: readonly string[];
  /** It reads its first input as dense float32 `[batch][height][width][channels]`, as the caller gave it. */
  readonly readsDense?: true;
  /** Whether this kernel can run the node. The first kernel of the registry that accepts a node runs it. */
  accepts(node: N, shapes: NodeShapes): boolean;
  /** Whether it is worth choosing unmeasured where it is preferred; always, unless it says otherwise. */
  suits?(node: N, shapes: NodeShapes): boolean;
  /** How many invocations have work; where it is not told, enough for any device. */
  invocations?(node: N, shapes: NodeShapes): number;
  program(node: N, shapes: NodeShapes): Program;
  /** What its constant bindings hold, in their order. */
  constants(node: N, shapes: NodeShapes): readonly PackedConstant[];
}

/** How kernels compute in halves: what their shaders include for it, and what these read. From a module that few fetch. */
export interface HalfArithmetic {
  readonly fragments: Fragments;
  /** Constants of the shaders. */
  readonly names: Readonly<Record<string, number>>;
  /** For each output four inputs at a time, and the bias. */
  readonly dot: (layer: DotLayer) => readonly PackedConstant[];
  /** Those of a depthwise convolution, and the bias. */
  readonly taps: (weights: Float32Array, bias: Float32Array | null, channels: number) => readonly PackedConstant[];
}

/** Weights `[taps][inputs][outputs]` for a shader that reads `vectors` of four inputs at a time, for `group` outputs. */
export interface DotLayer {
  readonly weights: () => Float32Array;
  readonly bias: Float32Array | null;
  readonly taps: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly group: number;
  readonly columns: number;
  readonly vectors: number;
}

/**
 * What a probe may have found of a device (src/scheduler/integer-probe.ts), beside its features: shaders that convert and multiply
 * as IEEE 754 does, to nearest; a packed dot product of bytes.
 */
export const EXACT = 'exact-float32';
export const PACKED_DOT = 'packed_4x8_integer_dot_product';

/** The shader that makes stored integers of real numbers: where it is a plan's first, what makes a picture's tensor does so itself. */
export const QUANTISE_FILE = 'int8-quantise.wgsl';

/** A kernel, with its own type of node checked where it is defined. */
export const defineKernel = <N extends Node>(kernel: Kernel<N>): Kernel => kernel as unknown as Kernel;

/** Values of the shaders' `override ACTIVATION`. */
const activationCodes: Readonly<Record<Activation, number>> = {
  none: 0,
  relu: 1,
  relu6: 2,
  'hard-swish': 3,
  'hard-sigmoid': 4,
  sigmoid: 5,
};

export const activationCode = (activation: Activation): number => activationCodes[activation];

export const activationOverride = (activation: Activation) => ({ ACTIVATION: activationCode(activation) });

/** Larger than any float32 that is finite would be infinite in a shader, which may assume that nothing is. */
const LARGEST = 3.4028234663852886e38;

/**
 * Fields of a `struct Shape` by which one pipeline serves all activations but the sigmoid, as the prelude's `piecewise`
 * does: clamp(x + shift, low, high) · scale [· x]. They leave the sigmoid to `sigmoidOverride`.
 */
export function piecewiseOf(activation: Activation) {
  const hard = activation === 'hard-sigmoid' || activation === 'hard-swish';
  return {
    low: hard || activation === 'relu' || activation === 'relu6' ? 0 : -LARGEST,
    high: hard || activation === 'relu6' ? 6 : LARGEST,
    shift: hard ? 3 : 0,
    scale: hard ? 1 / 6 : 1,
    times_input: activation === 'hard-swish' ? 1 : 0,
  };
}

/** `ACTIVATION` for what `piecewiseOf` leaves to do. */
export const sigmoidOverride = (activation: Activation) =>
  activationOverride(activation === 'sigmoid' ? activation : 'none');

/** Fields of the `struct Shape` of pointwise convolutions. */
export const pointwiseShape = (node: Conv2d, pixels: number, inputs: number, columns: number) => ({
  pixels,
  cin4: ceilDiv(inputs, 4),
  cout4: ceilDiv(node.outChannels, 4),
  columns,
  ...piecewiseOf(node.activation),
});

export const ceilDiv = (a: number, b: number): number => Math.ceil(a / b);

export const shapeBinding: Binding = { role: 'shape' };
export const outputBinding: Binding = { role: 'output' };
export const inputBinding = (index: number): Binding => ({ role: 'input', index });
export const constantBinding = (index: number) => ({ role: 'constant', index }) as const;

/**
 * shape, src, weights, bias, dst [, residual]: the bindings of every convolution. `always`: the shader has the last
 * one in any case, so that one pipeline serves both, and is told by its shape whether to read it; the bias stands in.
 * `uniformBytes`: of the uniform that holds the weights, if one does.
 */
export function convolutionBindings(residual: boolean, always = false, uniformBytes = 0): Binding[] {
  const weights: Binding = uniformBytes > 0 ? { ...constantBinding(0), uniformBytes } : constantBinding(0);
  const bindings = [shapeBinding, inputBinding(0), weights, constantBinding(1), outputBinding];
  if (residual) return [...bindings, inputBinding(1)];
  return always ? [...bindings, constantBinding(1)] : bindings;
}

/** Weights in the plan's precision as texels of a texture. */
export const textureConstant = (width: number, height: number, pack: () => Float32Array): PackedConstant => ({
  elements: 4 * width * height,
  precision: 'storage',
  texture: { width, height },
  pack,
});

/**
 * Limits of every WebGPU implementation: the sides of a texture, and what a dispatch and a workgroup may have; in compatibility
 * mode a workgroup has half as many invocations.
 */
export const LARGEST_TEXTURE = 4096;
export const MOST_WORKGROUPS = 65535;
export const MOST_INVOCATIONS = 256;
export const WORKGROUP_BYTES = 16384;

/** Weights in the plan's precision. */
export const weightsConstant = (elements: number, pack: () => Float32Array): PackedConstant => ({
  elements,
  precision: 'storage',
  pack,
});

/** Weights of few products, such as those of a depthwise convolution: halves would save little and round much. */
export const floatWeightsConstant = (elements: number, pack: () => Float32Array): PackedConstant => ({
  elements,
  precision: 'float32',
  pack,
});

/** Biases of several layers one after another, each from its place on, zeros where null or missing; always float32. */
export const biasesConstant = (
  elements: number,
  biases: readonly (readonly [values: Float32Array | null | undefined, from: number])[],
): PackedConstant => ({
  elements,
  precision: 'float32',
  pack() {
    const out = new Float32Array(elements);
    for (const [values, from] of biases) if (values) out.set(values, from);
    return out;
  },
});

/** A value for each channel (all zero where null), followed by zeros up to `elements`; always float32. */
export const channelConstant = (values: Float32Array | null, elements: number): PackedConstant => ({
  elements,
  precision: 'float32',
  pack: () => padded(values, elements),
});

/** `values` (all zero where null) followed by zeros up to `length`. */
function padded(values: Float32Array | null, length: number): Float32Array {
  const out = new Float32Array(length);
  if (values) out.set(values);
  return out;
}

/** A workgroup of 64 lanes, four channels × pixels: eight of channels, or one, for few pipelines to serve all layers. */
export function channelsByPixels(channels4: number): { x: number; y: number } {
  const x = channels4 > 1 ? 8 : 1;
  return { x, y: 64 / x };
}
