import source from '../../shaders/conv-pointwise.wgsl?raw';
import type { Conv2d } from '../graph/ops.ts';
import {
  ceilDiv,
  channelConstant,
  clampOf,
  convolutionBindings,
  curveOverride,
  defineKernel,
  type Kernel,
  LARGEST_TEXTURE,
  textureConstant,
  weightsConstant,
} from './kernel.ts';
import { packDot } from './pack.ts';

/** What tells one variant of a convolution with weights in dot layout from another. */
export interface DotVariant {
  /** Pixels × channels that one invocation computes. */
  readonly pixels: number;
  readonly channels: number;
  readonly weights: 'buffer' | 'texture';
  /** Four neighbouring lanes of a subgroup load a weight each and hand it round. */
  readonly broadcast: boolean;
  readonly workgroup: number;
}

/** `conv-pointwise/p7-c24-texture-broadcast`: shader, tile, where the weights are, and how they are read. */
export const dotVariantName = (stem: string, { pixels, channels, weights, broadcast }: DotVariant): string =>
  `${stem}/p${pixels}-c${channels}-${weights}${broadcast ? '-broadcast' : ''}`;

export const isPointwise = ({ kernel, stride, groups, padding: { top, left, bottom, right } }: Conv2d): boolean =>
  groups === 1 &&
  [...kernel, ...stride].every((value) => value === 1) &&
  [top, left, bottom, right].every((value) => value === 0);

/** 1×1, stride 1, one group, no padding. */
function pointwise(name: string, variant: DotVariant): Kernel {
  const { pixels: tilePixels, channels: tileChannels, weights, broadcast, workgroup } = variant;
  // What is for software adapters has them too: see the shader.
  const storeLoop = weights === 'texture' && workgroup <= 16;
  const columnsOf = (node: Conv2d) => ceilDiv(node.outChannels, tileChannels) * tileChannels;
  const texture = weights === 'texture';
  return defineKernel<Conv2d>({
    name,
    op: 'conv2d',
    requires: broadcast ? ['subgroups'] : [],
    accepts: (node, { inputs: [input] }) =>
      isPointwise(node) && !(texture && Math.max(columnsOf(node), ceilDiv(input![3], 4)) > LARGEST_TEXTURE),
    program(node, { inputs: [input], output }) {
      const pixels = output[0] * output[1] * output[2];
      const residual = node.inputs.length > 1;
      return {
        file: 'conv-pointwise.wgsl',
        source,
        constants: {
          TILE_PIXELS: tilePixels,
          TILE_CHANNELS: tileChannels,
          RESIDUAL: residual,
          TEXTURE: texture,
          BROADCAST: broadcast,
          STORE_LOOP: storeLoop,
        },
        overrides: { WORKGROUP_X: workgroup, ...curveOverride(node.activation) },
        shape: {
          pixels,
          cin4: ceilDiv(input![3], 4),
          cout4: ceilDiv(node.outChannels, 4),
          columns: columnsOf(node),
          ...clampOf(node.activation),
        },
        bindings: convolutionBindings(residual),
        workgroups: [ceilDiv(ceilDiv(pixels, tilePixels), workgroup), columnsOf(node) / tileChannels, 1],
      };
    },
    constants(node, { inputs: [input] }) {
      const columns = columnsOf(node);
      const cin4 = ceilDiv(input![3], 4);
      const pack = () => packDot(node.weights, 1, input![3], node.outChannels, columns);
      return [
        texture ? textureConstant(columns, cin4, pack) : weightsConstant(4 * cin4 * columns, pack),
        channelConstant(node.bias, columns),
      ];
    },
  });
}

export const convPointwise = pointwise('conv-pointwise', {
  pixels: 4,
  channels: 16,
  weights: 'buffer',
  broadcast: false,
  workgroup: 32,
});

// Seven pixels fill lanes at 7², 14² and 28²; small workgroups keep lanes busy there on narrow software adapters.
const tiles: readonly DotVariant[] = [
  { pixels: 7, channels: 24, weights: 'texture', broadcast: true, workgroup: 8 },
  { pixels: 14, channels: 32, weights: 'texture', broadcast: true, workgroup: 4 },
  { pixels: 4, channels: 16, weights: 'texture', broadcast: true, workgroup: 8 },
  { pixels: 4, channels: 16, weights: 'buffer', broadcast: true, workgroup: 32 },
  { pixels: 7, channels: 16, weights: 'texture', broadcast: false, workgroup: 8 },
  { pixels: 4, channels: 16, weights: 'texture', broadcast: false, workgroup: 32 },
  { pixels: 8, channels: 8, weights: 'buffer', broadcast: false, workgroup: 32 },
  { pixels: 4, channels: 4, weights: 'buffer', broadcast: false, workgroup: 64 },
];

export const pointwiseVariants: readonly Kernel[] = tiles.map((tile) =>
  pointwise(dotVariantName('conv-pointwise', tile), tile),
);
