import type { Activation, Shape } from '../../src/graph/ops.ts';
import type { KernelCase } from './case.ts';
import { activations, channelCounts } from './conv-cases.ts';
import { describeKernel } from './describe-kernel.ts';

const layer = (input: Shape, outFeatures: number, activation: Activation = 'none', noBias = false): KernelCase => ({
  title: `${input.join('×')} → ${outFeatures}${activation === 'none' ? '' : `, ${activation}`}${noBias ? ', no bias' : ''}`,
  node: { op: 'fully-connected', outFeatures, activation },
  inputs: [input],
  noBias,
});

describeKernel('fully-connected', [
  ...channelCounts.map((features) => layer([1, 1, 1, features], 10)),
  ...channelCounts.map((outputs) => layer([1, 1, 1, 12], outputs)),
  layer([1, 1, 1, 1280], 1001),
  layer([3, 1, 1, 20], 7),
  // Flattened pixels of three channels, stored as four.
  layer([1, 4, 5, 3], 9),
  layer([3, 2, 3, 7], 9),
  layer([1, 1, 1, 16], 8, 'none', true),
  ...activations.map((activation) => layer([1, 1, 1, 9], 6, activation)),
]);
