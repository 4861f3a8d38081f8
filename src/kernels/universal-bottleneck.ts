import source from '../../shaders/universal-bottleneck.wgsl?raw';
import { isDepthwise, isPointwise } from '../graph/layers.ts';
import type { Conv2d, Fused, Pair, Shape } from '../graph/ops.ts';
import { windowOutput } from '../graph/shapes.ts';
import {
  blockBindings,
  blockProgram,
  type Held,
  hiddenOf,
  ownersOf,
  productConstant,
  smallest,
  tapsOf,
  threadsOf,
  tiles,
  windowConstants,
  workgroupsOf,
} from './block.ts';
import {
  activationCode,
  activationOverride,
  biasesConstant,
  ceilDiv,
  defineKernel,
  floatWeightsConstant,
  type Kernel,
  MOST_INVOCATIONS,
  type NodeShapes,
  WORKGROUP_BYTES,
} from './kernel.ts';
import { packRows } from './pack.ts';
import { inputExtent } from './window.ts';

const MOST_CHUNK4 = 8;

/** Workgroups that are supposed to run at once: fewer take no less time. */
const AT_ONCE = 8;

interface Block {
  readonly start: Conv2d;
  readonly expand: Conv2d;
  readonly depthwise: Conv2d;
  readonly project: Conv2d;
}

interface Tiling {
  readonly tile: Pair;
  /** Pixels that the tile's depthwise convolution reads. */
  readonly input: Pair;
  /** Hidden channels of a chunk, in fours. */
  readonly chunk4: number;
  /** Channels that the starting convolution filters at a time, in fours. */
  readonly part4: number;
  readonly threads: number;
}

function blockOf({ parts }: Fused, channels: number): Block | null {
  const [start, expand, depthwise, project] = parts;
  if (parts.length !== 4 || !isDepthwise(start, channels) || !isPointwise(expand) || !isPointwise(project)) return null;
  if (!isDepthwise(depthwise, expand.outChannels)) return null;
  if ([start, expand, depthwise].some(({ inputs }) => inputs.length > 1)) return null;
  return { start, expand, depthwise, project };
}

/**
 * The tiling with the fewest multiplications, halos and what is filtered again included, of those that fit into
 * workgroup memory and hold all output channels. Null where there is none.
 */
function tilingOf({ start, depthwise, project }: Block, channels: number, output: Shape, held: Held): Tiling | null {
  const hidden = depthwise.outChannels;
  const cin4 = ceilDiv(channels, 4);
  let best: Tiling | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const tile of [...tiles, smallest]) {
    const input = inputExtent(depthwise, tile);
    const [pixels, places] = [tile[0] * tile[1], input[0] * input[1]];
    const owners = ownersOf(tile, project, held);
    if (owners > MOST_INVOCATIONS) continue;
    const workgroups = workgroupsOf(tile, output);
    for (let chunk4 = 1; chunk4 <= MOST_CHUNK4; chunk4++) {
      const room = Math.floor((WORKGROUP_BYTES / 16 - (places + pixels) * chunk4) / places);
      if (room < 1) break;
      const parts = ceilDiv(cin4, room);
      const chunks = ceilDiv(hidden, 4 * chunk4);
      const work =
        (parts > 1 ? chunks : 1) * places * channels * tapsOf(start) +
        4 * chunk4 * chunks * (places * channels + pixels * (tapsOf(depthwise) + project.outChannels));
      const cost = Math.max(workgroups, AT_ONCE) * work;
      if (cost > least) continue;
      least = cost;
      best = { tile, input, chunk4, part4: ceilDiv(cin4, parts), threads: threadsOf(owners) };
    }
  }
  return best;
}

function resolve(node: Fused, { inputs: [input], output }: NodeShapes, held: Held) {
  const block = blockOf(node, input![3]);
  const tiling = block && tilingOf(block, input![3], output, held);
  if (!block || !tiling) return null;
  return {
    ...block,
    ...tiling,
    cin4: ceilDiv(input![3], 4),
    cout4: ceilDiv(output[3], 4),
    hidden: hiddenOf(block.depthwise, tiling.chunk4),
  };
}

