import { convPointwise, pointwiseVariants } from '../../src/kernels/conv-pointwise.ts';
import { describeVariants, inHalvesOf } from './describe-kernel.ts';
import { ofAnyRange, pointwiseCases } from './pointwise-cases.ts';

describeVariants([convPointwise, ...pointwiseVariants], pointwiseCases);
describeVariants(inHalvesOf('conv-pointwise'), [...pointwiseCases, ...ofAnyRange]);
