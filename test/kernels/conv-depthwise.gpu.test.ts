import { convDepthwise, depthwiseVariants } from '../../src/kernels/conv-depthwise.ts';
import { depthwiseCases } from './depthwise-cases.ts';
import { describeVariants } from './describe-kernel.ts';

describeVariants([convDepthwise, ...depthwiseVariants], depthwiseCases);
