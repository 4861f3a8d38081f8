import source from '../../shaders/int8-pointwise.wgsl?raw';
import { isPointwise } from '../graph/layers.ts';
import { inLine, tileOf, wasteful, workgroupOf } from './dot.ts';
import { defineInteger, geometryOf } from './int8.ts';
import {
  fitsTexture,
  type TileVariant,
  tileConstants,
  tileFragments,
  tileName,
  tileParts,
  tileRequires,
} from './int8-tile.ts';
import { ceilDiv, type Kernel } from './kernel.ts';

const pointwise = (name: string, variant: TileVariant): Kernel =>
  defineInteger(['conv2d'], {
    name,
    requires: tileRequires(variant),
    accepts: (body, { inputs: [input] }) => isPointwise(geometryOf(body)) && fitsTexture(body, variant, input![3]),
    suits: (body) => !wasteful(geometryOf(body), variant),
    program(body, { inputs: [input], output: [images, height, width] }) {
      const { constants, shape, bindings } = tileParts(body, variant, input![3]);
      const pixels = images * height * width;
      const tiles = ceilDiv(pixels, variant.pixels);
      const groups = shape.groups_of_channels;
      const workgroup = workgroupOf(variant);
      return {
        file: 'int8-pointwise.wgsl',
        source,
        fragments: tileFragments,
        constants,
        overrides: { WORKGROUP_X: workgroup },
        shape: { pixels, ...shape },
        bindings,
        workgroups:
          variant.lanes === 'line'
            ? [...inLine(ceilDiv(tiles * groups, workgroup)), 1]
            : [ceilDiv(tiles, workgroup), groups, 1],
      };
    },
    constants: (body, { inputs: [input] }) => tileConstants(body, variant, input![3]),
  });

/** Runs on every device; no GPU's compiler keeps its sums in memory. */
export const int8Pointwise = pointwise('int8-pointwise', { ...tileOf(2, 4, 'line'), dot: false });

const software = { weights: 'texture', lanes: 'pixels', software: true, dot: false } as const;

const tiles: readonly TileVariant[] = [
  { ...software, pixels: 14, channels: 32, broadcast: true },
  { ...software, pixels: 7, channels: 16, broadcast: true },
  { ...software, pixels: 7, channels: 16, broadcast: false },
  { ...software, pixels: 4, channels: 16, broadcast: false, dot: true },
  { ...tileOf(4, 16, 'line'), dot: true },
  { ...tileOf(4, 8, 'line'), dot: true },
  { ...tileOf(2, 8, 'line'), dot: true },
  { ...tileOf(4, 4, 'line'), dot: true },
  { ...tileOf(4, 16, 'line'), dot: false },
  { ...tileOf(4, 8, 'line'), dot: false },
];

export const int8PointwiseVariants: readonly Kernel[] = tiles.map((tile) =>
  pointwise(tileName('int8-pointwise', tile), tile),
);
