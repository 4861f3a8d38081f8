import source from '../../shaders/int8-lookup.wgsl?raw';
import { elementwise, elementwiseProgram } from './elementwise.ts';
import { bytesConstant, defineInteger } from './int8.ts';
import { constantBinding, inputBinding } from './kernel.ts';

export const int8Lookup = defineInteger(['lookup'], {
  name: 'int8-lookup',
  program: (_body, { output }) =>
    elementwiseProgram(elementwise(output), {
      file: 'int8-lookup.wgsl',
      source,
      reads: [inputBinding(0), constantBinding(0)],
    }),
  constants: ({ table }) => [bytesConstant(256, (bytes) => bytes.set(table))],
});
