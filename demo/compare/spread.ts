/** The middle and the spread of some times. */
export interface Spread {
  readonly least: number;
  readonly lowerQuartile: number;
  readonly median: number;
  readonly upperQuartile: number;
  readonly most: number;
}

/** Quartiles are interpolated linearly between the ordered values. `values` must not be empty. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const quantile = (share: number): number => {
    const place = share * (sorted.length - 1);
    const below = sorted[Math.floor(place)]!;
    return below + (place - Math.floor(place)) * (sorted[Math.ceil(place)]! - below);
  };
  return {
    least: quantile(0),
    lowerQuartile: quantile(0.25),
    median: quantile(0.5),
    upperQuartile: quantile(0.75),
    most: quantile(1),
  };
}

export interface Interval {
  readonly low: number;
  readonly high: number;
  /** How often the median of all runs there could be lies within, at least. */
  readonly confidence: number;
}

/**
 * Where the true median lies, from the ordered values alone, whatever their distribution (Conover, "Practical Nonparametric
 * Statistics", section 3.2): between the k-th value from either end it lies with a probability of 1 − 2 · P(X < k), X
 * binomial of n and ½; k is the largest that leaves 95 %. Null of fewer than six values, which cannot say so much.
 */
export function medianInterval(values: readonly number[]): Interval | null {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  let term = 0.5 ** n;
  let below = term;
  let found: Interval | null = null;
  for (let k = 1; 2 * k <= n && 1 - 2 * below >= 0.95; k++) {
    found = { low: sorted[k - 1]!, high: sorted[n - k]!, confidence: 1 - 2 * below };
    term *= (n - k + 1) / k;
    below += term;
  }
  return found;
}
