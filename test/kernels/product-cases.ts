import type { Activation, Shape } from '../../src/graph/ops.ts';
import type { KernelCase } from './case.ts';
import { activations, type ConvSpec, channelCounts, convCase } from './conv-cases.ts';

const layer = (input: Shape, outFeatures: number, activation: Activation = 'none', noBias = false): KernelCase => ({
  title: `${input.join('×')} → ${outFeatures}${activation === 'none' ? '' : `, ${activation}`}${noBias ? ', no bias' : ''}`,
  node: { op: 'fully-connected', outFeatures, activation },
  inputs: [input],
  noBias,
});

/** Fully connected layers. */
export const layerCases = [
  ...channelCounts.map((features) => layer([1, 1, 1, features], 10)),
  ...channelCounts.map((outputs) => layer([1, 1, 1, 12], outputs)),
  layer([1, 1, 1, 1280], 1001),
  layer([3, 1, 1, 20], 7),
  // Flattened pixels of three channels, stored as four.
  layer([1, 4, 5, 3], 9),
  layer([3, 2, 3, 7], 9),
  layer([1, 1, 1, 16], 8, 'none', true),
  ...activations.map((activation) => layer([1, 1, 1, 9], 6, activation)),
];

const pixel = (cin: number, cout: number, more: Partial<ConvSpec> = {}) =>
  convCase({ size: [1, 1], cin, cout, ...more });

/** 1×1 convolutions of a single pixel. */
export const pixelCases = [
  ...channelCounts.map((cin) => pixel(cin, 10)),
  ...channelCounts.map((cout) => pixel(12, cout)),
  pixel(960, 240, { activation: 'relu' }),
  pixel(240, 960, { activation: 'hard-sigmoid' }),
  pixel(20, 7, { batch: 3 }),
  pixel(16, 8, { noBias: true }),
];
