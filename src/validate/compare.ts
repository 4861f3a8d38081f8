import type { Graph } from '../graph/graph.ts';
import type { Precision } from '../planner/plan.ts';

/** How two outputs of a network differ. */
export interface Difference {
  /** Largest |actual − expected|; `Number.MAX_VALUE` where `actual` is not finite. */
  readonly maxError: number;
  /** Normalised mean square error: Σ(actual − expected)² / Σ expected². */
  readonly nmse: number;
  /** Whether the largest value of each is at the same index. */
  readonly topEqual: boolean;
}

export function compareOutputs(actual: Float32Array, expected: Float32Array): Difference {
  let maxError = 0;
  let square = 0;
  let norm = 0;
  let finite = true;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (!Number.isFinite(actual[i]!)) finite = false;
    maxError = Math.max(maxError, error);
    square += error * error;
    norm += expected[i]! * expected[i]!;
  }
  if (!finite) return { maxError: Number.MAX_VALUE, nmse: Number.MAX_VALUE, topEqual: false };
  const nmse = square === 0 ? 0 : square / Math.max(norm, Number.MIN_VALUE);
  return { maxError, nmse, topEqual: argMax(actual) === argMax(expected) };
}

export interface OutputReport extends Difference {
  readonly name: string;
  readonly ok: boolean;
}

/** Largest normalised mean square error of an output; rounding alone stays below. */
const mostNmse: Readonly<Record<Precision, number>> = {
  float32: 1e-10,
  float16: 1e-5,
  'float16-packed': 1e-5,
  int8: 0,
};

/** Where layers compute in halves: of sums that cancel, as those of depthwise convolutions, half the digits are left. */
const mostNmseInHalves = 1e-2;

/**
 * Each output of a graph that a plan of this precision runs, by name, against what it should be; an output of one
 * probability p as the distribution p, 1 − p.
 */
export function judgeOutputs(
  graph: Graph,
  precision: Precision,
  actual: Readonly<Record<string, Float32Array>>,
  expected: Readonly<Record<string, Float32Array>>,
  arithmetic?: 'float16',
): OutputReport[] {
  const most = arithmetic ? mostNmseInHalves : mostNmse[precision];
  return graph.outputs.map(({ name, tensor }): OutputReport => {
    const compared = isProbability(graph, tensor) ? asDistribution : (values: Float32Array) => values;
    const difference = compareOutputs(compared(actual[name]!), compared(expected[name]!));
    return { name, ...difference, ok: difference.nmse <= most };
  });
}

/** Whether a tensor comes out of a sigmoid. */
const isProbability = ({ nodes }: Graph, tensor: string): boolean =>
  nodes
    .flatMap((node) => (node.op === 'fused' ? node.parts : [node]))
    .some((node) => node.output === tensor && 'activation' in node && node.activation === 'sigmoid');

/** One probability p as p, 1 − p: near 0 the rounding of what the sigmoid reads is large beside p alone. */
const asDistribution = (values: Float32Array): Float32Array =>
  values.length === 1 ? Float32Array.of(values[0]!, 1 - values[0]!) : values;

const argMax = (values: Float32Array): number =>
  values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
