import type { Value } from '../core/import-builder.ts';
import type { Operator } from './operator.ts';

const transposeOperator = 39;
/** ADD, DEQUANTIZE, MUL, RELU, RELU6, PAD, SUB, DIV, CAST, PADV2, QUANTIZE: what may stand before a picture is transposed. */
const layoutFree: ReadonlySet<number> = new Set([0, 6, 18, 19, 21, 34, 41, 42, 53, 60, 114]);

/** Whether the first operator that cares for the layout of a tensor is a transposition from NCHW to NHWC. */
export function isTransposedFromNchw(
  input: number,
  operators: readonly Operator[],
  orderOf: (tensor: number) => Value,
): boolean {
  const readers = new Map<number, Operator[]>();
  for (const operator of operators) {
    for (const index of new Set(operator.inputs)) {
      const known = readers.get(index);
      if (known) known.push(operator);
      else readers.set(index, [operator]);
    }
  }
  const seen = new Set([input]);
  for (const tensor of seen) {
    for (const { number, inputs, outputs } of readers.get(tensor) ?? []) {
      if (number === transposeOperator) {
        const order = orderOf(inputs[1] ?? -1);
        return order.kind === 'constant' && order.data.join() === '0,2,3,1';
      }
      if (!layoutFree.has(number)) return false;
      for (const index of outputs) seen.add(index);
    }
  }
  return false;
}
