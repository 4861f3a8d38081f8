import { seededUniform } from '../graph/random.ts';

/** Reproducible random numbers; normal ones by Box–Muller in pairs. */
export class Random {
  /** Uniform in [0, 1). */
  readonly uniform: () => number;

  constructor(seed: number) {
    this.uniform = seededUniform(Math.imul(seed ^ 0x5bf03635, 0x9e3779b1));
  }

  /** Normal with the given mean and standard deviation. */
  normal(length: number, mean: number, deviation: number): Float32Array {
    const out = new Float32Array(length);
    for (let i = 0; i < length; i += 2) {
      const radius = deviation * Math.sqrt(-2 * Math.log(1 - this.uniform()));
      const angle = 2 * Math.PI * this.uniform();
      out[i] = mean + radius * Math.cos(angle);
      if (i + 1 < length) out[i + 1] = mean + radius * Math.sin(angle);
    }
    return out;
  }
}
