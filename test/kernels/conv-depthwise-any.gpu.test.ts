import { depthwiseAnyVariants } from '../../src/kernels/conv-depthwise-any.ts';
import { depthwiseCases } from './depthwise-cases.ts';
import { describeVariants } from './describe-kernel.ts';

describeVariants(depthwiseAnyVariants, depthwiseCases);
