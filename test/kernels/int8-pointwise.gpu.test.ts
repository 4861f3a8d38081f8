import { int8Pointwise, int8PointwiseVariants } from '../../src/kernels/int8-pointwise.ts';
import { convCase } from './conv-cases.ts';
import { describeVariants } from './describe-kernel.ts';
import { integerConv, integerConvs, someOf } from './integer-cases.ts';
import { pointwiseCases } from './pointwise-cases.ts';

// So many inputs that sums of floats would pass 2^24, at the ends of their range.
const deep = [0, 1, 2, 3].map((turn) =>
  integerConv(convCase({ size: [3, 5], cin: 1100, cout: 20 }), turn, { perChannel: true }),
);

/** Sums, of which each of the kernels below computes every way. */
const sums = [0, 1, 2].map((turn) => integerConv(convCase({ size: [6, 6], cin: 40, cout: 24, residual: true }), turn));

const cases = [...integerConvs(pointwiseCases), ...deep, ...sums];

describeVariants([int8Pointwise], cases);
describeVariants(int8PointwiseVariants, [...someOf(cases), ...deep.slice(0, 1), ...sums]);
