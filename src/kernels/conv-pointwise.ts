import source from '../../shaders/conv-pointwise.wgsl?raw';
import { isPointwise } from '../graph/layers.ts';
import type { Conv2d, Shape } from '../graph/ops.ts';
import {
  columnsOf,
  type DotVariant,
  dotConstants,
  dotLayout,
  dotVariantName,
  groupsOf,
  inLine,
  requiredBy,
  tileOf,
  vectorsOf,
  wasteful,
  workgroupOf,
} from './dot.ts';
import {
  type Binding,
  ceilDiv,
  convolutionBindings,
  defineKernel,
  type Kernel,
  LARGEST_TEXTURE,
  MOST_WORKGROUPS,
  type Program,
  pointwiseShape,
  sigmoidOverride,
} from './kernel.ts';

/**
 * Four weights each: the 64 KiB that a uniform binding may have in every WebGPU implementation. Whatever a layer needs of
 * it, so that one pipeline serves all; what lies after its weights is never read.
 */
const UNIFORM_VECTORS = 4096;

export type PointwiseVariant = DotVariant<'buffer' | 'texture' | 'uniform'>;

/** `images` of so many `pixels` each; `gated`: with a factor for each channel of an image, bound before the residual. */
export function pointwiseProgram(
  node: Conv2d,
  variant: PointwiseVariant,
  [images, pixels, inputs]: readonly [number, number, number],
  bindings: readonly Binding[],
  gated = false,
): Program {
  const workgroup = workgroupOf(variant);
  const groups = groupsOf(node, variant);
  return {
    file: 'conv-pointwise.wgsl',
    source,
    ...(variant.halves ? { fragments: variant.halves.fragments } : {}),
    constants: {
      ...dotConstants(variant),
      VECTORS: vectorsOf(inputs),
      RESIDUAL: node.inputs.length > 1,
      GATED: gated,
      UNIFORM_VECTORS: variant.weights === 'uniform' ? UNIFORM_VECTORS : 0,
    },
    overrides: { WORKGROUP_X: workgroup, ...sigmoidOverride(node.activation) },
    shape: { ...pointwiseShape(node, pixels, inputs, columnsOf(node, variant)), groups_of_channels: groups },
    bindings,
    workgroups: [...workgroupsOf(variant, ceilDiv(pixels, variant.pixels), groups), images],
  };
}

function workgroupsOf(variant: PointwiseVariant, tiles: number, groups: number): readonly [number, number] {
  const workgroup = workgroupOf(variant);
  if (variant.lanes === 'line') return inLine(ceilDiv(tiles * groups, workgroup));
  return variant.lanes === 'pixels' ? [ceilDiv(tiles, workgroup), groups] : [ceilDiv(groups, workgroup), tiles];
}

/** Tiles of an output × groups of its channels. */
export const invocationsOf = (variant: PointwiseVariant, node: Conv2d, [images, height, width]: Shape): number =>
  ceilDiv(images * height * width, variant.pixels) * groupsOf(node, variant);

/** How full workgroups are of lanes with work where these are along one axis. */
const filled = (lanes: number, workgroup: number): number => lanes / (workgroup * ceilDiv(lanes, workgroup));

/** Of nearly as many idle lanes, those along channels are fewer cycles: neighbours then store what lies together. */
const NEARLY = 0.95;

/** Whether few lanes idle: of lanes along channels, fewer than would along pixels. */
export const isWorthwhile = (variant: PointwiseVariant, node: Conv2d, [images, height, width]: Shape): boolean => {
  const workgroup = workgroupOf(variant);
  const tiles = ceilDiv(images * height * width, variant.pixels);
  return (
    !wasteful(node, variant) &&
    (variant.lanes !== 'channels' || filled(groupsOf(node, variant), workgroup) > NEARLY * filled(tiles, workgroup))
  );
};

export function pointwise(name: string, variant: PointwiseVariant): Kernel {
  const texture = variant.weights === 'texture';
  const uniform = variant.weights === 'uniform';
  const fits = (node: Conv2d, [, , , inputs]: Shape) => {
    const [columns, rows] = [columnsOf(node, variant), ceilDiv(inputs, 4)];
    // Halves take half of what is asked for here, as a kernel does not know the precision.
    return !(texture && Math.max(columns, rows) > LARGEST_TEXTURE) && !(uniform && columns * rows > UNIFORM_VECTORS);
  };
  return defineKernel<Conv2d>({
    name,
    op: 'conv2d',
    requires: requiredBy(variant),
    accepts: (node, { inputs: [input], output }) =>
      isPointwise(node) &&
      fits(node, input!) &&
      !(variant.lanes === 'channels' && output[0] * output[1] * output[2] > variant.pixels * MOST_WORKGROUPS),
    suits: (node, { output }) => output[1] * output[2] > 1 && isWorthwhile(variant, node, output),
    invocations: (node, { output }) => invocationsOf(variant, node, output),
    program(node, { inputs: [input], output: [images, height, width] }) {
      const bindings = convolutionBindings(node.inputs.length > 1, false, uniform ? 16 * UNIFORM_VECTORS : 0);
      return pointwiseProgram(node, variant, [1, images * height * width, input![3]], bindings);
    },
    constants: (node, { inputs: [input] }) => dotLayout(node, 1, input![3], variant),
  });
}

/** The tile of every device: no GPU's compiler keeps its sums in memory. */
export const usualTile = tileOf(2, 8, 'line');

export const convPointwise = pointwise('conv-pointwise', usualTile);

/** Of a workgroup along one axis: the widest waves of Intel's GPUs, so that few idle at its end. */
const AXIS_LANES = 32;

/** For hardware: which of them a compiler keeps in registers, and how a GPU is filled, differ (`src/tuning/defaults.ts`). */
export const hardwareTiles = [
  tileOf(4, 16, 'line'),
  tileOf(4, 8, 'line'),
  tileOf(4, 4, 'line'),
  { ...tileOf(2, 8, 'pixels'), workgroup: AXIS_LANES },
  { ...tileOf(4, 4, 'channels'), workgroup: AXIS_LANES },
  tileOf(2, 4, 'line'),
  tileOf(1, 8, 'line'),
];

// Seven pixels fill lanes at 7², 14² and 28².
const tiles: readonly PointwiseVariant[] = [
  { pixels: 7, channels: 24, weights: 'texture', lanes: 'pixels', broadcast: true, software: true },
  { pixels: 14, channels: 32, weights: 'texture', lanes: 'pixels', broadcast: true, software: true },
  { pixels: 4, channels: 16, weights: 'texture', lanes: 'pixels', broadcast: true, software: true },
  { pixels: 7, channels: 16, weights: 'texture', lanes: 'pixels', broadcast: false, software: true },
  { pixels: 4, channels: 16, weights: 'texture', lanes: 'pixels', broadcast: false, software: true },
  ...hardwareTiles,
  { ...tileOf(4, 16, 'pixels'), weights: 'texture' },
  { ...tileOf(4, 16, 'pixels'), weights: 'uniform' },
  { ...tileOf(4, 8, 'pixels'), weights: 'uniform' },
  { ...tileOf(4, 16, 'pixels'), broadcast: true },
];

export const pointwiseVariants: readonly Kernel[] = tiles.map((tile) =>
  pointwise(dotVariantName('conv-pointwise', tile), tile),
);
