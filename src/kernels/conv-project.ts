import source from '../../shaders/conv-project.wgsl?raw';
import { isDepthwise, isPointwise } from '../graph/layers.ts';
import type { Conv2d, Fused } from '../graph/ops.ts';
import {
  blockBindings,
  blockProgram,
  byHeld,
  bytesOf,
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

const CHUNK4 = 8;

interface Block {
  /** A depthwise convolution before `first`, which is then pointwise. */
  readonly start: Conv2d | null;
  readonly first: Conv2d;
  readonly project: Conv2d;
}

function blockOf({ parts }: Fused, channels: number): Block | null {
  const [start, first, project] = parts.length === 3 ? parts : [null, ...parts];
  if (parts.length > 3 || start === undefined || first?.op !== 'conv2d' || !isPointwise(project)) return null;
  if (first.groups !== 1 || first.inputs.length > 1) return null;
  if (start === null) return { start, first, project };
  if (!isDepthwise(start, channels) || start.inputs.length > 1) return null;
  return isPointwise(first) ? { start, first, project } : null;
}

function resolve(node: Fused, { inputs: [input], output }: NodeShapes, held: Held) {
  const cin4 = ceilDiv(input![3], 4);
  const block = blockOf(node, input![3]);
  const tiling =
    block &&
    tilingOf(output, (tile) => {
      const owners = ownersOf(tile, block.project, held);
      const bytes = 16 * tile[0] * tile[1] * (CHUNK4 + (block.start ? cin4 : 0));
      return owners > MOST_INVOCATIONS || bytes > bytesOf(held) ? null : { tile, threads: threadsOf(owners) };
    });
  if (!block || !tiling) return null;
  const { first, project } = block;
  return { ...block, ...tiling, cin4, hidden: hiddenOf(first, CHUNK4), columns: projectColumns(project, held) };
}

/** A normal convolution, or a depthwise and a pointwise one, and the pointwise one that projects them [+ residual]. */
const convProject = (name: string, held: Held): Kernel =>
  defineKernel<Fused>({
    name,
    op: 'fused',
    accepts: (node, shapes) => resolve(node, shapes, held) !== null,
    program(node, shapes) {
      const { start, first, project, tile, threads, cin4, hidden, columns } = resolve(node, shapes, held)!;
      const residual = project.inputs.length > 1;
      return blockProgram(shapes, tile, start ?? first, {
        file: 'conv-project.wgsl',
        source,
        constants: {
          START: start !== null,
          RESIDUAL: residual,
          CHUNK4,
          CIN4: start ? cin4 : 0,
          THREADS: threads,
          CHANNELS: held.columns,
          HELD: held.pixels,
          EXPAND_PIXELS: expandPixels(held),
          ...windowConstants(start ?? first),
        },
        overrides: {
          START_ACTIVATION: activationCode(start?.activation ?? 'none'),
          FIRST_ACTIVATION: activationCode(first.activation),
          ...activationOverride(project.activation),
        },
        shape: { hidden, chunks: hidden / 4 / CHUNK4, chunk4: CHUNK4, cout4: ceilDiv(shapes.output[3], 4), columns },
        bindings: blockBindings(3, start !== null, residual),
      });
    },
    constants(node, shapes) {
      const { start, first, project, cin4, hidden, columns } = resolve(node, shapes, held)!;
      const constants = [
        productConstant(first, shapes.inputs[0]![3], hidden),
        productConstant(project, first.outChannels, columns, hidden),
        biasesConstant(hidden + columns + (start ? 4 * cin4 : 0), [
          [first.bias, 0],
          [project.bias, hidden],
          [start?.bias, hidden + columns],
        ]),
      ];
      if (start) constants.push(filterConstant(start, 4 * cin4));
      return constants;
    },
  });

export const convProjects = byHeld('conv-project', convProject);
