/** What kernels of whole blocks share: a workgroup computes a tile of the output, the hidden channels chunk by chunk. */
import blockInput from '../../shaders/fragments/block-input.wgsl?raw';
import blockTile from '../../shaders/fragments/block-tile.wgsl?raw';
import projectBegin from '../../shaders/fragments/project-begin.wgsl?raw';
import projectChunk from '../../shaders/fragments/project-chunk.wgsl?raw';
import projectEnd from '../../shaders/fragments/project-end.wgsl?raw';
import { isDepthwise, isPointwise } from '../graph/layers.ts';
import type { Conv2d, Node, Pair, Shape } from '../graph/ops.ts';
import type { Fragments } from '../wgsl/preprocess.ts';
import {
  type Binding,
  ceilDiv,
  constantBinding,
  floatWeightsConstant,
  inputBinding,
  type Kernel,
  outputBinding,
  type PackedConstant,
  type Program,
  shapeBinding,
  WORKGROUP_BYTES,
  weightsConstant,
} from './kernel.ts';
import { packDot, packRows } from './pack.ts';
import { planes } from './window.ts';

export const blockFragments: Fragments = {
  'block-input': blockInput,
  'block-tile': blockTile,
  'project-begin': projectBegin,
  'project-chunk': projectChunk,
  'project-end': projectEnd,
};

/** Output tiles, the largest first; fewer halves the halo's share. */
export const tiles: readonly Pair[] = [
  [8, 8],
  [4, 8],
  [4, 4],
  [2, 4],
];

/** Of four pixels at least, as many as an invocation may hold. */
export const smallest: Pair = [2, 2];

/** Below this many workgroups a smaller tile is taken. */
const FEW_WORKGROUPS = 12;

/** What an invocation holds of a block's output. */
export interface Held {
  readonly pixels: 2 | 4;
  readonly columns: 4 | 8 | 16;
}

/** The usual kernel, `stem/p2` for devices with fewer registers than that takes (Mali), and `stem/c8` for those with more. */
export const byHeld = (stem: string, kernel: (name: string, held: Held) => Kernel): readonly Kernel[] => [
  kernel(stem, { pixels: 4, columns: 4 }),
  kernel(`${stem}/p2`, { pixels: 2, columns: 4 }),
  ...([8, 16] as const).map((columns) => kernel(`${stem}/c${columns}`, { pixels: 4, columns })),
];

/** Pixels whose hidden channels an invocation expands, four at a time, beside the columns that it holds. */
export const expandPixels = ({ columns }: Held): number => columns / 4;

/** Workgroup memory of a block. Two workgroups fit beside each other on hardware; c16 is for software, where none waits. */
export const bytesOf = ({ columns }: Held): number => (columns < 16 ? WORKGROUP_BYTES / 2 : WORKGROUP_BYTES);

/** Invocations that hold the output of a tile. */
export const ownersOf = (tile: Pair, { outChannels }: Conv2d, { pixels, columns }: Held): number =>
  ((tile[0] * tile[1]) / pixels) * ceilDiv(outChannels, columns);

/** Invocations of a workgroup with so many that hold its output: waves are as wide as 64. */
export const threadsOf = (owners: number): number => 64 * ceilDiv(owners, 64);

/** Workgroups of a tiling, a dispatch in all. */
export const workgroupsOf = (tile: Pair, output: Shape): number =>
  output[0] * ceilDiv(output[1], tile[0]) * ceilDiv(output[2], tile[1]);

/** The first tile that fits and leaves enough workgroups, else the last that fits. Null where not even the smallest does. */
export function tilingOf<T>(output: Shape, fitted: (tile: Pair) => T | null): T | null {
  let best: T | null = null;
  for (const tile of tiles) {
    const tiling = fitted(tile);
    if (!tiling) continue;
    best = tiling;
    if (workgroupsOf(tile, output) >= FEW_WORKGROUPS) break;
  }
  return best ?? fitted(smallest);
}

/** [expand,] depthwise at the beginning of a block's parts; null where they are something else. */
export function expandedDepthwise(
  parts: readonly (Node | null | undefined)[],
  channels: number,
): { expand: Conv2d | null; depthwise: Conv2d } | null {
  const [expand, depthwise] = parts;
  if (expand && !(isPointwise(expand) && expand.inputs.length === 1)) return null;
  if (!isDepthwise(depthwise, expand ? expand.outChannels : channels)) return null;
  return expand === undefined || depthwise.inputs.length > 1 ? null : { expand, depthwise };
}

/** `prefix`: of the names, where a shader has two windows. */
export const windowConstants = ({ kernel, stride, dilation }: Conv2d, prefix = '') =>
  Object.fromEntries(
    Object.entries({ KERNEL: kernel, STRIDE: stride, DILATION: dilation }).flatMap(([name, [y, x]]) => [
      [`${prefix}${name}_Y`, y],
      [`${prefix}${name}_X`, x],
    ]),
  );

/** A block's program but for what tells one from another. */
export function blockProgram(
  { inputs: [input], output }: { readonly inputs: readonly Shape[]; readonly output: Shape },
  tile: Pair,
  { padding }: Conv2d,
  own: Pick<Program, 'file' | 'source' | 'constants' | 'overrides' | 'shape' | 'bindings'>,
): Program {
  const tilesY = ceilDiv(output[1], tile[0]);
  return {
    ...own,
    fragments: blockFragments,
    constants: { TILE_Y: tile[0], TILE_X: tile[1], ...own.constants },
    shape: {
      ...planes(input!, output),
      tiles_y: tilesY,
      cin4: ceilDiv(input![3], 4),
      pad_top: padding.top,
      pad_left: padding.left,
      ...own.shape,
    },
    workgroups: [ceilDiv(output[2], tile[1]), tilesY * output[0], 1],
  };
}

/** shape, src, so many constants, dst and, where they are, the next constant and the residual. */
export function blockBindings(constants: number, another: boolean, residual: boolean): Binding[] {
  const bindings = [shapeBinding, inputBinding(0)];
  for (let i = 0; i < constants; i++) bindings.push(constantBinding(i));
  bindings.push(outputBinding);
  if (another) bindings.push(constantBinding(constants));
  if (residual) bindings.push(inputBinding(1));
  return bindings;
}

export const tapsOf = ({ kernel }: Conv2d): number => kernel[0] * kernel[1];

/** Weights of a depthwise convolution `[taps][channels]`, as many channels as that. */
export const filterConstant = (node: Conv2d, channels: number): PackedConstant =>
  floatWeightsConstant(tapsOf(node) * channels, () => packRows(node.weights, tapsOf(node), node.outChannels, channels));

/** Weights in dot layout of a convolution of so many inputs, with rows for `rows` of them. */
export const productConstant = (node: Conv2d, inputs: number, columns: number, rows = inputs): PackedConstant =>
  weightsConstant(tapsOf(node) * 4 * ceilDiv(rows, 4) * columns, () =>
    packDot(node.weights, tapsOf(node), inputs, node.outChannels, columns, rows),
  );

/** Channels rounded up to chunks of so many vec4. */
export const hiddenOf = ({ outChannels }: Conv2d, chunk4: number): number =>
  ceilDiv(outChannels, 4 * chunk4) * 4 * chunk4;

/** Output channels rounded up to what an invocation holds. */
export const projectColumns = ({ outChannels }: Conv2d, { columns }: Held): number =>
  ceilDiv(outChannels, columns) * columns;
