import { activation } from './activation.ts';
import { add } from './add.ts';
import { affine, batchNorm } from './affine.ts';
import { clip } from './clip.ts';
import { concat } from './concat.ts';
import { convDepthwise, depthwiseVariants } from './conv-depthwise.ts';
import { depthwiseAnyVariants } from './conv-depthwise-any.ts';
import { depthwiseStripVariants } from './conv-depthwise-strip.ts';
import { convAnyVariants, convDirect, directVariants } from './conv-direct.ts';
import { convGrouped } from './conv-grouped.ts';
import { convPointwise, pointwiseVariants } from './conv-pointwise.ts';
import { convPointwiseSplit, convPointwiseTiled } from './conv-pointwise-shared.ts';
import { convStem, stemVariants } from './conv-stem.ts';
import { convPixel, fullyConnected, fullyConnectedVariants, pixelVariants } from './fully-connected.ts';
import { globalAveragePool, globalAveragePoolVariants } from './global-average-pool.ts';
import type { Kernel } from './kernel.ts';
import { multiply } from './multiply.ts';
import { pool } from './pool.ts';
import { reshape } from './reshape.ts';
import { resize } from './resize.ts';
import { softmax } from './softmax.ts';

/** A kernel for every operation. For a node, the first of its op that accepts it runs it: the special before the general. */
export const kernels: readonly Kernel[] = [
  convPixel,
  convPointwise,
  convDepthwise,
  convStem,
  convDirect,
  convGrouped,
  fullyConnected,
  globalAveragePool,
  pool,
  softmax,
  add,
  multiply,
  activation,
  clip,
  affine,
  batchNorm,
  resize,
  concat,
  reshape,
];

/** Other ways to run what some of these run, for devices where they are faster: see `src/tuning/`. */
export const variants: readonly Kernel[] = [
  ...pixelVariants,
  ...pointwiseVariants,
  convPointwiseTiled,
  convPointwiseSplit,
  ...depthwiseVariants,
  ...depthwiseStripVariants,
  ...stemVariants,
  ...directVariants,
  ...fullyConnectedVariants,
  ...globalAveragePoolVariants,
];

/** For first results on devices that compile slowly. They are slower than variants, and the tuner does not try them. */
export const startingKernels: readonly Kernel[] = [...convAnyVariants, ...depthwiseAnyVariants];

const ofBlocks: Kernel[] = [];

/** Kernels of whole blocks. Most pages never fetch them, so they come in where a plan is fused (`src/fuse.ts`). */
export function addBlockKernels(added: readonly Kernel[]): void {
  for (const kernel of added) if (!ofBlocks.includes(kernel)) ofBlocks.push(kernel);
}

export const blockKernels: readonly Kernel[] = ofBlocks;
