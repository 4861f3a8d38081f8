import { convAnyVariants } from '../../src/kernels/conv-direct.ts';
import { describeVariants } from './describe-kernel.ts';
import { directCases } from './direct-cases.ts';
import { pointwiseCases } from './pointwise-cases.ts';

describeVariants(convAnyVariants, [...directCases, ...pointwiseCases]);
