import { int8Depthwise, int8DepthwiseVariants } from '../../src/kernels/int8-depthwise.ts';
import { depthwiseCases } from './depthwise-cases.ts';
import { describeVariants } from './describe-kernel.ts';
import { integerConvs } from './integer-cases.ts';

describeVariants([int8Depthwise, ...int8DepthwiseVariants], integerConvs(depthwiseCases));
