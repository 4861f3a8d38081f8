import source from '../../shaders/conv-direct.wgsl?raw';
import { isPointwise } from '../graph/layers.ts';
import type { Conv2d, Shape } from '../graph/ops.ts';
import {
  columnsOf,
  type DotVariant,
  dotConstants,
  dotLayout,
  dotVariantName,
  groupsOf,
  requiredBy,
  rowTileWorkgroups,
  tileOf,
  vectorsOf,
  wasteful,
  workgroupOf,
  workgroupRowsOf,
} from './dot.ts';
import {
  ceilDiv,
  convolutionBindings,
  defineKernel,
  type Kernel,
  LARGEST_TEXTURE,
  MOST_WORKGROUPS,
  piecewiseOf,
  sigmoidOverride,
} from './kernel.ts';
import { windowShape } from './window.ts';

interface DirectVariant extends DotVariant {
  /** For first plans: pointwise layers too, with a residual or none, so that one pipeline serves all. */
  readonly any?: true;
}

/** All pixels in one row. */
const row = ([batch, height, width, channels]: Shape): Shape => [1, 1, batch * height * width, channels];

/** Any convolution of one group that `takes` allows. */
export function direct(name: string, variant: DirectVariant, takes: (node: Conv2d) => boolean): Kernel {
  const { pixels: tilePixels, weights, any = false } = variant;
  // Rows of pixels of a workgroup.
  const rows = any ? 1 : workgroupRowsOf(variant);
  const columnsOfWorkgroup = workgroupOf(variant) / rows;
  const weightRowsOf = ({ kernel }: Conv2d, channels: number) => kernel[0] * kernel[1] * ceilDiv(channels, 4);
  const texture = weights === 'texture';
  return defineKernel<Conv2d>({
    name,
    op: 'conv2d',
    requires: requiredBy(variant),
    accepts: (node, { inputs: [input], output }) =>
      node.groups === 1 &&
      takes(node) &&
      !(texture && Math.max(columnsOf(node, variant), weightRowsOf(node, input![3])) > LARGEST_TEXTURE) &&
      !(any && isPointwise(node) && ceilDiv(row(output)[2], tilePixels * columnsOfWorkgroup) > MOST_WORKGROUPS),
    invocations: (node, { output: [images, height, width] }) =>
      images * height * ceilDiv(width, tilePixels) * groupsOf(node, variant),
    suits: (node) => any || !wasteful(node, variant),
    program(node, shapes) {
      // Where no pixel sees another they are one row, which tiles fill.
      const [input, output] = [shapes.inputs[0]!, shapes.output].map((shape) =>
        isPointwise(node) ? row(shape) : shape,
      );
      const residual = node.inputs.length > 1;
      const groups = groupsOf(node, variant);
      return {
        file: 'conv-direct.wgsl',
        source,
        ...(variant.halves ? { fragments: variant.halves.fragments } : {}),
        constants: {
          ...dotConstants(variant),
          VECTORS: vectorsOf(input![3]),
          RESIDUAL: residual || any,
        },
        overrides: { WORKGROUP_X: columnsOfWorkgroup, WORKGROUP_Y: rows, ...sigmoidOverride(node.activation) },
        shape: {
          ...windowShape(node, input!, output!),
          cin4: ceilDiv(input![3], 4),
          cout4: ceilDiv(node.outChannels, 4),
          columns: columnsOf(node, variant),
          dilation_y: node.dilation[0],
          dilation_x: node.dilation[1],
          groups_of_channels: groups,
          images: output![0],
          ...piecewiseOf(node.activation),
          adds_residual: residual ? 1 : 0,
        },
        bindings: convolutionBindings(residual, any),
        workgroups: rowTileWorkgroups(variant, rows, output!, groups),
      };
    },
    constants: (node, { inputs: [input] }) => dotLayout(node, node.kernel[0] * node.kernel[1], input![3], variant),
  });
}

/** With the usual tile no GPU's compiler keeps sums in memory. */
export const convDirect = direct('conv-direct', tileOf(2, 4, 'line'), () => true);

const tiles: readonly DirectVariant[] = [
  { pixels: 7, channels: 32, weights: 'texture', lanes: 'pixels', broadcast: true, software: true },
  { pixels: 7, channels: 16, weights: 'texture', lanes: 'pixels', broadcast: true, software: true },
  { ...tileOf(4, 16, 'pixels'), weights: 'texture' },
  tileOf(4, 16, 'line'),
  tileOf(4, 8, 'line'),
  tileOf(2, 4, 'pixels'),
];

export const directVariants: readonly Kernel[] = tiles.map((tile) =>
  direct(dotVariantName('conv-direct', tile), tile, (node) => !isPointwise(node)),
);

/** For first results on devices that compile slowly: one pipeline for all of a network's convolutions of one group. */
export const convAnyVariants: readonly Kernel[] = (
  [
    { pixels: 4, channels: 8, weights: 'texture', lanes: 'pixels', broadcast: true, software: true, any: true },
    { pixels: 2, channels: 8, weights: 'texture', lanes: 'pixels', broadcast: false, software: true, any: true },
  ] as const
).map((tile) => direct(dotVariantName('conv-any', tile), tile, () => true));
