import { pointwiseSplitVariants } from '../../src/kernels/conv-pointwise-shared.ts';
import { describeVariants } from './describe-kernel.ts';
import { pointwiseCases } from './pointwise-cases.ts';

// Software adapters set workgroup memory to zero by code for each element: of large tiles few cases.
const large = pointwiseSplitVariants.filter(({ name }) => name.includes('c16'));
const small = pointwiseSplitVariants.filter((kernel) => !large.includes(kernel));

describeVariants(small, pointwiseCases);
describeVariants(
  large,
  pointwiseCases.filter((_, i) => i % 4 === 0),
);
