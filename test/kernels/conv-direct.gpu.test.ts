import { convDirect, directVariants } from '../../src/kernels/conv-direct.ts';
import { describeVariants } from './describe-kernel.ts';
import { directCases } from './direct-cases.ts';

describeVariants([convDirect, ...directVariants], directCases);
