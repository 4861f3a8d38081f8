import source from '../../shaders/fully-connected.wgsl?raw';
import type { Activation, Conv2d, FullyConnected, Shape } from '../graph/ops.ts';
import {
  ceilDiv,
  channelConstant,
  constantBinding,
  defineKernel,
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
}

/** A matrix-vector product for each image of a batch. */
interface Product {
  readonly input: Shape;
  readonly outputs: number;
  readonly activation: Activation;
  /** `[h · w · c][outputs]`. */
  readonly weights: Float32Array;
  readonly bias: Float32Array | null;
}

const rowsOf = ([, height, width, channels]: Shape): number => height * width * 4 * ceilDiv(channels, 4);

const fits = ({ texture }: Variant, { input, outputs }: Product): boolean =>
  !texture || Math.max(rowsOf(input), ceilDiv(outputs, 4)) <= LARGEST_TEXTURE;

function program({ columns, slices, texture }: Variant, { input, outputs, activation }: Product): Program {
  const outputs4 = ceilDiv(outputs, 4);
  return {
    file: 'fully-connected.wgsl',
    source,
    constants: { TEXTURE: texture, SLICED: slices > 1 },
    overrides: { COLUMNS: columns, ...(slices > 1 ? { SLICES: slices } : {}), ...sigmoidOverride(activation) },
    shape: { inputs4: rowsOf(input) / 4, outputs4, ...piecewiseOf(activation) },
    bindings: [shapeBinding, inputBinding(0), constantBinding(0), constantBinding(1), outputBinding],
    workgroups: [ceilDiv(outputs4, columns), input[0], 1],
  };
}

function constants({ texture }: Variant, { input, outputs, weights, bias }: Product): PackedConstant[] {
  const [, height, width, channels] = input;
  const pitch = 4 * ceilDiv(outputs, 4);
  const pack = () => {
    const rows = packRows(weights, height * width * channels, outputs);
    return packRows(rows, height * width, channels * pitch, 4 * ceilDiv(channels, 4) * pitch);
  };
  const rows = rowsOf(input);
  return [
    texture ? textureConstant(pitch / 4, rows, pack) : weightsConstant(rows * pitch, pack),
    channelConstant(bias, pitch),
  ];
}

function ofFullyConnected(name: string, variant: Variant): Kernel {
  const product = (node: FullyConnected, input: Shape): Product => ({ ...node, input, outputs: node.outFeatures });
  return defineKernel<FullyConnected>({
    name,
    op: 'fully-connected',
    accepts: (node, { inputs: [input] }) => fits(variant, product(node, input!)),
    program: (node, { inputs: [input] }) => program(variant, product(node, input!)),
    constants: (node, { inputs: [input] }) => constants(variant, product(node, input!)),
  });
}

/** A 1×1 convolution of a single pixel, as in squeeze-and-excitation and after a global pool: the same product. */
function ofPixel(name: string, variant: Variant): Kernel {
  const product = (node: Conv2d, input: Shape): Product => ({ ...node, input, outputs: node.outChannels });
  return defineKernel<Conv2d>({
    name,
    op: 'conv2d',
    accepts: (node, { inputs: [input, residual] }) =>
      residual === undefined &&
      node.groups === 1 &&
      [...node.kernel, input![1], input![2]].every((length) => length === 1) &&
      Object.values(node.padding).every((pixels) => pixels === 0) &&
      fits(variant, product(node, input!)),
    program: (node, { inputs: [input] }) => program(variant, product(node, input!)),
    constants: (node, { inputs: [input] }) => constants(variant, product(node, input!)),
  });
}

const usual: Variant = { columns: 8, slices: 8, texture: false };

const others: readonly Variant[] = [
  { columns: 4, slices: 1, texture: true },
  { columns: 8, slices: 8, texture: true },
  { columns: 4, slices: 16, texture: false },
];

/** `fully-connected/4x1-texture`: columns × slices of a workgroup, where the weights are. */
const nameOf = (stem: string, { columns, slices, texture }: Variant): string =>
  `${stem}/${columns}x${slices}-${texture ? 'texture' : 'buffer'}`;

export const fullyConnected = ofFullyConnected('fully-connected', usual);
export const convPixel = ofPixel('conv-pixel', usual);

export const fullyConnectedVariants: readonly Kernel[] = others.map((variant) =>
  ofFullyConnected(nameOf('fully-connected', variant), variant),
);
export const pixelVariants: readonly Kernel[] = others.map((variant) =>
  ofPixel(nameOf('conv-pixel', variant), variant),
);
