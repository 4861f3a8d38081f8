import { depthwiseStripVariants } from '../../src/kernels/conv-depthwise-strip.ts';
import { depthwiseCases } from './depthwise-cases.ts';
import { describeVariants } from './describe-kernel.ts';

describeVariants(depthwiseStripVariants, depthwiseCases);
