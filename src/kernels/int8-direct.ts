import source from '../../shaders/int8-direct.wgsl?raw';
import { rowTileWorkgroups, tileOf, wasteful, workgroupOf, workgroupRowsOf } from './dot.ts';
import { defineInteger, geometryOf, wordOf } from './int8.ts';
import {
  fitsTexture,
  type TileVariant,
  tileConstants,
  tileFragments,
  tileName,
  tileParts,
  tileRequires,
} from './int8-tile.ts';
import type { Kernel } from './kernel.ts';
import { windowShape } from './window.ts';

function direct(name: string, variant: TileVariant): Kernel {
  const rows = workgroupRowsOf(variant);
  return defineInteger(['conv2d'], {
    name,
    requires: tileRequires(variant),
    accepts: (body, { inputs: [input] }) => body.groups === 1 && fitsTexture(body, variant, input![3]),
    suits: (body) => !wasteful(geometryOf(body), variant),
    program(body, { inputs: [input], output }) {
      const { constants, shape, bindings } = tileParts(body, variant, input![3]);
      return {
        file: 'int8-direct.wgsl',
        source,
        fragments: tileFragments,
        constants,
        overrides: { WORKGROUP_X: workgroupOf(variant) / rows, WORKGROUP_Y: rows },
        shape: {
          ...windowShape(body, input!, output),
          ...shape,
          dilation_y: body.dilation[0],
          dilation_x: body.dilation[1],
          images: output[0],
          outside: wordOf(body.inputZeroPoint),
        },
        bindings,
        workgroups: rowTileWorkgroups(variant, rows, output, shape.groups_of_channels),
      };
    },
    constants: (body, { inputs: [input] }) => tileConstants(body, variant, input![3]),
  });
}

/** Runs on every device; no GPU's compiler keeps its sums in memory. */
export const int8Direct = direct('int8-direct', { ...tileOf(2, 4, 'line'), dot: false });

const software = { weights: 'texture', lanes: 'pixels', software: true, dot: false } as const;

const tiles: readonly TileVariant[] = [
  { ...software, pixels: 7, channels: 16, broadcast: true },
  { ...software, pixels: 7, channels: 16, broadcast: false },
  { ...tileOf(4, 8, 'line'), dot: true },
  { ...tileOf(2, 8, 'line'), dot: true },
  { ...tileOf(2, 4, 'line'), dot: true },
];

export const int8DirectVariants: readonly Kernel[] = tiles.map((tile) => direct(tileName('int8-direct', tile), tile));
