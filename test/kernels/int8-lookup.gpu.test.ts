import { describeKernel } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';
import { integerCase } from './integer-cases.ts';

describeKernel(
  'int8-lookup',
  // One table for all channels, or one for each.
  elementwiseShapes.flatMap((shape) => [
    integerCase(titleOf(shape), { kind: 'lookup' }, [shape]),
    integerCase(`${titleOf(shape)}, by channel`, { kind: 'lookup', ends: { perChannel: true } }, [shape]),
  ]),
);
