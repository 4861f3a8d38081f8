import { convPointwiseGated } from './conv-pointwise-gated.ts';
import { convProjects } from './conv-project.ts';
import { expandDepthwise } from './expand-depthwise.ts';
import { invertedResiduals } from './inverted-residual.ts';
import type { Kernel } from './kernel.ts';
import { poolFullyConnected } from './pool-fully-connected.ts';
import { universalBottleneck } from './universal-bottleneck.ts';

const [invertedResidual, ...smallerResiduals] = invertedResiduals;
const [convProject, ...smallerProjects] = convProjects;

/** A kernel for each kind of fused node. */
export const usual: readonly Kernel[] = [
  invertedResidual!,
  universalBottleneck,
  expandDepthwise,
  convPointwiseGated,
  convProject!,
  poolFullyConnected,
];

/** With fewer sums a lane. */
export const variants: readonly Kernel[] = [...smallerResiduals, ...smallerProjects];
