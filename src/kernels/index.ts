import { activation } from './activation.ts';
import { add } from './add.ts';
import { affine, batchNorm } from './affine.ts';
import { clip } from './clip.ts';
import { concat } from './concat.ts';
import { convDepthwise, depthwiseVariants } from './conv-depthwise.ts';
import { depthwiseStripVariants } from './conv-depthwise-strip.ts';
import { convDirect, directVariants } from './conv-direct.ts';
import { convGrouped } from './conv-grouped.ts';
import { convPointwise, pointwiseVariants } from './conv-pointwise.ts';
import { convPointwiseGated } from './conv-pointwise-gated.ts';
import { convPointwiseSplit } from './conv-pointwise-split.ts';
import { convPointwiseTiled } from './conv-pointwise-tiled.ts';
import { expandDepthwise } from './expand-depthwise.ts';
import { convPixel, fullyConnected, fullyConnectedVariants, pixelVariants } from './fully-connected.ts';
import { globalAveragePool } from './global-average-pool.ts';
import { invertedResidual } from './inverted-residual.ts';
import type { Kernel } from './kernel.ts';
import { multiply } from './multiply.ts';
import { pool } from './pool.ts';
import { reshape } from './reshape.ts';
import { resize } from './resize.ts';
import { softmax } from './softmax.ts';
import { squeezeExciteGate } from './squeeze-excite-gate.ts';

/** Every kernel. For a node, the first of its op that accepts it runs it: the special before the general. */
export const kernels: readonly Kernel[] = [
  convPixel,
  convPointwise,
  convDepthwise,
  convDirect,
  convGrouped,
  invertedResidual,
  expandDepthwise,
  squeezeExciteGate,
  convPointwiseGated,
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
  ...directVariants,
  ...fullyConnectedVariants,
];
