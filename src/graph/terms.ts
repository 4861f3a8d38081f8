/** What operations are described in, on real numbers (ops.ts) and on integers (integers.ts). */

/** `[batch, height, width, channels]`, row-major, channels fastest. */
export type Shape = readonly [batch: number, height: number, width: number, channels: number];

/** `[vertical, horizontal]`. */
export type Pair = readonly [number, number];

/** For each axis of the result the axis that it comes from. */
export type Permutation = readonly [number, number, number, number];

/** Explicit zero padding in pixels. Formats that say SAME or "auto" are resolved to this by their loader. */
export interface Padding {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** What every operation has. */
export interface NodeBase {
  /** Unique in its graph; taken from the file where there is one, so that an error can name it. */
  readonly name: string;
  /** Names of the tensors read. */
  readonly inputs: readonly string[];
  /** Name of the one tensor written. */
  readonly output: string;
}
