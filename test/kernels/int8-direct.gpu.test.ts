import { int8Direct, int8DirectVariants } from '../../src/kernels/int8-direct.ts';
import { convCase } from './conv-cases.ts';
import { describeVariants } from './describe-kernel.ts';
import { directCases } from './direct-cases.ts';
import { integerConv, integerConvs, someOf } from './integer-cases.ts';

// So many products that sums of floats would pass 2^24.
const deep = [0, 1, 2, 3].map((turn) =>
  integerConv(convCase({ size: [4, 4], cin: 130, cout: 9, kernel: [3, 3], padding: [1, 1, 1, 1] }), turn),
);

/** Sums, of which each of the kernels below computes every way. */
const sums = [0, 1, 2].map((turn) =>
  integerConv(
    convCase({ size: [6, 5], cin: 8, cout: 24, kernel: [3, 3], padding: [1, 1, 1, 1], residual: true }),
    turn,
  ),
);

const cases = [...integerConvs(directCases), ...deep, ...sums];

describeVariants([int8Direct], cases);
describeVariants(int8DirectVariants, [...someOf(cases), ...deep.slice(0, 1), ...sums]);
