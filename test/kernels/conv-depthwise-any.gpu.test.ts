import { convDepthwiseAny } from '../../src/kernels/conv-depthwise-any.ts';
import { depthwiseCases } from './depthwise-cases.ts';
import { describeVariants } from './describe-kernel.ts';

describeVariants([convDepthwiseAny], depthwiseCases);
