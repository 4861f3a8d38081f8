import type { IntegerOf } from '../../src/graph/integers.ts';
import { channelCounts } from './conv-cases.ts';
import { describeKernel } from './describe-kernel.ts';
import { type IntegerTemplate, integerCase } from './integer-cases.ts';

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
