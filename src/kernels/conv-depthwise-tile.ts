import { depthwise, isPlain } from './conv-depthwise.ts';
import type { Kernel } from './kernel.ts';

const tiles = [
  [1, 1],
  [1, 2],
  [1, 4],
  [2, 4],
  [4, 2],
  [4, 4],
] as const;

/** `conv-depthwise-tile/4x2`: rows × columns of a tile of conv-depthwise, whatever the layer; for the tuner. */
export const depthwiseTiles: readonly Kernel[] = tiles.map(([y, x]) =>
  depthwise(`conv-depthwise-tile/${y}x${x}`, (node, [, height, width]) =>
    isPlain(node) && y <= height && x <= width ? { y, x } : null,
  ),
);
