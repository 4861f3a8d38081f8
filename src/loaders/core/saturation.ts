/**
 * What the integers of a quantised tensor can hold, as a clamp of the real numbers that they stand for. A quantiser may
 * leave an activation to it: a ReLU6 whose output is quantised to [0, 6] is a clamp to that range and no operation.
 */
import type { Node } from '../../graph/ops.ts';
import type { ImportBuilder, Interval, Place, Variable } from './import-builder.ts';
import { activationInterval } from './intervals.ts';

/** `x` cut to `range`. No node where `x` lies in `accepted` for certain. */
export function saturated(
  builder: ImportBuilder,
  place: Place,
  x: Variable,
  { low, high }: Interval,
  accepted: Interval,
): Variable {
  const certain = intervalOf(builder, x.tensor, 4);
  return certain.low >= accepted.low && certain.high <= accepted.high ? x : builder.clip(place, x, low, high);
}

const anything: Interval = { low: -Infinity, high: Infinity };

/** Between which numbers a tensor lies for certain, as far as the operations before it tell. */
function intervalOf(builder: ImportBuilder, tensor: string, hops: number): Interval {
  const known = builder.intervals.get(tensor);
  if (known) return known;
  const node = builder.producer(tensor);
  if (!node) return anything;
  if (node.op === 'clip') return { low: node.min, high: node.max };
  if (node.op === 'softmax') return { low: 0, high: 1 };
  // A residual is added after the activation.
  const own = 'activation' in node && !(node.op === 'conv2d' && node.inputs.length > 1) ? node.activation : 'none';
  if (own !== 'none') return activationInterval[own]!;
  if (hops === 0) return anything;
  const found = combined(
    node,
    node.inputs.map((input) => intervalOf(builder, input, hops - 1)),
  );
  builder.intervals.set(tensor, found);
  return found;
}

/** What a node without activation makes of its inputs. */
function combined(node: Node, inputs: readonly Interval[]): Interval {
  const [a, b] = inputs as [Interval, Interval];
  switch (node.op) {
    case 'add':
      return { low: a.low + b.low, high: a.high + b.high };
    case 'multiply':
      return hull([a.low, a.high].flatMap((x) => [times(x, b.low), times(x, b.high)]));
    case 'affine': {
      const { scale, shift } = node;
      const at = (values: Float32Array, i: number) => values[values.length === 1 ? 0 : i]!;
      const ends = Array.from({ length: Math.max(scale.length, shift.length) }, (_, i) =>
        [a.low, a.high].map((x) => times(x, at(scale, i)) + at(shift, i)),
      );
      return hull(ends.flat());
    }
    case 'pool':
      return node.countPadding ? anything : a;
    // All that comes out lies between what goes in.
    case 'reshape':
    case 'transpose':
    case 'resize':
    case 'global-average-pool':
      return a;
    case 'concat':
      return hull(inputs.flatMap(({ low, high }) => [low, high]));
    default:
      return anything;
  }
}

/** The product of two ends, of which an infinite one is out of reach. */
const times = (x: number, y: number): number => (x === 0 || y === 0 ? 0 : x * y);

function hull(values: readonly number[]): Interval {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return { low, high };
}
