import source from '../../shaders/int8-lookup.wgsl?raw';
import { elementwise, elementwiseProgram } from './elementwise.ts';
import { bytesConstant, defineInteger } from './int8.ts';
import { constantBinding, inputBinding } from './kernel.ts';

export const int8Lookup = defineInteger(['lookup'], {
  name: 'int8-lookup',
  program: ({ table }, { output }) =>
    elementwiseProgram(elementwise(output), {
      file: 'int8-lookup.wgsl',
      source,
      shape: { table_stride: table.length > 256 ? 256 : 0, last_channel: output[3] - 1 },
      reads: [inputBinding(0), constantBinding(0)],
    }),
  constants: ({ table }) => [bytesConstant(table.length, (bytes) => bytes.set(table))],
});
