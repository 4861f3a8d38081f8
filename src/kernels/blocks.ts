import { convPointwiseGated, gatedVariants } from './conv-pointwise-gated.ts';
import { convProject } from './conv-project.ts';
import { expandDepthwise } from './expand-depthwise.ts';
import { invertedResidual } from './inverted-residual.ts';
import type { Kernel } from './kernel.ts';
import { poolFullyConnected } from './pool-fully-connected.ts';
import { squeezeExciteGate } from './squeeze-excite-gate.ts';
import { universalBottleneck } from './universal-bottleneck.ts';

/** A kernel for each kind of fused node. */
export const usual: readonly Kernel[] = [
  invertedResidual,
  universalBottleneck,
  expandDepthwise,
  squeezeExciteGate,
  convPointwiseGated,
  convProject,
  poolFullyConnected,
];

export const variants: readonly Kernel[] = gatedVariants;
