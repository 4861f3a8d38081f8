import { convDirect, directVariants } from '../../src/kernels/conv-direct.ts';
import { describeVariants, inHalvesOf } from './describe-kernel.ts';
import { directCases } from './direct-cases.ts';

describeVariants([convDirect, ...directVariants], directCases);
describeVariants(inHalvesOf('conv-direct'), directCases);
