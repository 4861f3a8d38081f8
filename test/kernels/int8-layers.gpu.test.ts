/** Layers with weights whose kernels have few variants, on stored integers. */
import type { IntegerOf } from '../../src/graph/integers.ts';
import type { Shape } from '../../src/graph/ops.ts';
import { int8FullyConnected, int8FullyConnectedVariants } from '../../src/kernels/int8-fully-connected.ts';
import type { KernelCase } from './case.ts';
import { channelCounts, convCase } from './conv-cases.ts';
import { describeKernel, describeVariants } from './describe-kernel.ts';
import { type IntegerTemplate, integerCase, integerConvs } from './integer-cases.ts';

const kernel = [3, 3] as const;
const same = [1, 1, 1, 1] as const;

describeKernel(
  'int8-grouped',
  integerConvs([
    convCase({ size: [7, 6], cin: 6, cout: 9, kernel, groups: 3, padding: same }),
    convCase({ size: [7, 6], cin: 8, cout: 8, kernel, groups: 2, padding: same, stride: [2, 2] }),
    convCase({ size: [7, 6], cin: 10, cout: 5, kernel, groups: 5, padding: same, batch: 3 }),
    convCase({ size: [6, 7], cin: 5, cout: 15, kernel, groups: 5, padding: [0, 1, 2, 0] }),
    convCase({ size: [11, 12], cin: 6, cout: 4, kernel, groups: 2, dilation: [2, 3], padding: [2, 3, 2, 3] }),
    convCase({ size: [12, 13], cin: 5, kernel: [9, 11], groups: 5, padding: [4, 5, 4, 5], noBias: true }),
  ]),
);

const transposed = (turn: number, cin: number, outChannels: number, more: Partial<IntegerOf<'conv-transpose2d'>>) => {
  const body: IntegerTemplate<'conv-transpose2d'> = {
    kind: 'conv-transpose2d',
    kernel: [3, 3],
    stride: [2, 2],
    dilation: [1, 1],
    crop: [0, 0],
    size: [9, 11],
    outChannels,
    inputZeroPoint: [-128, 127, 5][turn % 3]!,
    weightZeroPoint: [0, 127, -128][turn % 3]!,
    ends: { zeroPoint: [127, 0, -128][turn % 3]!, perChannel: turn % 3 === 0, ties: turn % 2 === 1 },
    ...more,
  };
  return integerCase(`${cin} → ${outChannels}, ${JSON.stringify(more)}`, body, [[1, 4, 5, cin]]);
};

describeKernel('int8-conv-transpose', [
  ...channelCounts.map((cin, turn) => transposed(turn, cin, 5, {})),
  ...channelCounts.map((cout, turn) => transposed(turn, 7, cout, { crop: [1, 1], size: [7, 9] })),
  transposed(0, 4, 4, { kernel: [4, 4], crop: [1, 1], size: [8, 10] }),
  transposed(1, 4, 4, { kernel: [2, 2], stride: [3, 3], size: [12, 15] }),
  transposed(2, 3, 5, { stride: [2, 3], dilation: [2, 3], crop: [1, 2], size: [8, 14] }),
]);

const layer = (input: Shape, outFeatures: number, turn: number, more: Partial<KernelCase> = {}): KernelCase => {
  const body: IntegerTemplate<'fully-connected'> = {
    kind: 'fully-connected',
    outFeatures,
    inputZeroPoint: [-128, 127, 0, 3][turn % 4]!,
    weightZeroPoint: [0, 127, -128][turn % 3]!,
    ends: { zeroPoint: [5, -128, 127][turn % 3]!, perChannel: turn % 3 === 0, ties: turn % 2 === 1 },
  };
  return integerCase(`${input.join('×')} → ${outFeatures}, turn ${turn}`, body, [input], more);
};

describeVariants(
  [int8FullyConnected, ...int8FullyConnectedVariants],
  [
    ...channelCounts.map((features, turn) => layer([1, 1, 1, features], 10, turn)),
    ...channelCounts.map((outputs, turn) => layer([1, 1, 1, 12], outputs, turn)),
    ...[0, 1, 2].map((turn) => layer([1, 1, 1, 1280], 101, turn)),
    layer([3, 1, 1, 20], 7, 1),
    layer([1, 4, 5, 3], 9, 2),
    layer([1, 17, 15, 19], 6, 4),
    layer([3, 2, 3, 7], 9, 3, { noBias: true }),
    ...integerConvs([
      convCase({ size: [1, 1], cin: 240, cout: 66 }),
      convCase({ size: [1, 1], cin: 5, cout: 7, batch: 3 }),
    ]),
  ],
);
