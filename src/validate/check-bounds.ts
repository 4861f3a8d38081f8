import type { Shape } from '../graph/ops.ts';

/** A comparison of a tensor with its reference, element by element against derived bounds. */
export interface BoundCheck {
  /** Error of the element that comes nearest to its own bound (or passes it by the most), and that bound. */
  readonly maxError: number;
  readonly bound: number;
  /** Largest share of the probable bound (√K in place of K) that an element used. */
  readonly share: number;
  /** Elements that are not finite numbers: never written, or poisoned by such. */
  readonly unwritten: number;
  readonly ok: boolean;
}

/** A check of what one kernel computes. */
export interface LayerReport extends BoundCheck {
  readonly name: string;
  readonly op: string;
  readonly kernel: string;
  readonly shape: Shape;
}

export function checkBounds(
  actual: Float32Array,
  expected: Float32Array,
  bound: Float32Array,
  probable: Float32Array,
): BoundCheck {
  let worst = 0;
  let worstRatio = -1;
  let share = 0;
  let unwritten = 0;
  for (let i = 0; i < expected.length; i++) {
    if (!Number.isFinite(actual[i]!)) {
      unwritten++;
      continue;
    }
    const error = Math.abs(actual[i]! - expected[i]!);
    // A reference or bound that is no number proves nothing.
    const provable = Number.isFinite(error) && Number.isFinite(bound[i]!);
    const ratio = provable ? (error === 0 ? 0 : error / bound[i]!) : Number.POSITIVE_INFINITY;
    if (ratio > worstRatio) {
      worstRatio = ratio;
      worst = i;
    }
    if (error > 0) share = Math.max(share, error / probable[i]!);
  }
  const sound = actual.length === expected.length && unwritten === 0;
  return {
    maxError:
      sound && worstRatio < Number.POSITIVE_INFINITY ? Math.abs(actual[worst]! - expected[worst]!) : Number.MAX_VALUE,
    bound: bound[worst]!,
    share,
    unwritten,
    ok: sound && worstRatio <= 1,
  };
}
