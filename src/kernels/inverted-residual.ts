import source from '../../shaders/inverted-residual.wgsl?raw';
import type { Conv2d, Fused, Node, Shape } from '../graph/ops.ts';
import { isPointwise as isPointwiseConv } from './conv-pointwise.ts';
import {
  activationCode,
  activationOverride,
  type Binding,
  biasesConstant,
  ceilDiv,
  constantBinding,
  defineKernel,
  floatWeightsConstant,
  inputBinding,
  MOST_INVOCATIONS,
  type NodeShapes,
  outputBinding,
  type PackedConstant,
  shapeBinding,
  WORKGROUP_BYTES,
  weightsConstant,
} from './kernel.ts';
import { packDot, packRows } from './pack.ts';
import { inputExtent } from './window.ts';

/** The convolutions of a block; without an expansion the depthwise one reads the block's input. */
interface Block {
  readonly expand: Conv2d | null;
  readonly depthwise: Conv2d;
  readonly project: Conv2d;
}

interface Tiling {
  readonly tileY: number;
  readonly tileX: number;
  readonly inputY: number;
  readonly inputX: number;
  /** Hidden channels of a chunk, in fours. */
  readonly chunk4: number;
  readonly threads: number;
}

/** Output tiles, the largest first; fewer halves the halo's share. */
const tiles = [
  [8, 8],
  [4, 8],
  [4, 4],
  [2, 4],
] as const;

/** Below this many workgroups a smaller tile is taken. */
const FEW_WORKGROUPS = 12;

const COLUMNS = 16;

const isPointwise = (node: Node): node is Conv2d => node.op === 'conv2d' && isPointwiseConv(node);

function blockOf({ parts }: Fused, channels: number): Block | null {
  const [expand, depthwise, project] = parts.length === 3 ? parts : [null, ...parts];
  if (expand === undefined || !depthwise || !project || parts.length > 3) return null;
  if (depthwise.op !== 'conv2d' || !isPointwise(project) || depthwise.inputs.length > 1) return null;
  if (expand && (!isPointwise(expand) || expand.inputs.length > 1)) return null;
  const hidden = expand ? expand.outChannels : channels;
  if (depthwise.groups !== hidden || depthwise.outChannels !== hidden) return null;
  return { expand, depthwise, project };
}

function tilingOf({ depthwise, project }: Block, output: Shape): Tiling | null {
  let best: Tiling | null = null;
  for (const [tileY, tileX] of tiles) {
    const [inputY, inputX] = inputExtent(depthwise, [tileY, tileX]);
    const chunk4 = Math.min(8, Math.floor(WORKGROUP_BYTES / 16 / (inputY * inputX + tileY * tileX)));
    const owners = ((tileY * tileX) / 4) * ceilDiv(project.outChannels, COLUMNS);
    if (chunk4 < 1 || owners > MOST_INVOCATIONS) continue;
    best = { tileY, tileX, inputY, inputX, chunk4, threads: Math.max(64, 32 * ceilDiv(owners, 32)) };
    if (output[0] * ceilDiv(output[1], tileY) * ceilDiv(output[2], tileX) >= FEW_WORKGROUPS) break;
  }
  return best;
}

function resolve(node: Fused, { inputs: [input], output }: NodeShapes) {
  const block = blockOf(node, input![3]);
  const tiling = block && tilingOf(block, output);
  if (!block || !tiling) return null;
  const hidden = ceilDiv(block.depthwise.outChannels, 4 * tiling.chunk4) * 4 * tiling.chunk4;
  const columns = ceilDiv(block.project.outChannels, COLUMNS) * COLUMNS;
  return { ...block, ...tiling, hidden, columns };
}

/** Whether `fused` parts are a block that the kernel runs: [expand,] depthwise, project [+ residual]. */
export const isInvertedResidual = (node: Fused, shapes: NodeShapes): boolean => resolve(node, shapes) !== null;

export const invertedResidual = defineKernel<Fused>({
  name: 'inverted-residual',
  op: 'fused',
  accepts: isInvertedResidual,
  program(node, shapes) {
    const { inputs, output } = shapes;
    const { expand, depthwise, project, hidden, columns, ...tiling } = resolve(node, shapes)!;
    const residual = project.inputs.length > 1;
    const tilesY = ceilDiv(output[1], tiling.tileY);
    const bindings: Binding[] = [shapeBinding, inputBinding(0), constantBinding(0), constantBinding(1)];
    bindings.push(constantBinding(2), outputBinding);
    if (expand) bindings.push(constantBinding(3));
    if (residual) bindings.push(inputBinding(1));
    return {
      file: 'inverted-residual.wgsl',
      source,
      constants: {
        EXPAND: expand !== null,
        RESIDUAL: residual,
        TILE_Y: tiling.tileY,
        TILE_X: tiling.tileX,
        INPUT_Y: tiling.inputY,
        INPUT_X: tiling.inputX,
        CHUNK4: tiling.chunk4,
        THREADS: tiling.threads,
        KERNEL_Y: depthwise.kernel[0],
        KERNEL_X: depthwise.kernel[1],
        STRIDE_Y: depthwise.stride[0],
        STRIDE_X: depthwise.stride[1],
        DILATION_Y: depthwise.dilation[0],
        DILATION_X: depthwise.dilation[1],
      },
      overrides: {
        EXPAND_ACTIVATION: activationCode(expand?.activation ?? 'none'),
        DEPTHWISE_ACTIVATION: activationCode(depthwise.activation),
        ...activationOverride(project.activation),
      },
      shape: {
        in_height: inputs[0]![1],
        in_width: inputs[0]![2],
        out_height: output[1],
        out_width: output[2],
        tiles_y: tilesY,
        cin4: ceilDiv(inputs[0]![3], 4),
        hidden,
        chunks: hidden / 4 / tiling.chunk4,
        cout4: ceilDiv(output[3], 4),
        columns,
        pad_top: depthwise.padding.top,
        pad_left: depthwise.padding.left,
      },
      bindings,
      workgroups: [ceilDiv(output[2], tiling.tileX), tilesY * output[0], 1],
    };
  },
  constants(node, shapes) {
    const { expand, depthwise, project, hidden, columns } = resolve(node, shapes)!;
    const channels = depthwise.outChannels;
    const taps = depthwise.kernel[0] * depthwise.kernel[1];
    const cin = shapes.inputs[0]![3];
    const constants: PackedConstant[] = [
      floatWeightsConstant(taps * hidden, () => packRows(depthwise.weights, taps, channels, hidden)),
      weightsConstant(hidden * columns, () =>
        packDot(project.weights, 1, channels, project.outChannels, columns, hidden),
      ),
      biasesConstant(hidden + columns + (expand ? hidden : 0), [
        [depthwise.bias, 0],
        [project.bias, hidden],
        [expand?.bias, hidden + columns],
      ]),
    ];
    if (expand) {
      const elements = 4 * ceilDiv(cin, 4) * hidden;
      constants.push(weightsConstant(elements, () => packDot(expand.weights, 1, cin, channels, hidden)));
    }
    return constants;
  },
});
