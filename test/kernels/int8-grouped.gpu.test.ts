import { convCase } from './conv-cases.ts';
import { describeKernel } from './describe-kernel.ts';
import { integerConvs } from './integer-cases.ts';

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
