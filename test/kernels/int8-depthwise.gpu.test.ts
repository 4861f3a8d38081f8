import { int8Depthwise, int8DepthwiseVariants } from '../../src/kernels/int8-depthwise.ts';
import { depthwiseCases } from './depthwise-cases.ts';
import { describeVariants } from './describe-kernel.ts';
import { integerConvs, someOf } from './integer-cases.ts';

const cases = integerConvs(depthwiseCases);

describeVariants([int8Depthwise], cases);
describeVariants(int8DepthwiseVariants, someOf(cases));
