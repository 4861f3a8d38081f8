import { convPointwiseGated, gatedVariants } from './conv-pointwise-gated.ts';
import { convProjects } from './conv-project.ts';
import { expandDepthwises } from './expand-depthwise.ts';
import { invertedResiduals } from './inverted-residual.ts';
import type { Kernel } from './kernel.ts';
import { poolFullyConnected } from './pool-fully-connected.ts';
import { universalBottlenecks } from './universal-bottleneck.ts';

/** Kernels for each kind of fused node: of several, the first takes the fewest registers. */
export const usual: readonly Kernel[] = [
  ...invertedResiduals,
  ...universalBottlenecks,
  ...expandDepthwises,
  convPointwiseGated,
  ...gatedVariants,
  ...convProjects,
  poolFullyConnected,
];
