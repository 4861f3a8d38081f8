import type { Activation, Shape } from '../../src/graph/ops.ts';
import type { KernelCase } from './case.ts';
import { convCase } from './conv-cases.ts';
import { describeKernel } from './describe-kernel.ts';

function gate(input: Shape, squeezed: number, excite: Activation = 'hard-sigmoid', connected = false): KernelCase {
  const channels = input[3];
  const product = (cin: number, cout: number, activation: Activation) =>
    connected
      ? { op: 'fully-connected', outFeatures: cout, activation }
      : convCase({ size: [1, 1], cin, cout, activation, batch: input[0] }).node;
  const parts = [
    { op: 'global-average-pool' },
    product(channels, squeezed, 'relu'),
    product(squeezed, channels, excite),
  ];
  return {
    title: `${input.join('×')} → ${squeezed} → ${channels}, ${excite}${connected ? ', fully connected' : ''}`,
    node: { op: 'fused', parts: parts as never },
    inputs: [input],
  };
}

describeKernel('squeeze-excite-gate', [
  gate([1, 4, 1, 16], 8),
  gate([1, 1, 1, 16], 4),
  gate([1, 9, 1, 72], 24),
  gate([1, 4, 1, 960], 240),
  gate([1, 3, 5, 7], 3),
  gate([1, 3, 5, 130], 33, 'sigmoid'),
  gate([3, 4, 1, 20], 5),
  gate([1, 4, 1, 96], 24, 'hard-sigmoid', true),
  gate([2, 2, 2, 10], 6, 'sigmoid', true),
]);
