import source from '../../shaders/conv-project.wgsl?raw';
import type { Conv2d, Fused, Pair, Shape } from '../graph/ops.ts';
import { isDepthwise } from './conv-depthwise.ts';
import { isPointwise } from './conv-pointwise.ts';
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
  shapeBinding,
  WORKGROUP_BYTES,
  weightsConstant,
} from './kernel.ts';
import { packDot, packRows } from './pack.ts';

const COLUMNS = 16;
const CHUNK4 = 8;

const tiles: readonly Pair[] = [
  [8, 8],
  [4, 8],
  [4, 4],
  [2, 4],
];

/** Below this many workgroups a smaller tile is taken. */
const FEW_WORKGROUPS = 12;

interface Block {
  /** A depthwise convolution before `first`, which is then pointwise. */
  readonly start: Conv2d | null;
  readonly first: Conv2d;
  readonly project: Conv2d;
}

function blockOf({ parts }: Fused, channels: number): Block | null {
  const [start, first, project] = parts.length === 3 ? parts : [null, ...parts];
  if (parts.length > 3 || start === undefined || first?.op !== 'conv2d' || project?.op !== 'conv2d') return null;
  if (first.groups !== 1 || first.inputs.length > 1 || !isPointwise(project)) return null;
  if (start === null) return { start, first, project };
  if (start.op !== 'conv2d' || !isDepthwise(start, channels) || start.inputs.length > 1) return null;
  return isPointwise(first) ? { start, first, project } : null;
}

function tilingOf({ start, project }: Block, cin4: number, output: Shape) {
  const columns = ceilDiv(project.outChannels, COLUMNS);
  let best: { tile: Pair; threads: number } | null = null;
  for (const tile of tiles) {
    const pixels = tile[0] * tile[1];
    const owners = (pixels / 4) * columns;
    const bytes = 16 * pixels * (CHUNK4 + (start ? cin4 : 0));
    if (owners > MOST_INVOCATIONS || bytes > WORKGROUP_BYTES) continue;
    best = { tile, threads: Math.max(64, 32 * ceilDiv(owners, 32)) };
    if (output[0] * ceilDiv(output[1], tile[0]) * ceilDiv(output[2], tile[1]) >= FEW_WORKGROUPS) break;
  }
  return best;
}

function resolve(node: Fused, { inputs: [input], output }: NodeShapes) {
  const cin4 = ceilDiv(input![3], 4);
  const block = blockOf(node, input![3]);
  const tiling = block && tilingOf(block, cin4, output);
  if (!block || !tiling) return null;
  return {
    ...block,
    ...tiling,
    cin4,
    hidden: ceilDiv(block.first.outChannels, 4 * CHUNK4) * 4 * CHUNK4,
    columns: ceilDiv(block.project.outChannels, COLUMNS) * COLUMNS,
  };
}

/** A normal convolution, or a depthwise and a pointwise one, and the pointwise one that projects them [+ residual]. */
export const convProject = defineKernel<Fused>({
  name: 'conv-project',
  op: 'fused',
  accepts: (node, shapes) => resolve(node, shapes) !== null,
  program(node, shapes) {
    const { inputs, output } = shapes;
    const { start, first, project, tile, threads, cin4, hidden, columns } = resolve(node, shapes)!;
    const { kernel, stride, dilation, padding } = start ?? first;
    const residual = project.inputs.length > 1;
    const tilesY = ceilDiv(output[1], tile[0]);
    const bindings: Binding[] = [shapeBinding, inputBinding(0), constantBinding(0), constantBinding(1)];
    bindings.push(constantBinding(2), outputBinding);
    if (start) bindings.push(constantBinding(3));
    if (residual) bindings.push(inputBinding(1));
    return {
      file: 'conv-project.wgsl',
      source,
      constants: {
        START: start !== null,
        RESIDUAL: residual,
        TILE_Y: tile[0],
        TILE_X: tile[1],
        CHUNK4,
        CIN4: start ? cin4 : 0,
        THREADS: threads,
        KERNEL_Y: kernel[0],
        KERNEL_X: kernel[1],
        STRIDE_Y: stride[0],
        STRIDE_X: stride[1],
        DILATION_Y: dilation[0],
        DILATION_X: dilation[1],
      },
      overrides: {
        START_ACTIVATION: activationCode(start?.activation ?? 'none'),
        FIRST_ACTIVATION: activationCode(first.activation),
        ...activationOverride(project.activation),
      },
      shape: {
        in_height: inputs[0]![1],
        in_width: inputs[0]![2],
        out_height: output[1],
        out_width: output[2],
        tiles_y: tilesY,
        cin4,
        hidden,
        chunks: hidden / 4 / CHUNK4,
        cout4: ceilDiv(output[3], 4),
        columns,
        pad_top: padding.top,
        pad_left: padding.left,
      },
      bindings,
      workgroups: [ceilDiv(output[2], tile[1]), tilesY * output[0], 1],
    };
  },
  constants(node, shapes) {
    const { start, first, project, cin4, hidden, columns } = resolve(node, shapes)!;
    const taps = first.kernel[0] * first.kernel[1];
    const cin = shapes.inputs[0]![3];
    const constants = [
      weightsConstant(taps * 4 * cin4 * hidden, () => packDot(first.weights, taps, cin, first.outChannels, hidden)),
      weightsConstant(hidden * columns, () =>
        packDot(project.weights, 1, first.outChannels, project.outChannels, columns, hidden),
      ),
      biasesConstant(hidden + columns + (start ? 4 * cin4 : 0), [
        [first.bias, 0],
        [project.bias, hidden],
        [start?.bias, hidden + columns],
      ]),
    ];
    if (start) {
      const startTaps = start.kernel[0] * start.kernel[1];
      constants.push(floatWeightsConstant(startTaps * 4 * cin4, () => packRows(start.weights, startTaps, cin)));
    }
    return constants;
  },
});
