import { convPointwiseTiled } from '../../src/kernels/conv-pointwise-tiled.ts';
import { describeVariants } from './describe-kernel.ts';
import { pointwiseCases } from './pointwise-cases.ts';

describeVariants([convPointwiseTiled], pointwiseCases);
