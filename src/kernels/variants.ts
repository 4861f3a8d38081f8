import { depthwiseStripVariants } from './conv-depthwise-strip.ts';
import { depthwiseTiles } from './conv-depthwise-tile.ts';
import { convPointwiseTiled, pointwiseSplitVariants } from './conv-pointwise-shared.ts';
import type { Kernel } from './kernel.ts';

/** Variants with shaders of their own. */
export const variants: readonly Kernel[] = [
  convPointwiseTiled,
  ...pointwiseSplitVariants,
  ...depthwiseTiles,
  ...depthwiseStripVariants,
];
