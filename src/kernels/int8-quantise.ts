import source from '../../shaders/int8-quantise.wgsl?raw';
import { elementwise, elementwiseProgram } from './elementwise.ts';
import { defineInteger } from './int8.ts';

export const quantiseFile = 'int8-quantise.wgsl';

/** What is stored is quantised on the way: in place of this kernel also by what makes the real numbers. */
export const quantising = { REAL_DST: false, QUANTISE: true } as const;

/** Real numbers to stored integers. */
export const int8Quantise = defineInteger(['quantise'], {
  name: 'int8-quantise',
  program: ({ scale, zeroPoint }, { output }) => ({
    ...elementwiseProgram(elementwise(output), {
      file: quantiseFile,
      source,
      overrides: { BY: Math.fround(1 / scale), ZERO_POINT: zeroPoint },
      shape: { scale, zero_point: zeroPoint },
    }),
    constants: { REAL_SRC: true, ...quantising },
  }),
});

/** And back. */
export const int8Dequantise = defineInteger(['dequantise'], {
  name: 'int8-dequantise',
  program: ({ scale, zeroPoint }, { output }) => ({
    ...elementwiseProgram(elementwise(output), { file: quantiseFile, source, shape: { scale, zero_point: zeroPoint } }),
    constants: { REAL_DST: true },
  }),
});
