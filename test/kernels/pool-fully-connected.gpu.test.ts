import type { Shape } from '../../src/graph/ops.ts';
import type { KernelCase } from './case.ts';
import { activations, channelCounts, convCase } from './conv-cases.ts';
import { describeKernel } from './describe-kernel.ts';

function pooled(input: Shape, outputs: number, activation: (typeof activations)[number] | 'none' = 'none'): KernelCase {
  return {
    title: `${input.join('×')} → ${outputs}, ${activation}`,
    node: {
      op: 'fused',
      parts: [{ op: 'global-average-pool' }, { op: 'fully-connected', outFeatures: outputs, activation }] as never,
    },
    inputs: [input],
  };
}

describeKernel('pool-fully-connected', [
  ...channelCounts.map((channels) => pooled([1, 3, 5, channels], 10)),
  ...channelCounts.map((outputs) => pooled([1, 4, 4, 12], outputs)),
  pooled([1, 7, 7, 960], 1280, 'hard-swish'),
  pooled([1, 1, 1, 20], 7),
  pooled([3, 5, 4, 260], 33),
  ...activations.map((activation) => pooled([1, 2, 3, 9], 6, activation)),
  {
    title: 'a convolution of what is pooled',
    node: {
      op: 'fused',
      parts: [
        { op: 'global-average-pool' },
        convCase({ size: [1, 1], cin: 20, cout: 30, activation: 'relu' }).node,
      ] as never,
    },
    inputs: [[1, 7, 7, 20]],
  },
]);
