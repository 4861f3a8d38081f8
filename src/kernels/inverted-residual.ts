import source from '../../shaders/inverted-residual.wgsl?raw';
import { isPointwise } from '../graph/layers.ts';
import type { Conv2d, Fused, Pair } from '../graph/ops.ts';
import {
  blockBindings,
  blockProgram,
  expandedDepthwise,
  filterConstant,
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
  MOST_INVOCATIONS,
  type NodeShapes,
  WORKGROUP_BYTES,
} from './kernel.ts';
import { inputExtent } from './window.ts';

const MOST_CHUNK4 = 8;

/** What a tile needs: the pixels that it reads, hidden channels of a chunk in fours, invocations. Null where it is too large. */
function tilingFor(depthwise: Conv2d, project: Conv2d, tile: Pair) {
  const input = inputExtent(depthwise, tile);
  const places = input[0] * input[1] + tile[0] * tile[1];
  const chunk4 = Math.min(MOST_CHUNK4, Math.floor(WORKGROUP_BYTES / 16 / places));
  const owners = ownersOf(tile, project);
  return chunk4 < 1 || owners > MOST_INVOCATIONS ? null : { tile, input, chunk4, threads: threadsOf(owners) };
}

function resolve({ parts }: Fused, { inputs: [input], output }: NodeShapes) {
  const [expand, depthwise, project] = parts.length === 3 ? parts : [null, ...parts];
  const block = parts.length > 3 ? null : expandedDepthwise([expand, depthwise], input![3]);
  if (!block || !isPointwise(project)) return null;
  const tiling = tilingOf(output, (tile) => tilingFor(block.depthwise, project, tile));
  if (!tiling) return null;
  return {
    ...block,
    ...tiling,
    project,
    hidden: hiddenOf(block.depthwise, tiling.chunk4),
    columns: projectColumns(project),
  };
}

/** [expand,] depthwise, project [+ residual]. */
export const invertedResidual = defineKernel<Fused>({
  name: 'inverted-residual',
  op: 'fused',
  accepts: (node, shapes) => resolve(node, shapes) !== null,
  program(node, shapes) {
    const { expand, depthwise, project, hidden, columns, tile, input, chunk4, threads } = resolve(node, shapes)!;
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
        ...windowConstants(depthwise),
      },
      overrides: {
        EXPAND_ACTIVATION: activationCode(expand?.activation ?? 'none'),
        DEPTHWISE_ACTIVATION: activationCode(depthwise.activation),
        ...activationOverride(project.activation),
      },
      shape: { hidden, chunks: hidden / 4 / chunk4, cout4: ceilDiv(shapes.output[3], 4), columns },
      bindings: blockBindings(3, expand !== null, residual),
    });
  },
  constants(node, shapes) {
    const { expand, depthwise, project, hidden, columns } = resolve(node, shapes)!;
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
