/** ONNX's Split, whose outputs are parts of a tensor: fetched where a file has one. */
import { axisOf } from '../core/dims.ts';
import type { Value } from '../core/import-builder.ts';
import * as rarer from '../core/rarer-layers.ts';
import { intOf, intsOf } from './attributes.ts';
import type { QuantisedCall } from './quantised.ts';

/** The outputs of `Split`, or null for another operation and for constants, which are folded. */
export function runSplit({ node, place, builder, inputs }: QuantisedCall<{ readonly kind: string }>): Value[] | null {
  const [x, sizes] = inputs as (Value | undefined)[];
  if (place.op !== 'Split' || x?.kind !== 'variable') return null;
  const dim = axisOf(intOf(node, 'axis', 0), x.dims.length);
  const [whole, count] = [x.dims[dim]!, node.outputs.length];
  const each = Math.ceil(whole / count);
  const stated = sizes?.kind === 'constant' ? Array.from(sizes.data) : intsOf(node, 'split');
  const lengths = stated ?? node.outputs.map((_, i) => Math.min(each, whole - i * each));
  const sound = lengths.length === count && lengths.every((length) => Number.isSafeInteger(length) && length > 0);
  if (!sound || lengths.reduce((a, b) => a + b, 0) !== whole) {
    builder.damaged(place, `splits dimension ${dim} of [${x.dims}] into ${count} parts of [${lengths.slice(0, 8)}]`);
  }
  let start = 0;
  return lengths.map((length, i) => {
    const name = node.outputs[i] || `${place.output}/${i}`;
    const part = rarer.part(builder, { ...place, node: `${place.node}/${i}`, output: name }, x, dim, start, length, 1);
    start += length;
    return part;
  });
}
