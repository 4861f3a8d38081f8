import { variants } from '../../src/kernels/conv-pointwise-split.ts';
import { describeVariants } from './describe-kernel.ts';
import { pointwiseCases } from './pointwise-cases.ts';

// Software adapters set workgroup memory to zero by code for each element: of large tiles few cases.
const large = variants.filter(({ name }) => name.includes('c16'));
const small = variants.filter((kernel) => !large.includes(kernel));

describeVariants(small, pointwiseCases);
describeVariants(
  large,
  pointwiseCases.filter((_, i) => i % 4 === 0),
);