/** Depthwise, expand, depthwise, project [+ residual]: a universal inverted bottleneck with an extra depthwise. */
const bottleneck = (name: string, expandPixels: number, mostStrip: number, held: Held): Kernel =>
  defineKernel<Fused>({
    name,
    op: 'fused',
    accepts: (node, shapes) => resolve(node, shapes, held) !== null,
    program(node, shapes) {
      const { start, expand, depthwise, project, ...sizes } = resolve(node, shapes, held)!;
      const { tile, input, chunk4, part4, threads, cout4, hidden } = sizes;
      const [, height, width] = shapes.inputs[0]!;
      const started = (size: number, axis: 0 | 1, padding: number) =>
        windowOutput(size, start.kernel[axis], start.stride[axis], start.dilation[axis], padding);
      const residual = project.inputs.length > 1;
      const strips = ceilDiv(input[1], mostStrip);
      return blockProgram(shapes, tile, depthwise, {
        file: 'universal-bottleneck.wgsl',
        source,
        constants: {
          RESIDUAL: residual,
          INPUT_Y: input[0],
          INPUT_X: input[1],
          CHUNK4: chunk4,
          PART4: part4,
          STRIP: ceilDiv(input[1], strips),
          STRIPS: strips,
          THREADS: threads,
          EXPAND_PIXELS: expandPixels,
          HELD: held.pixels,
          ...windowConstants(start, 'START_'),
          ...windowConstants(depthwise),
        },
        overrides: {
          START_ACTIVATION: activationCode(start.activation),
          EXPAND_ACTIVATION: activationCode(expand.activation),
          DEPTHWISE_ACTIVATION: activationCode(depthwise.activation),
          ...activationOverride(project.activation),
        },
        shape: {
          src_height: height,
          src_width: width,
          in_height: started(height, 0, start.padding.top + start.padding.bottom),
          in_width: started(width, 1, start.padding.left + start.padding.right),
          hidden,
          chunks: hidden / 4 / chunk4,
          chunk4,
          cout4,
          columns: 4 * cout4,
          start_pad_top: start.padding.top,
          start_pad_left: start.padding.left,
          kernel_y: depthwise.kernel[0],
          kernel_x: depthwise.kernel[1],
          start_kernel_y: start.kernel[0],
          start_kernel_x: start.kernel[1],
        },
        bindings: blockBindings(4, false, residual),
      });
    },
    constants(node, shapes) {
      const { start, expand, depthwise, project, cin4, cout4, hidden } = resolve(node, shapes, held)!;
      const cin = shapes.inputs[0]![3];
      const channels = depthwise.outChannels;
      const [taps, startTaps] = [tapsOf(depthwise), tapsOf(start)];
      return [
        floatWeightsConstant(taps * hidden + startTaps * 4 * cin4, () => {
          const packed = new Float32Array(taps * hidden + startTaps * 4 * cin4);
          packed.set(packRows(depthwise.weights, taps, channels, hidden));
          packed.set(packRows(start.weights, startTaps, cin), taps * hidden);
          return packed;
        }),
        productConstant(expand, cin, hidden),
        productConstant(project, channels, 4 * cout4, hidden),
        biasesConstant(2 * hidden + 4 * cout4 + 4 * cin4, [
          [depthwise.bias, 0],
          [expand.bias, hidden],
          [project.bias, 2 * hidden],
          [start.bias, 2 * hidden + 4 * cout4],
        ]),
      ];
    },
  });

/** `e4` is for software adapters, whose registers are memory in any case. */
export const universalBottlenecks: readonly Kernel[] = [
  bottleneck('universal-bottleneck', 1, 1, { pixels: 4, columns: 4 }),
  bottleneck('universal-bottleneck/p2', 1, 1, { pixels: 2, columns: 4 }),
  bottleneck('universal-bottleneck/e4', 4, 4, { pixels: 4, columns: 4 }),
];
