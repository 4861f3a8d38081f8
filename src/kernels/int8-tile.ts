/** Convolutions of one group on stored integers, whose invocations compute a tile of pixels × channels. */
import begin from '../../shaders/fragments/int8-begin.wgsl?raw';
import finish from '../../shaders/fragments/int8-finish.wgsl?raw';
import flush from '../../shaders/fragments/int8-flush.wgsl?raw';
import placeOfGroup from '../../shaders/fragments/int8-place-of-group.wgsl?raw';
import sums from '../../shaders/fragments/int8-sums.wgsl?raw';
import tile from '../../shaders/fragments/int8-tile.wgsl?raw';
import type { IntegerAdd, IntegerOf } from '../graph/integers.ts';
import type { Fragments } from '../wgsl/preprocess.ts';
import { columnsOf, type DotVariant, dotConstants, dotVariantName, groupsOf } from './dot.ts';
import {
  addendsOf,
  bytesConstant,
  channelsConstant,
  chunkOf,
  endsOf,
  geometryOf,
  noAddends,
  packQuads,
} from './int8.ts';
import { ceilDiv, convolutionBindings, LARGEST_TEXTURE, PACKED_DOT, type PackedConstant } from './kernel.ts';

/** `dot`: products of words by the packed dot product, in place of floats. */
export interface TileVariant extends DotVariant {
  readonly dot: boolean;
}

export const tileFragments: Fragments = {
  'int8-sums': sums,
  'int8-begin': begin,
  'int8-tile': tile,
  'int8-flush': flush,
  'int8-finish': finish,
  'int8-place-of-group': placeOfGroup,
  // For row-tile.
  'place-of-group': placeOfGroup,
};

export const tileRequires = ({ dot, broadcast }: TileVariant): string[] => [
  ...(dot ? [PACKED_DOT] : []),
  ...(broadcast ? ['subgroups'] : []),
];

export const tileName = (stem: string, variant: TileVariant): string =>
  dotVariantName(variant.dot ? `${stem}-dot` : stem, variant);

/** Quads of columns of a row of weights. */
export const quadsOf = (body: IntegerOf<'conv2d'>, variant: TileVariant): number =>
  columnsOf(geometryOf(body), variant) / 4;

/** Whether a texture may be as large. */
export const fitsTexture = (body: IntegerOf<'conv2d'>, variant: TileVariant, inputs: number): boolean =>
  variant.weights !== 'texture' ||
  Math.max(quadsOf(body, variant), body.kernel[0] * body.kernel[1] * ceilDiv(inputs, 4)) <= LARGEST_TEXTURE;

function sumOf(residual: IntegerAdd | undefined) {
  if (!residual) return { ...noAddends, sum_least: 0, sum_most: 0, sum_zero: 0 };
  const { least, most, zero_point } = endsOf(residual);
  return { ...addendsOf(residual), sum_least: least, sum_most: most, sum_zero: zero_point };
}

/** Names of the fragments' directives, fields of `struct Shape`, and bindings. */
export function tileParts(body: IntegerOf<'conv2d'>, variant: TileVariant, inputs: number) {
  const rows = body.kernel[0] * body.kernel[1] * ceilDiv(inputs, 4);
  const chunk = chunkOf(body);
  return {
    constants: {
      ...dotConstants(variant),
      DOT4: variant.dot,
      WEIGHT_ZERO: body.weightZeroPoint !== 0,
      CHUNKS: !variant.dot && rows > chunk ? chunk : 0,
      RESIDUAL: body.residual !== undefined,
    },
    bindings: convolutionBindings(body.residual !== undefined),
    shape: {
      cin4: ceilDiv(inputs, 4),
      cout4: ceilDiv(body.outChannels, 4),
      quads: quadsOf(body, variant),
      groups_of_channels: groupsOf(geometryOf(body), variant),
      weight_zero: body.weightZeroPoint,
      ...endsOf(body.to),
      ...sumOf(body.residual),
    },
  };
}

/** Weights, in turns as the fragment int8-place-of-group has it, and what ends the sums. */
export function tileConstants(body: IntegerOf<'conv2d'>, variant: TileVariant, inputs: number): PackedConstant[] {
  const { kernel, outChannels } = body;
  const rows = kernel[0] * kernel[1];
  const quads = quadsOf(body, variant);
  const ofGroup = variant.channels / 4;
  const { COLUMN_STEP: step } = dotConstants(variant);
  const quadOf = (output4: number) => {
    const group = Math.floor(output4 / ofGroup);
    return Math.floor(group / step) * step * ofGroup + (output4 % ofGroup) * step + (group % step);
  };
  const height = rows * ceilDiv(inputs, 4);
  const weights = bytesConstant(16 * height * quads, (bytes) =>
    packQuads(bytes, body, [rows, inputs, outChannels], quads, quadOf),
  );
  return [
    variant.weights === 'texture' ? { ...weights, texture: { width: quads, height } } : weights,
    channelsConstant(body, outChannels, quads),
  ];
}
