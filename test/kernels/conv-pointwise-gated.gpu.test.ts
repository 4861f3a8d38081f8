import type { Activation, Pair } from '../../src/graph/ops.ts';
import { convPointwiseGated, gatedVariants } from '../../src/kernels/conv-pointwise-gated.ts';
import type { KernelCase } from './case.ts';
import { channelCounts, convCase } from './conv-cases.ts';
import { describeVariants } from './describe-kernel.ts';

interface GatedSpec {
  readonly size: Pair;
  readonly cin: number;
  readonly cout: number;
  readonly batch?: number;
  readonly activation?: Activation;
  readonly residual?: boolean;
}

function gated({ size, cin, cout, batch = 1, activation = 'none', residual = false }: GatedSpec): KernelCase {
  const { title, node } = convCase({ size, cin, cout, batch, activation });
  return {
    title: `gate | ${title}${residual ? ', residual' : ''}`,
    node: { op: 'fused', parts: [{ op: 'multiply', activation: 'none' }, node] as never },
    inputs: [
      [batch, size[0], size[1], cin],
      [batch, 1, 1, cin],
      ...(residual ? [[batch, size[0], size[1], cout] as const] : []),
    ],
  };
}

describeVariants(
  [convPointwiseGated, ...gatedVariants],
  [
    ...channelCounts.map((cin) => gated({ size: [5, 7], cin, cout: 8 })),
    ...channelCounts.map((cout) => gated({ size: [5, 7], cin: 8, cout })),
    gated({ size: [1, 1], cin: 20, cout: 17 }),
    gated({ size: [14, 14], cin: 120, cout: 40, residual: true }),
    gated({ size: [7, 7], cin: 60, cout: 33, batch: 3 }),
    gated({ size: [6, 5], cin: 20, cout: 24, batch: 2, residual: true, activation: 'relu6' }),
    gated({ size: [6, 5], cin: 20, cout: 24, activation: 'hard-swish' }),
  ],
);
