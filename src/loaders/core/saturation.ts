/**
 * What the integers of a quantised tensor can hold, as a clamp of the real numbers that they stand for. A quantiser may
 * leave an activation to it: a ReLU6 whose output is quantised to [0, 6] is a clamp to that range and no operation.
 */
import type { Node } from '../../graph/ops.ts';
import type { ImportBuilder, Interval, Place, Variable } from './import-builder.ts';

/** One scale and zero point for a whole tensor: real = (stored − zeroPoint) · scale. */
export interface UniformScale {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** The range of a tensor of integers from `least` to `most`. A bound that is 6 but for less than half a step is ReLU6's. */
export function rangeOf({ scale, zeroPoint }: UniformScale, least: number, most: number): Interval {
  const high = (most - zeroPoint) * scale;
  return { low: (least - zeroPoint) * scale, high: Math.abs(high - 6) < scale / 2 ? 6 : high };
}

/** `x` cut to what its integers can hold. No node where `x` leaves the range by at most `slack` for certain. */
export function saturated(
  builder: ImportBuilder,
  place: Place,
  x: Variable,
  { low, high }: Interval,
  slack: number,
): Variable {
  const certain = intervalOf(builder, x.tensor, 4);
  const keeps = certain.low >= low - slack && certain.high <= high + slack;
  return keeps ? x : builder.clip(place, x, low, high);
}

export const activationInterval: Readonly<Record<string, Interval>> = {
  relu: { low: 0, high: Infinity },
  relu6: { low: 0, high: 6 },
  'hard-sigmoid': { low: 0, high: 1 },
  sigmoid: { low: 0, high: 1 },
  // At x = −3/2.
  'hard-swish': { low: -0.375, high: Infinity },
};

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
  if (hops === 0 || !isMadeOfInputs(node)) return anything;
  let [low, high] = [Infinity, -Infinity];
  for (const input of node.inputs) {
    const own = intervalOf(builder, input, hops - 1);
    [low, high] = [Math.min(low, own.low), Math.max(high, own.high)];
  }
  const found = { low, high };
  builder.intervals.set(tensor, found);
  return found;
}

/** Whether all that comes out lies between what goes in. */
const isMadeOfInputs = (node: Node): boolean =>
  ['reshape', 'resize', 'concat', 'global-average-pool'].includes(node.op) ||
  (node.op === 'pool' && !node.countPadding);
