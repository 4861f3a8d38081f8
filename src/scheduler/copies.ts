/** Copies that are kept for the next one of their size: making room anew takes longer than copying. */
const MOST_SPARE = 4;

/** Copies of what runs are given, for as long as they may need it again. */
export class Copies {
  readonly #spare: (Float32Array | Uint8Array | Uint8ClampedArray)[] = [];

  take<T extends Float32Array | Uint8Array | Uint8ClampedArray>(values: T): T {
    const at = this.#spare.findIndex((one) => one.constructor === values.constructor && one.length === values.length);
    if (at < 0) return values.slice() as T;
    const [copy] = this.#spare.splice(at, 1);
    copy!.set(values);
    return copy as T;
  }

  /** Nobody reads the copy from now on. */
  release(copy: unknown): void {
    if (!ArrayBuffer.isView(copy)) return;
    this.#spare.unshift(copy as Float32Array);
    this.#spare.length = Math.min(this.#spare.length, MOST_SPARE);
  }
}
