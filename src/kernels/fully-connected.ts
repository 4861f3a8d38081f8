import source from '../../shaders/fully-connected.wgsl?raw';
import { type Product, productOf } from '../graph/layers.ts';
import type { Conv2d, FullyConnected, Shape } from '../graph/ops.ts';
import {
  ceilDiv,
  channelConstant,
  constantBinding,
  defineKernel,
  type HalfArithmetic,
  inputBinding,
  type Kernel,
  LARGEST_TEXTURE,
  outputBinding,
  type PackedConstant,
  type Program,
  piecewiseOf,
  shapeBinding,
  sigmoidOverride,
  textureConstant,
  weightsConstant,
} from './kernel.ts';
import { packRows } from './pack.ts';

/** Invocations across four outputs each, and those that share the inputs of each. */
interface Variant {
  readonly columns: number;
  readonly slices: number;
  readonly texture: boolean;
  readonly halves?: HalfArithmetic;
}

/** Vectors of four inputs that are summed in halves at a time. */
const VECTORS = 2;

/** A product and what it reads: weights are `[h · w · c][outputs]`. */
interface Layer extends Product {
  readonly input: Shape;
}

const rowsOf = ([, height, width, channels]: Shape): number => height * width * 4 * ceilDiv(channels, 4);

const fits = ({ texture }: Variant, { input, outputs }: Layer): boolean =>
  !texture || Math.max(rowsOf(input), ceilDiv(outputs, 4)) <= LARGEST_TEXTURE;

function program({ columns, slices, texture, halves }: Variant, { input, outputs, activation }: Layer): Program {
  const outputs4 = ceilDiv(outputs, 4);
  return {
    file: 'fully-connected.wgsl',
    source,
    ...(halves ? { fragments: halves.fragments } : {}),
    constants: {
      ...halves?.names,
      HALF: halves !== undefined,
      SCALED: halves !== undefined,
      TEXTURE: texture,
      SLICED: slices > 1,
      TILE_PIXELS: 1,
      TILE_CHANNELS: 4,
      VECTORS,
    },
    overrides: { COLUMNS: columns, ...(slices > 1 ? { SLICES: slices } : {}), ...sigmoidOverride(activation) },
    shape: { inputs4: rowsOf(input) / 4, outputs4, ...piecewiseOf(activation) },
    bindings: [shapeBinding, inputBinding(0), constantBinding(0), constantBinding(1), outputBinding],
    workgroups: [ceilDiv(outputs4, columns), input[0], 1],
  };
}

function constants({ texture, halves }: Variant, { input, outputs, weights, bias }: Layer): readonly PackedConstant[] {
  const [, height, width, channels] = input;
  const pitch = 4 * ceilDiv(outputs, 4);
  const pack = () => {
    const rows = packRows(weights, height * width * channels, outputs);
    return packRows(rows, height * width, channels * pitch, 4 * ceilDiv(channels, 4) * pitch);
  };
  const rows = rowsOf(input);
  if (halves) {
    const layer = { taps: 1, inputs: rows, outputs: pitch, group: 4, columns: pitch, vectors: VECTORS };
    return halves.dot({ ...layer, weights: pack, bias });
  }
  return [
    texture ? textureConstant(pitch / 4, rows, pack) : weightsConstant(rows * pitch, pack),
    channelConstant(bias, pitch),
  ];
}

/** Of a fully connected layer, or of a 1×1 convolution of a single pixel, as in squeeze-and-excitation: the same product. */
export function matrixVector(op: 'fully-connected' | 'conv2d', name: string, variant: Variant): Kernel {
  const layer = (node: FullyConnected | Conv2d, input: Shape): Layer => ({ ...productOf(node)!, input });
  const single = ([, height, width]: Shape) => op === 'fully-connected' || (height === 1 && width === 1);
  return defineKernel<FullyConnected | Conv2d>({
    name,
    op,
    requires: variant.halves ? ['shader-f16'] : [],
    accepts: (node, { inputs: [input] }) =>
      single(input!) && productOf(node) !== null && fits(variant, layer(node, input!)),
    invocations: (node, { inputs: [input], output }) =>
      output[0] * ceilDiv(productOf(node)!.outputs, 4) * Math.min(variant.slices, rowsOf(input!) / 4),
    program: (node, { inputs: [input] }) => program(variant, layer(node, input!)),
    constants: (node, { inputs: [input] }) => constants(variant, layer(node, input!)),
  });
}

export const usualVariant: Variant = { columns: 8, slices: 8, texture: false };

const others: readonly Variant[] = [
  { columns: 4, slices: 1, texture: true },
  { columns: 8, slices: 8, texture: true },
  { columns: 4, slices: 16, texture: false },
];

/** `fully-connected/4x1-texture`: columns × slices of a workgroup, where the weights are. */
const nameOf = (stem: string, { columns, slices, texture }: Variant): string =>
  `${stem}/${columns}x${slices}-${texture ? 'texture' : 'buffer'}`;

export const fullyConnected = matrixVector('fully-connected', 'fully-connected', usualVariant);
export const matrixVectorConv = matrixVector('conv2d', 'matrix-vector', usualVariant);

export const fullyConnectedVariants: readonly Kernel[] = others.map((variant) =>
  matrixVector('fully-connected', nameOf('fully-connected', variant), variant),
);
export const matrixVectorVariants: readonly Kernel[] = others.map((variant) =>
  matrixVector('conv2d', nameOf('matrix-vector', variant), variant),
);
