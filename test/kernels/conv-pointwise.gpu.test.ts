import { convPointwise, pointwiseVariants } from '../../src/kernels/conv-pointwise.ts';
import { describeVariants } from './describe-kernel.ts';
import { pointwiseCases } from './pointwise-cases.ts';

describeVariants([convPointwise, ...pointwiseVariants], pointwiseCases);
