/** What browsers round a GPU's timestamps to: supposed until finer ones are seen. */
export const SUPPOSED_STEP_MS = 0.1;

/** So many readings that differ do not have a common divisor that is not the clock's by chance. */
const ENOUGH = 8;

/** The step of a clock: the greatest common divisor of what lies between its readings. */
export class ClockStep {
  #first: bigint | null = null;
  #last = 0;
  #divisor = 0;
  #readings = 0;

  /** A reading in nanoseconds: a GPU's, or a page's in doubles, which has no finer steps than microseconds. */
  observe(reading: number | bigint): void {
    const whole = typeof reading === 'bigint' ? reading : 1000n * BigInt(Math.round(reading / 1000));
    this.#first ??= whole;
    const since = Math.abs(Number(whole - this.#first));
    if (since === this.#last) return;
    this.#last = since;
    this.#readings++;
    this.#divisor = divisor(this.#divisor, since);
  }

  /** Milliseconds. */
  get ms(): number {
    const seen = this.#divisor / 1e6;
    return this.#readings >= ENOUGH ? seen : Math.max(SUPPOSED_STEP_MS, Math.min(seen, 1));
  }
}

function divisor(a: number, b: number): number {
  while (b > 0) [a, b] = [b, a % b];
  return a;
}
