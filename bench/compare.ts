import { compareOutputs } from '../src/validate/compare.ts';

/** Of Σ expected²: float32 rounding alone, in any engine's order, stays orders of magnitude below. */
const MOST_NMSE = 1e-8;

/** Why an output is not taken for the reference's, or null where it is; and the largest difference. */
export function judge(output: Float32Array, expected: Float32Array): { maxAbsDiff: number; error: string | null } {
  if (output.length !== expected.length) {
    return {
      maxAbsDiff: Number.MAX_VALUE,
      error: `the output has ${output.length} values, expected ${expected.length}`,
    };
  }
  const { maxError, nmse, topEqual } = compareOutputs(output, expected);
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const equal = nmse <= MOST_NMSE && (topEqual || maxError <= 1e-5 * scale);
  const error = equal
    ? null
    : `the output differs from the reference: normalised mean square error ${nmse.toExponential(1)}`;
  return { maxAbsDiff: maxError, error };
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  return sorted[low]! + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!);
}
