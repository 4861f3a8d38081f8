import source from '../../shaders/conv-pointwise.wgsl?raw';
import { isPointwise } from '../graph/layers.ts';
import type { Conv2d, Shape } from '../graph/ops.ts';
import {
  columnsOf,
  type DotVariant,
  dotConstants,
  dotLayout,
  dotVariantName,
  usualVariant,
  wasteful,
  workgroupOf,
} from './dot.ts';
import {
  type Binding,
  ceilDiv,
  convolutionBindings,
  defineKernel,
  type Kernel,
  LARGEST_TEXTURE,
  type Program,
  pointwiseShape,
  sigmoidOverride,
} from './kernel.ts';

/**
 * Four weights each: the 64 KiB that a uniform binding may have in every WebGPU implementation. Whatever a layer needs of
 * it, so that one pipeline serves all; what lies after its weights is never read.
 */
const UNIFORM_VECTORS = 4096;

type PointwiseVariant = DotVariant<'buffer' | 'texture' | 'uniform'>;

/** `images` of so many `pixels` each; `gated`: with a factor for each channel of an image, bound before the residual. */
export function pointwiseProgram(
  node: Conv2d,
  variant: PointwiseVariant,
  [images, pixels, inputs]: readonly [number, number, number],
  bindings: readonly Binding[],
  gated = false,
): Program {
  const workgroup = workgroupOf(variant);
  const columns = columnsOf(node, variant);
  return {
    file: 'conv-pointwise.wgsl',
    source,
    constants: {
      ...dotConstants(variant),
      RESIDUAL: node.inputs.length > 1,
      GATED: gated,
      UNIFORM_VECTORS: variant.weights === 'uniform' ? UNIFORM_VECTORS : 0,
    },
    overrides: { WORKGROUP_X: workgroup, ...sigmoidOverride(node.activation) },
    shape: pointwiseShape(node, pixels, inputs, columns),
    bindings,
    workgroups: [ceilDiv(ceilDiv(pixels, variant.pixels), workgroup), columns / variant.channels, images],
  };
}

function pointwise(name: string, variant: PointwiseVariant): Kernel {
  const texture = variant.weights === 'texture';
  const uniform = variant.weights === 'uniform';
  const fits = (node: Conv2d, [, , , inputs]: Shape) => {
    const [columns, rows] = [columnsOf(node, variant), ceilDiv(inputs, 4)];
    // Halves take half of what is asked for here, as a kernel does not know the precision.
    return !(texture && Math.max(columns, rows) > LARGEST_TEXTURE) && !(uniform && columns * rows > UNIFORM_VECTORS);
  };
  return defineKernel<Conv2d>({
    name,
    op: 'conv2d',
    requires: variant.broadcast ? ['subgroups'] : [],
    accepts: (node, { inputs: [input] }) => isPointwise(node) && fits(node, input!),
    suits: (node, { output }) => !wasteful(node, variant) && output[1] * output[2] > 1,
    program(node, { inputs: [input], output: [images, height, width] }) {
      const bindings = convolutionBindings(node.inputs.length > 1, false, uniform ? 16 * UNIFORM_VECTORS : 0);
      return pointwiseProgram(node, variant, [1, images * height * width, input![3]], bindings);
    },
    constants: (node, { inputs: [input] }) => dotLayout(node, 1, input![3], columnsOf(node, variant), texture),
  });
}

export const convPointwise = pointwise('conv-pointwise', usualVariant);

// Seven pixels fill lanes at 7², 14² and 28².
const tiles: readonly PointwiseVariant[] = [
  { pixels: 7, channels: 24, weights: 'texture', broadcast: true, software: true },
  { pixels: 14, channels: 32, weights: 'texture', broadcast: true, software: true },
  { pixels: 4, channels: 16, weights: 'texture', broadcast: true, software: true },
  { pixels: 7, channels: 16, weights: 'texture', broadcast: false, software: true },
  { pixels: 4, channels: 16, weights: 'texture', broadcast: false, software: true },
  { pixels: 4, channels: 16, weights: 'texture', broadcast: false, software: false },
  { pixels: 4, channels: 16, weights: 'uniform', broadcast: false, software: false },
  { pixels: 4, channels: 8, weights: 'uniform', broadcast: false, software: false },
  { pixels: 4, channels: 16, weights: 'buffer', broadcast: true, software: false },
  { pixels: 8, channels: 8, weights: 'buffer', broadcast: false, software: false },
  { pixels: 4, channels: 4, weights: 'buffer', broadcast: false, software: false },
];

export const pointwiseVariants: readonly Kernel[] = tiles.map((tile) =>
  pointwise(dotVariantName('conv-pointwise', tile), tile),
);
