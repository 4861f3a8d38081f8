import { pointwiseSplitVariants } from '../../src/kernels/conv-pointwise-shared.ts';
import { describeVariants } from './describe-kernel.ts';
import { pointwiseCases } from './pointwise-cases.ts';

describeVariants(pointwiseSplitVariants, pointwiseCases);
