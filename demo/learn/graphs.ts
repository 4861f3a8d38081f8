/**
 * The lesson on depthwise separable convolution: one convolution, "valid" padding, stride 1, in both ways. Example:
 * 6×6×3 with a 3×3 kernel to 4×4×5 costs 2160 multiplications, or 432 + 240.
 */
import { type Conv2d, type Graph, type Shape, seededInputs } from '../../src/index.ts';

export interface LessonOptions {
  /** Height and width of the input. */
  readonly size: number;
  /** Height and width of the kernel, f. */
  readonly kernel: number;
  /** n_c. */
  readonly inChannels: number;
  /** n_c′. */
  readonly outChannels: number;
  readonly seed?: number;
}

/** The filters of the separable way: `[f][f][n_c]` and `[n_c][n_c′]`. */
export interface SeparableFilters {
  readonly depthwise: Float32Array;
  readonly pointwise: Float32Array;
}

/** The filters that `separableConvolution` has for the same options: made-up numbers, scaled so that sums stay near 1. */
export function separableFilters({ kernel, inChannels, outChannels, seed = 1 }: LessonOptions): SeparableFilters {
  const inputs = [
    { name: 'depthwise', shape: [1, kernel, kernel, inChannels] },
    { name: 'pointwise', shape: [1, 1, inChannels, outChannels] },
  ] as const;
  const filters = seededInputs({ name: 'filters', inputs, outputs: [], nodes: [] }, seed);
  return {
    depthwise: filters.depthwise!.map((value) => value / kernel),
    pointwise: filters.pointwise!.map((value) => value / Math.sqrt(inChannels)),
  };
}

/** w[y, x, c, k] = d[y, x, c] · p[c, k]: the normal convolution that computes the same, `[f][f][n_c][n_c′]`. */
export function composedFilter({ depthwise, pointwise }: SeparableFilters, inChannels: number): Float32Array {
  const outChannels = pointwise.length / inChannels;
  return Float32Array.from({ length: depthwise.length * outChannels }, (_, i) => {
    const tap = Math.floor(i / outChannels);
    return depthwise[tap]! * pointwise[(tap % inChannels) * outChannels + (i % outChannels)]!;
  });
}

/** One normal convolution; with the filters of the separable way composed, unless given its own `[f][f][n_c][n_c′]`. */
export function normalConvolution(
  options: LessonOptions,
  weights = composedFilter(separableFilters(options), options.inChannels),
): Graph {
  return graph('normal convolution', options, [
    convolution('normal', 'input', weights, options.kernel, 1, options.outChannels),
  ]);
}

/** A depthwise convolution and a pointwise one. */
export function separableConvolution(options: LessonOptions): Graph {
  const { depthwise, pointwise } = separableFilters(options);
  return graph('depthwise separable convolution', options, [
    convolution('depthwise', 'input', depthwise, options.kernel, options.inChannels, options.inChannels),
    convolution('pointwise', 'depthwise', pointwise, 1, 1, options.outChannels),
  ]);
}

function graph(name: string, { size, inChannels }: LessonOptions, nodes: readonly Conv2d[]): Graph {
  const shape: Shape = [1, size, size, inChannels];
  return {
    name,
    inputs: [{ name: 'input', shape }],
    outputs: [{ name: 'output', tensor: nodes.at(-1)!.output }],
    nodes,
  };
}

/** One of "valid" padding, without bias and activation; it writes the tensor of its name. */
export function convolution(
  name: string,
  input: string,
  weights: Float32Array,
  kernel: number,
  groups: number,
  outChannels: number,
): Conv2d {
  return {
    op: 'conv2d',
    name,
    inputs: [input],
    output: name,
    weights,
    bias: null,
    kernel: [kernel, kernel],
    stride: [1, 1],
    dilation: [1, 1],
    padding: { top: 0, left: 0, bottom: 0, right: 0 },
    groups,
    outChannels,
    activation: 'none',
  };
}
