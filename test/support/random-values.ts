/** Uniform in [low, high), always the same for a seed. */
export function randomValues(length: number, seed: number, low = -1, high = 1): Float32Array {
  const uniform = seededUniform(seed);
  return Float32Array.from({ length }, () => low + uniform() * (high - low));
}

/** Uniform in [0, 1) (mulberry32). */
export function seededUniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) * 2 ** -32;
  };
}
