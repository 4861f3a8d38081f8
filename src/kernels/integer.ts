import { int8Binary } from './int8-binary.ts';
import { int8Concat } from './int8-concat.ts';
import { int8ConvTranspose } from './int8-conv-transpose.ts';
import { int8Depthwise, int8DepthwiseVariants } from './int8-depthwise.ts';
import { int8Direct, int8DirectVariants } from './int8-direct.ts';
import { int8FullyConnected, int8FullyConnectedVariants } from './int8-fully-connected.ts';
import { int8Grouped } from './int8-grouped.ts';
import { int8Lookup } from './int8-lookup.ts';
import { int8Mean, int8MeanVariants } from './int8-mean.ts';
import { int8Reshape, int8Transpose } from './int8-moves.ts';
import { int8Pad } from './int8-pad.ts';
import { int8Pointwise, int8PointwiseVariants } from './int8-pointwise.ts';
import { int8Pool } from './int8-pool.ts';
import { int8Dequantise, int8Quantise } from './int8-quantise.ts';
import { int8Resize } from './int8-resize.ts';
import type { Kernel } from './kernel.ts';

/** Operations on stored integers. */
export const usual: readonly Kernel[] = [
  int8FullyConnected,
  int8Pointwise,
  int8Depthwise,
  int8Direct,
  int8Grouped,
  int8ConvTranspose,
  int8Binary,
  int8Lookup,
  int8Pool,
  int8Mean,
  int8Resize,
  int8Concat,
  int8Reshape,
  int8Transpose,
  int8Pad,
  int8Quantise,
  int8Dequantise,
];

export const variants: readonly Kernel[] = [
  ...int8FullyConnectedVariants,
  ...int8PointwiseVariants,
  ...int8DepthwiseVariants,
  ...int8DirectVariants,
  ...int8MeanVariants,
];
