import type { Graph, Precision } from '../src/index.ts';
import { compareOutputs } from '../src/validate/compare.ts';

interface Limits {
  /** Largest normalised mean square error of an output that counts as right; its root is a share of the output's size. */
  readonly nmse: number;
  /** Largest difference of any one value, as a share of the output's largest. */
  readonly difference: number;
}

/**
 * Engines in float32 differ by the order of their sums: √K · 2⁻²⁵ of a sum of K ≤ 1280 terms, 10⁻⁶, and some √60 times that
 * behind 60 layers; the root may be ten times that. One rounding to float16 alone is 2 · 10⁻⁴.
 */
const float32: Limits = { nmse: 1e-8, difference: 1e-3 };

/**
 * Sums carried in halves: each addition rounds by 2⁻¹²/√3 of the sum so far, √K times that is 2 · 10⁻³ for the K of some
 * 200 to 300 that most layers have, and √60 times that behind 60 layers is 1.5 · 10⁻²; the root may be seven times that.
 * Halves that are only stored stay far below.
 */
const half: Limits = { nmse: 1e-2, difference: 0.2 };

/**
 * A peer that computes a quantised file in floats: where the file rounds a tensor to a step that peer does not, or the other way.
 * Half a step at most, its root mean square 1/√12, of tensors whose own is some 30 steps: 10⁻², and √60 times that behind 60 layers
 * is 7 · 10⁻²; the root may be three times that.
 */
const emulated: Limits = { nmse: 5e-2, difference: 1 };

/** Integers are integers. */
const bytes: Limits = { nmse: 0, difference: 0 };

/**
 * Largest difference of a sigmoid that counts as right whatever its own size. ONNX Runtime on WebAssembly computes it as
 * ½ + p(x)/q(x): near zero that is off by the rounding of a number near ½, here a last place of one up to 1.
 */
const SIGMOID_DIFFERENCE = 2 ** -24;

export interface Judgement {
  readonly maxAbsDiff: number;
  readonly nmse: number;
  /** The largest difference in steps of a quantised file's outputs; absent for real numbers. */
  readonly steps?: number;
  /** Why the outputs are not the reference's; null where they are. */
  readonly error: string | null;
}

/** For each output the difference that counts as right whatever the size of the values. */
export function tolerances({ nodes, outputs }: Graph): number[] {
  const makers = new Map(nodes.map((node) => [node.output, node]));
  const isSigmoid = (tensor: string): boolean => {
    const node = makers.get(tensor);
    if (node?.op === 'reshape') return isSigmoid(node.inputs[0]!);
    return node !== undefined && 'activation' in node && node.activation === 'sigmoid';
  };
  return outputs.map(({ tensor }) => (isSigmoid(tensor) ? SIGMOID_DIFFERENCE : 0));
}

/** Outputs beside those of the CPU reference, all in the graph's order, `allowed` as `tolerances` gives it. `precision`: the engine's. */
export function judge(
  outputs: readonly Float32Array[],
  expected: readonly Float32Array[],
  allowed: readonly number[] = [],
  precision: Precision = 'float32',
): Judgement {
  const limits = precision.startsWith('float16') ? half : float32;
  const all = expected.map((values, i) =>
    judgeOne(
      outputs[i],
      values,
      { ...limits, absolute: allowed[i] ?? 0 },
      expected.length > 1 ? `output ${i}` : 'output',
    ),
  );
  return worst(all);
}

/**
 * Outputs of a quantised file beside those of the reference on integers: the same, but where they are rounded from real numbers
 * (softmax), which may be a step off; near them, where an engine computes in floats. `scales`: of an output's steps.
 */
export function judgeQuantised(
  outputs: readonly Float32Array[],
  expected: readonly Float32Array[],
  { nodes, outputs: names }: Graph,
  scales: readonly number[],
  inFloats: boolean,
): Judgement {
  const makers = new Map(nodes.map((node) => [node.output, node]));
  const rounded = (tensor: string): boolean => {
    const node = makers.get(tensor);
    if (node?.op !== 'integer') return node !== undefined;
    const moves = node.body.kind === 'dequantise' || node.body.kind === 'reshape';
    return node.body.kind === 'quantise' || (moves && rounded(node.inputs[0]!));
  };
  const all = expected.map((values, i) => {
    const absolute = rounded(names[i]!.tensor) ? 1.01 * scales[i]! : 0;
    const judged = judgeOne(outputs[i], values, { ...(inFloats ? emulated : bytes), absolute }, `output ${i}`);
    return { ...judged, steps: Math.round(judged.maxAbsDiff / scales[i]!) };
  });
  return worst(all);
}

/** The largest differences of several judgements, and the first error. */
export const worst = (judgements: readonly Judgement[]): Judgement => ({
  maxAbsDiff: Math.max(...judgements.map(({ maxAbsDiff }) => maxAbsDiff)),
  nmse: Math.max(...judgements.map(({ nmse }) => nmse)),
  ...(judgements.some(({ steps }) => steps !== undefined)
    ? { steps: Math.max(...judgements.map(({ steps = 0 }) => steps)) }
    : {}),
  error: judgements.map(({ error }) => error).find((error) => error !== null) ?? null,
});

function judgeOne(
  output: Float32Array | undefined,
  expected: Float32Array,
  limits: Limits & { readonly absolute: number },
  name: string,
): Judgement {
  if (output?.length !== expected.length) {
    const error = `${name} has ${output?.length ?? 'no'} values, expected ${expected.length}`;
    return { maxAbsDiff: Number.MAX_VALUE, nmse: Number.MAX_VALUE, error };
  }
  const { maxError, nmse } = compareOutputs(output, expected);
  const size = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const right = maxError <= limits.absolute || (nmse <= limits.nmse && maxError <= limits.difference * size);
  const difference =
    maxError === Number.MAX_VALUE
      ? 'it is not finite'
      : `by up to ${maxError.toExponential(1)} at a size of ${size.toPrecision(2)}`;
  const error = right ? null : `${name} differs from the CPU reference: ${difference}`;
  return { maxAbsDiff: maxError, nmse, error };
}
