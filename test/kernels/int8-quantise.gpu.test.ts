import { describeKernel } from './describe-kernel.ts';
import { elementwiseShapes, titleOf } from './elementwise-cases.ts';
import { integerCase, zeroPoint } from './integer-cases.ts';

describeKernel(
  'int8-quantise',
  elementwiseShapes.map((shape, turn) => {
    const body = {
      kind: 'quantise',
      scale: Math.fround([0.0078431, 0.5, 0.017][turn % 3]!),
      zeroPoint: zeroPoint(turn),
    } as const;
    // Halves of steps, and what is beyond the range.
    return integerCase(titleOf(shape), body, [shape], { range: turn % 2 === 0 ? 2 : 90 });
  }),
);

describeKernel(
  'int8-dequantise',
  elementwiseShapes.map((shape, turn) =>
    integerCase(titleOf(shape), { kind: 'dequantise', scale: Math.fround(0.0234), zeroPoint: zeroPoint(turn) }, [
      shape,
    ]),
  ),
);
