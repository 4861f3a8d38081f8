/** What browsers round a GPU's timestamps to: supposed until finer ones are seen. */
export const SUPPOSED_STEP_MS = 0.1;

/** So many readings that differ do not have a common divisor that is not the clock's by chance. */
const ENOUGH = 8;

/** The step of a clock, the greatest common divisor of what lies between its readings. */
export class ClockStep {
  #first: number | bigint | null = null;
  #last = 0;
  #divisor = 0;
  #readings = 0;

  /** A reading in nanoseconds. */
  observe(reading: number | bigint): void {
    this.#first ??= reading;
    const since = Math.abs(Math.round(Number(BigInt.asIntN(64, toWhole(reading) - toWhole(this.#first)))));
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

const toWhole = (reading: number | bigint): bigint =>
  typeof reading === 'bigint' ? reading : BigInt(Math.round(reading));

function divisor(a: number, b: number): number {
  while (b > 0) [a, b] = [b, a % b];
  return a;
}
