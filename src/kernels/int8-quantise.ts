import source from '../../shaders/int8-quantise.wgsl?raw';
import { elementwise, elementwiseProgram } from './elementwise.ts';
import { defineInteger } from './int8.ts';
import { QUANTISE_FILE } from './kernel.ts';

/** Names of the prelude: real numbers are quantised as they are stored; in place of this kernel also by what makes them. */
export const quantising = { REAL_SRC: true, REAL_DST: false, QUANTISE: true } as const;

/** Real numbers to stored integers. */
export const int8Quantise = defineInteger(['quantise'], {
  name: 'int8-quantise',
  program: ({ scale, zeroPoint }, { output }) => ({
    ...elementwiseProgram(elementwise(output), {
      file: QUANTISE_FILE,
      source,
      overrides: { BY: Math.fround(1 / scale), ZERO_POINT: zeroPoint },
      shape: { scale, zero_point: zeroPoint },
    }),
    constants: quantising,
  }),
});

/** And back. */
export const int8Dequantise = defineInteger(['dequantise'], {
  name: 'int8-dequantise',
  program: ({ scale, zeroPoint }, { output }) => ({
    ...elementwiseProgram(elementwise(output), {
      file: QUANTISE_FILE,
      source,
      shape: { scale, zero_point: zeroPoint },
    }),
    constants: { REAL_DST: true },
  }),
});
