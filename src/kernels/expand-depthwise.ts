import source from '../../shaders/expand-depthwise.wgsl?raw';
import type { Conv2d, Fused, Pair, Shape, SumTiles } from '../graph/ops.ts';
import {
  blockProgram,
  expandedDepthwise,
  filterConstant,
  hiddenOf,
  productConstant,
  windowConstants,
} from './block.ts';
import {
  activationCode,
  activationOverride,
  type Binding,
  biasesConstant,
  ceilDiv,
  constantBinding,
  defineKernel,
  inputBinding,
  type Kernel,
  type NodeShapes,
  outputBinding,
  shapeBinding,
  WORKGROUP_BYTES,
} from './kernel.ts';
import { inputExtent } from './window.ts';

const MOST_CHUNK4 = 8;

interface Half {
  readonly expand: Conv2d | null;
  readonly depthwise: Conv2d;
  readonly sums: SumTiles;
}

/** Four-channel groups that fit beside each other in workgroup memory. */
const chunkOf = (depthwise: Conv2d, tile: Pair): number => {
  const [inputY, inputX] = inputExtent(depthwise, tile);
  const places = inputY * inputX + tile[0] * tile[1];
  return Math.min(MOST_CHUNK4, Math.floor(WORKGROUP_BYTES / 16 / places));
};

/** The tile whose sums the kernel writes for this depthwise convolution: the largest that leaves room for chunks. */
export function tileOf(depthwise: Conv2d, output: Shape): Pair {
  const sides: readonly Pair[] = [
    [8, 8],
    [7, 7],
    [4, 4],
    [2, 4],
    [1, 1],
  ];
  const fits = (tile: Pair) => chunkOf(depthwise, tile) >= 2;
  // At 14² and 7² a tile of 7 × 7 leaves nothing over.
  const sevens = output[1] % 8 !== 0 && output[1] % 7 === 0 && output[2] % 7 === 0;
  return sides.find((tile) => (tile[0] !== 7 || sevens) && !(tile[0] === 8 && sevens) && fits(tile)) ?? [1, 1];
}

function halfOf({ parts, also }: Fused, channels: number): Half | null {
  const [expand, depthwise, sums] = parts.length === 3 ? parts : [null, ...parts];
  const half = expandedDepthwise([expand, depthwise], channels);
  if (!half || sums?.op !== 'sum-tiles' || also?.length !== 1) return null;
  return chunkOf(half.depthwise, sums.tile) >= 1 ? { ...half, sums } : null;
}

const resolve = (node: Fused, { inputs: [input] }: NodeShapes) => {
  const half = halfOf(node, input![3]);
  if (!half) return null;
  const chunk4 = chunkOf(half.depthwise, half.sums.tile);
  return { ...half, chunk4, hidden: hiddenOf(half.depthwise, chunk4) };
};

/** [expand,] depthwise, and the sums of its tiles as a second output. */
const withSums = (name: string, expandPixels: number): Kernel =>
  defineKernel<Fused>({
    name,
    op: 'fused',
    accepts: (node, shapes) => resolve(node, shapes) !== null,
    program(node, shapes) {
      const { expand, depthwise, sums, chunk4, hidden } = resolve(node, shapes)!;
      const { output } = shapes;
      const [inputY, inputX] = inputExtent(depthwise, sums.tile);
      const bindings: Binding[] = [shapeBinding, inputBinding(0), constantBinding(0), constantBinding(1)];
      bindings.push(outputBinding, { role: 'output', index: 1 });
      if (expand) bindings.push(constantBinding(2));
      const tilesX = ceilDiv(output[2], sums.tile[1]);
      const program = blockProgram(shapes, sums.tile, depthwise, {
        file: 'expand-depthwise.wgsl',
        source,
        constants: {
          EXPAND: expand !== null,
          INPUT_Y: inputY,
          INPUT_X: inputX,
          CHUNK4: chunk4,
          EXPAND_PIXELS: expandPixels,
          ...windowConstants(depthwise),
        },
        overrides: {
          EXPAND_ACTIVATION: activationCode(expand?.activation ?? 'none'),
          ...activationOverride(depthwise.activation),
        },
        shape: { tiles_x: tilesX, kernel_y: depthwise.kernel[0], hidden, hidden4: ceilDiv(output[3], 4) },
        bindings,
      });
      const [across, down] = program.workgroups;
      return { ...program, workgroups: [across, down, hidden / 4 / chunk4] };
    },
    constants(node, shapes) {
      const { expand, depthwise, hidden } = resolve(node, shapes)!;
      const constants = [
        filterConstant(depthwise, hidden),
        biasesConstant(hidden * (expand ? 2 : 1), [
          [depthwise.bias, 0],
          [expand?.bias, hidden],
        ]),
      ];
      if (expand) constants.push(productConstant(expand, shapes.inputs[0]![3], hidden));
      return constants;
    },
  });

/** The second is for software adapters, whose registers are memory in any case. */
export const expandDepthwises: readonly Kernel[] = [
  withSums('expand-depthwise', 2),
  withSums('expand-depthwise/e4', 4),
];
