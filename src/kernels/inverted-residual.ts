import source from '../../shaders/inverted-residual.wgsl?raw';
import { isPointwise } from '../graph/layers.ts';
import type { Conv2d, Fused, Pair } from '../graph/ops.ts';
import {
  blockBindings,
  blockProgram,
  byHeld,
  bytesOf,
  expandedDepthwise,
  expandPixels,
  filterConstant,
  type Held,
  hiddenOf,
  ownersOf,
  productConstant,
  projectColumns,
  threadsOf,
  tilingOf,
  windowConstants,
} from './block.ts';
import {
  activationCode,
  activationOverride,
  biasesConstant,
  ceilDiv,
  defineKernel,
  type Kernel,
  MOST_INVOCATIONS,
  type NodeShapes,
} from './kernel.ts';
import { inputExtent } from './window.ts';

const MOST_CHUNK4 = 8;

/** What a tile needs: the pixels that it reads, hidden channels of a chunk in fours, invocations. Null where it is too large. */
function tilingFor(depthwise: Conv2d, project: Conv2d, tile: Pair, held: Held) {
  const input = inputExtent(depthwise, tile);
  const places = input[0] * input[1] + tile[0] * tile[1];
  const chunk4 = Math.min(MOST_CHUNK4, Math.floor(bytesOf(held) / 16 / places));
  const owners = ownersOf(tile, project, held);
  return chunk4 < 1 || owners > MOST_INVOCATIONS ? null : { tile, input, chunk4, threads: threadsOf(owners) };
}

function resolve({ parts }: Fused, { inputs: [input], output }: NodeShapes, held: Held) {
  const [expand, depthwise, project] = parts.length === 3 ? parts : [null, ...parts];
  const block = parts.length > 3 ? null : expandedDepthwise([expand, depthwise], input![3]);
  if (!block || !isPointwise(project)) return null;
  const tiling = tilingOf(output, (tile) => tilingFor(block.depthwise, project, tile, held));
  if (!tiling) return null;
  return {
    ...block,
    ...tiling,
    project,
    hidden: hiddenOf(block.depthwise, tiling.chunk4),
    columns: projectColumns(project, held),
  };
}

/** [expand,] depthwise, project [+ residual]. */
const invertedResidual = (name: string, held: Held): Kernel =>
  defineKernel<Fused>({
    name,
    op: 'fused',
    accepts: (node, shapes) => resolve(node, shapes, held) !== null,
    program(node, shapes) {
      const { expand, depthwise, project, hidden, columns, tile, input, chunk4, threads } = resolve(
        node,
        shapes,
        held,
      )!;
      const residual = project.inputs.length > 1;
      return blockProgram(shapes, tile, depthwise, {
        file: 'inverted-residual.wgsl',
        source,
        constants: {
          EXPAND: expand !== null,
          RESIDUAL: residual,
          INPUT_Y: input[0],
          INPUT_X: input[1],
          CHUNK4: chunk4,
          THREADS: threads,
          CHANNELS: held.columns,
          HELD: held.pixels,
          EXPAND_PIXELS: expandPixels(held),
          ...windowConstants(depthwise),
        },
        overrides: {
          EXPAND_ACTIVATION: activationCode(expand?.activation ?? 'none'),
          DEPTHWISE_ACTIVATION: activationCode(depthwise.activation),
          ...activationOverride(project.activation),
        },
        shape: {
          kernel_y: depthwise.kernel[0],
          hidden,
          chunks: hidden / 4 / chunk4,
          chunk4,
          cout4: ceilDiv(shapes.output[3], 4),
          columns,
        },
        bindings: blockBindings(3, expand !== null, residual),
      });
    },
    constants(node, shapes) {
      const { expand, depthwise, project, hidden, columns } = resolve(node, shapes, held)!;
      const constants = [
        filterConstant(depthwise, hidden),
        productConstant(project, depthwise.outChannels, columns, hidden),
        biasesConstant(hidden + columns + (expand ? hidden : 0), [
          [depthwise.bias, 0],
          [project.bias, hidden],
          [expand?.bias, hidden + columns],
        ]),
      ];
      if (expand) constants.push(productConstant(expand, shapes.inputs[0]![3], hidden));
      return constants;
    },
  });

export const invertedResiduals = byHeld('inverted-residual', invertedResidual);
