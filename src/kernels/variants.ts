import { depthwiseStripVariants } from './conv-depthwise-strip.ts';
import { depthwiseTiles } from './conv-depthwise-tile.ts';
import { convPointwiseTiled } from './conv-pointwise-tiled.ts';
import type { Kernel } from './kernel.ts';

/** Variants with shaders of their own. */
export const variants: readonly Kernel[] = [convPointwiseTiled, ...depthwiseTiles, ...depthwiseStripVariants];
