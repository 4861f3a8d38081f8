import source from '../../shaders/expand-depthwise.wgsl?raw';
import type { Conv2d, Fused, Pair, Shape, SumTiles } from '../graph/ops.ts';
import { isPointwise } from './conv-pointwise.ts';
import {
  activationCode,
  activationOverride,
  type Binding,
  ceilDiv,
  channelConstant,
  constantBinding,
  defineKernel,
  floatWeightsConstant,
  inputBinding,
  type NodeShapes,
  outputBinding,
  shapeBinding,
  WORKGROUP_BYTES,
  weightsConstant,
} from './kernel.ts';
import { packDot, packRows } from './pack.ts';
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
  if (expand === undefined || depthwise?.op !== 'conv2d' || sums?.op !== 'sum-tiles' || also?.length !== 1) return null;
  if (expand && !(expand.op === 'conv2d' && isPointwise(expand) && expand.inputs.length === 1)) return null;
  const hidden = expand ? expand.outChannels : channels;
  if (depthwise.groups !== hidden || depthwise.outChannels !== hidden || depthwise.inputs.length > 1) return null;
  return chunkOf(depthwise, sums.tile) >= 1 ? { expand, depthwise, sums } : null;
}

const resolve = (node: Fused, { inputs: [input] }: NodeShapes) => {
  const half = halfOf(node, input![3]);
  if (!half) return null;
  const chunk4 = chunkOf(half.depthwise, half.sums.tile);
  return { ...half, chunk4, hidden: ceilDiv(half.depthwise.outChannels, 4 * chunk4) * 4 * chunk4 };
};

/** [expand,] depthwise, and the sums of its tiles as a second output. */
export const expandDepthwise = defineKernel<Fused>({
  name: 'expand-depthwise',
  op: 'fused',
  accepts: (node, shapes) => resolve(node, shapes) !== null,
  program(node, shapes) {
    const { inputs, output } = shapes;
    const { expand, depthwise, sums, chunk4, hidden } = resolve(node, shapes)!;
    const [tileY, tileX] = sums.tile;
    const [inputY, inputX] = inputExtent(depthwise, sums.tile);
    const [tilesY, tilesX] = [ceilDiv(output[1], tileY), ceilDiv(output[2], tileX)];
    const bindings: Binding[] = [shapeBinding, inputBinding(0), constantBinding(0), constantBinding(1)];
    bindings.push(outputBinding, { role: 'output', index: 1 });
    if (expand) bindings.push(constantBinding(2));
    return {
      file: 'expand-depthwise.wgsl',
      source,
      constants: {
        EXPAND: expand !== null,
        TILE_Y: tileY,
        TILE_X: tileX,
        INPUT_Y: inputY,
        INPUT_X: inputX,
        CHUNK4: chunk4,
        KERNEL_Y: depthwise.kernel[0],
        KERNEL_X: depthwise.kernel[1],
        STRIDE_Y: depthwise.stride[0],
        STRIDE_X: depthwise.stride[1],
        DILATION_Y: depthwise.dilation[0],
        DILATION_X: depthwise.dilation[1],
      },
      overrides: {
        EXPAND_ACTIVATION: activationCode(expand?.activation ?? 'none'),
        ...activationOverride(depthwise.activation),
      },
      shape: {
        in_height: inputs[0]![1],
        in_width: inputs[0]![2],
        out_height: output[1],
        out_width: output[2],
        tiles_y: tilesY,
        tiles_x: tilesX,
        cin4: ceilDiv(inputs[0]![3], 4),
        hidden,
        hidden4: ceilDiv(output[3], 4),
        pad_top: depthwise.padding.top,
        pad_left: depthwise.padding.left,
      },
      bindings,
      workgroups: [tilesX, tilesY * output[0], hidden / 4 / chunk4],
    };
  },
  constants(node, shapes) {
    const { expand, depthwise, hidden } = resolve(node, shapes)!;
    const channels = depthwise.outChannels;
    const taps = depthwise.kernel[0] * depthwise.kernel[1];
    const cin = shapes.inputs[0]![3];
    const biases = new Float32Array(hidden * (expand ? 2 : 1));
    if (depthwise.bias) biases.set(depthwise.bias);
    if (expand?.bias) biases.set(expand.bias, hidden);
    const constants = [
      floatWeightsConstant(taps * hidden, () => packRows(depthwise.weights, taps, channels, hidden)),
      channelConstant(biases, biases.length),
    ];
    if (expand) {
      const elements = 4 * ceilDiv(cin, 4) * hidden;
      constants.push(weightsConstant(elements, () => packDot(expand.weights, 1, cin, channels, hidden)));
    }
    return constants;
  },
});
