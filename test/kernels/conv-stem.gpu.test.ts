import { convStem, stemVariants } from '../../src/kernels/conv-stem.ts';
import { describeVariants } from './describe-kernel.ts';
import { stemCases } from './stem-cases.ts';

describeVariants([convStem, ...stemVariants], stemCases);
