import source from '../../shaders/conv-stem.wgsl?raw';
import type { ImageRule } from '../graph/graph.ts';
import type { Conv2d } from '../graph/ops.ts';
import { constant } from '../images/picture.ts';
import {
  columnsOf,
  type DotVariant,
  dotConstants,
  dotLayout,
  dotVariantName,
  groupsOf,
  rowTileWorkgroups,
  tileOf,
  wasteful,
  workgroupOf,
  workgroupRowsOf,
} from './dot.ts';
import {
  activationOverride,
  ceilDiv,
  constantBinding,
  defineKernel,
  inputBinding,
  type Kernel,
  outputBinding,
  shapeBinding,
} from './kernel.ts';
import { windowShape } from './window.ts';

export const stemShader = { file: 'conv-stem.wgsl', source } as const;

/** Overrides with which the shader reads a picture's bytes in the place of a tensor of three channels. */
export const readingPixels = { PIXELS: 1 } as const;

/** Fields of its `struct Shape` that say what a byte stands for, by a rule for three channels; without one they are idle. */
export function pixelFields(rule?: ImageRule) {
  const { scale = [0], offset = [0], channels = 'rgb' } = rule ?? {};
  return {
    scale_0: constant(scale, 0),
    scale_1: constant(scale, 1),
    scale_2: constant(scale, 2),
    offset_0: constant(offset, 0),
    offset_1: constant(offset, 1),
    offset_2: constant(offset, 2),
    first_bit: channels === 'bgr' ? 16 : 0,
    last_bit: channels === 'bgr' ? 0 : 16,
  };
}

/** Inputs of a row that code is written for: a kernel of 7 on three channels. */
const MOST_INPUTS = 21;

/** A network's first convolution, of a picture's few channels as the caller gave them. */
function stem(name: string, variant: DotVariant): Kernel {
  const rows = workgroupRowsOf(variant);
  const columnsOfWorkgroup = workgroupOf(variant) / rows;
  return defineKernel<Conv2d>({
    name,
    op: 'conv2d',
    requires: variant.broadcast ? ['subgroups'] : [],
    readsDense: true,
    accepts: ({ groups, kernel, dilation, inputs }, { inputs: [input], dense = false }) =>
      dense &&
      groups === 1 &&
      inputs.length === 1 &&
      input![3] < 4 &&
      dilation.every((step) => step === 1) &&
      kernel[1] * input![3] <= MOST_INPUTS,
    suits: (node) => !wasteful(node, variant),
    program(node, { inputs: [input], output }) {
      const { kernel_x, stride_x, ...window } = windowShape(node, input!, output);
      const groups = groupsOf(node, variant);
      return {
        ...stemShader,
        constants: {
          ...dotConstants(variant),
          KERNEL_X: kernel_x,
          STRIDE_X: stride_x,
          CHANNELS: input![3],
        },
        overrides: { WORKGROUP_X: columnsOfWorkgroup, WORKGROUP_Y: rows, ...activationOverride(node.activation) },
        shape: {
          ...window,
          cout4: ceilDiv(node.outChannels, 4),
          columns: columnsOf(node, variant),
          groups_of_channels: groups,
          images: output[0],
          ...pixelFields(),
        },
        bindings: [shapeBinding, inputBinding(0), constantBinding(0), constantBinding(1), outputBinding],
        workgroups: rowTileWorkgroups(variant, rows, output, groups),
      };
    },
    // A row's inputs lie one after another: to the layout a kernel of as many rows on so many channels.
    constants: (node, { inputs: [input] }) => dotLayout(node, node.kernel[0], node.kernel[1] * input![3], variant),
  });
}

/** With the usual tile no GPU's compiler keeps sums in memory. */
export const convStem = stem('conv-stem', tileOf(1, 8, 'line'));

const tiles: readonly DotVariant[] = [
  { pixels: 7, channels: 16, weights: 'texture', lanes: 'pixels', broadcast: true, software: true },
  { pixels: 7, channels: 16, weights: 'texture', lanes: 'pixels', broadcast: false, software: true },
  tileOf(4, 16, 'pixels'),
  tileOf(4, 8, 'line'),
  tileOf(2, 4, 'pixels'),
];

export const stemVariants: readonly Kernel[] = tiles.map((tile) => stem(dotVariantName('conv-stem', tile), tile));
