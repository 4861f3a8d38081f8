import sums from '../../shaders/fragments/int8-sums.wgsl?raw';
import source from '../../shaders/int8-fully-connected.wgsl?raw';
import type { IntegerOf } from '../graph/integers.ts';
import { isPointwise } from '../graph/layers.ts';
import type { Shape } from '../graph/ops.ts';
import { bytesConstant, channelsConstant, chunkOf, defineInteger, endsOf, geometryOf, packQuads } from './int8.ts';
import { ceilDiv, convolutionBindings, type Kernel, LARGEST_TEXTURE, PACKED_DOT } from './kernel.ts';

interface Variant {
  /** Invocations across four outputs each, and those that share the inputs of each. */
  readonly columns: number;
  readonly slices: number;
  readonly texture: boolean;
  /** By the packed dot product. */
  readonly dot: boolean;
}

type Body = IntegerOf<'fully-connected' | 'conv2d'>;

const outputsOf = (body: Body): number => (body.kind === 'conv2d' ? body.outChannels : body.outFeatures);
const inputs4Of = ([, height, width, channels]: Shape): number => height * width * ceilDiv(channels, 4);

/** A fully connected layer, or a 1×1 convolution of a single pixel, which is the same product. */
const matrixVector = (name: string, { columns, slices, texture, dot }: Variant): Kernel =>
  defineInteger(['fully-connected', 'conv2d'], {
    name,
    requires: dot ? [PACKED_DOT] : [],
    accepts: (body, { inputs: [input] }) =>
      (body.kind !== 'conv2d' || (isPointwise(geometryOf(body)) && input![1] * input![2] === 1)) &&
      !(texture && Math.max(inputs4Of(input!), ceilDiv(outputsOf(body), 4)) > LARGEST_TEXTURE),
    program(body, { inputs: [input] }) {
      const outputs4 = ceilDiv(outputsOf(body), 4);
      return {
        file: 'int8-fully-connected.wgsl',
        source,
        fragments: { 'int8-sums': sums },
        constants: { TEXTURE: texture, DOT4: dot, SLICED: slices > 1, WEIGHT_ZERO: body.weightZeroPoint !== 0 },
        overrides: { COLUMNS: columns, ...(slices > 1 ? { SLICES: slices } : {}) },
        shape: {
          inputs4: inputs4Of(input!),
          outputs4,
          chunk: chunkOf(body),
          weight_zero: body.weightZeroPoint,
          ...endsOf(body.to),
        },
        bindings: convolutionBindings(false),
        workgroups: [ceilDiv(outputs4, columns), input![0], 1],
      };
    },
    constants(body, { inputs: [input] }) {
      const [, height, width, channels] = input!;
      const [rows, outputs] = [inputs4Of(input!), outputsOf(body)];
      const outputs4 = ceilDiv(outputs, 4);
      const weights = bytesConstant(16 * rows * outputs4, (bytes) =>
        packQuads(bytes, body, [height * width, channels, outputs], outputs4),
      );
      return [
        texture ? { ...weights, texture: { width: outputs4, height: rows } } : weights,
        channelsConstant(body, outputs, outputs4),
      ];
    },
  });

/** Runs on every device. */
export const int8FullyConnected = matrixVector('int8-fully-connected', {
  columns: 8,
  slices: 8,
  texture: false,
  dot: false,
});

export const int8FullyConnectedVariants: readonly Kernel[] = [
  matrixVector('int8-fully-connected/4x1-texture', { columns: 4, slices: 1, texture: true, dot: false }),
  matrixVector('int8-fully-connected/8x8-dot', { columns: 8, slices: 8, texture: false, dot: true }),
  matrixVector('int8-fully-connected/4x16-dot', { columns: 4, slices: 16, texture: false, dot: true }),
];
