import type { Shape } from '../../src/graph/ops.ts';
import { int8FullyConnected, int8FullyConnectedVariants } from '../../src/kernels/int8-fully-connected.ts';
import type { KernelCase } from './case.ts';
import { channelCounts, convCase } from './conv-cases.ts';
import { describeVariants } from './describe-kernel.ts';
import { type IntegerTemplate, integerCase, integerConvs } from './integer-cases.ts';

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
