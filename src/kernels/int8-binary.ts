import source from '../../shaders/int8-binary.wgsl?raw';
import type { IntegerOf } from '../graph/integers.ts';
import { binaryShape, elementwise, elementwiseProgram } from './elementwise.ts';
import { addendsOf, bytesConstant, defineInteger, endsOf, noAddends } from './int8.ts';
import { constantBinding, inputBinding } from './kernel.ts';

/** Fields of its `struct Shape` that an operation does not read. */
const idle = { ...noAddends, multiplier: 0, least: 0, most: 0, zero_point: 0 };

function fieldsOf(body: IntegerOf<'add' | 'multiply' | 'pairs'>) {
  if (body.kind === 'pairs') return idle;
  if (body.kind === 'add') return { ...idle, ...addendsOf(body), ...endsOf(body) };
  const [a_zero, b_zero] = body.zeroPoints;
  return { ...idle, a_zero, b_zero, multiplier: body.to.multipliers[0]!, ...endsOf(body.to) };
}

/** Of two tensors, of which the second may be broadcast as `Add`'s. */
export const int8Binary = defineInteger(['add', 'multiply', 'pairs'], {
  name: 'int8-binary',
  program(body, shapes) {
    const table = body.kind === 'pairs';
    return {
      ...elementwiseProgram(elementwise(shapes.output), {
        file: 'int8-binary.wgsl',
        source,
        shape: { ...binaryShape(shapes), ...fieldsOf(body) },
        reads: [inputBinding(0), inputBinding(1), ...(table ? [constantBinding(0)] : [])],
      }),
      constants: { TABLE: table, MULTIPLY: body.kind === 'multiply' },
    };
  },
  constants: (body) => (body.kind === 'pairs' ? [bytesConstant(65536, (bytes) => bytes.set(body.table))] : []),
});
