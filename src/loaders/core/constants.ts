/** Constant tensors of a file. */

/**
 * Row-major. Floats of any width are held as float32; integers and booleans as float64, exact up to 2⁵³ (beyond it only
 * "to the end" marks such as 2⁶³ − 1 are met, whose exact value does not matter).
 */
export interface Constant {
  readonly kind: 'constant';
  readonly dims: readonly number[];
  readonly type: 'float' | 'integer';
  readonly data: Float32Array | Float64Array;
  /** What the file's integer type can hold, where that is 8 or 16 bits: the range of a quantised tensor. */
  readonly limits?: readonly [low: number, high: number];
}

/** A constant that cannot be formed; the loader adds file and node. */
export class FoldError extends Error {
  /** The file may be sound, and this engine does not know the operation. */
  readonly unsupported: boolean;

  constructor(message: string, unsupported = false) {
    super(message);
    this.unsupported = unsupported;
  }
}

export const floats = (dims: readonly number[], data: Float32Array): Constant => ({
  kind: 'constant',
  dims,
  type: 'float',
  data,
});

export const integers = (dims: readonly number[], data: ArrayLike<number>): Constant => ({
  kind: 'constant',
  dims,
  type: 'integer',
  data: Float64Array.from(data),
});

/** Throws `FoldError` where a tensor has more dimensions than any network's. */
export function checkRank(rank: number): void {
  if (rank > 16) throw new FoldError(`has ${rank} dimensions, expected at most 16`);
}

/** Product of dimensions; throws `FoldError` where one is negative or not whole, there are more than 16, or the product passes 2³¹. */
export function elementCount(dims: readonly number[]): number {
  checkRank(dims.length);
  let count = 1;
  for (const d of dims) {
    if (!Number.isSafeInteger(d) || d < 0) throw new FoldError(`has the shape [${dims}], expected whole numbers ≥ 0`);
    count *= d;
    if (count > 2 ** 31) throw new FoldError(`has the shape [${dims}], of more than 2³¹ elements`);
  }
  return count;
}

export const withData = (
  like: Pick<Constant, 'type'>,
  dims: readonly number[],
  data: Float32Array | Float64Array,
): Constant => ({
  kind: 'constant',
  dims,
  type: like.type,
  data,
});

/** Throws `FoldError` where the counts of elements differ. */
export function reshape(value: Constant, dims: readonly number[]): Constant {
  if (elementCount(dims) !== value.data.length) {
    throw new FoldError(`cannot reshape [${value.dims}] to [${dims}]`);
  }
  return withData(value, dims, value.data);
}

/**
 * How much memory a file's constants, and the weights that are made of them, may take: what a file makes of nothing is
 * bounded. A load has one, whatever its format, and whoever makes values takes what they need before they are made.
 */
export class FoldBudget {
  private left: number;

  /** `bytes`: of the file, and of all beside it that are read. */
  constructor(bytes: number) {
    // Quantised weights come to the most: integers, and the numbers behind them, are each held and permuted.
    this.left = 2_000_000 + 10 * bytes;
  }

  /** `elements` of float32, or of as many bytes. */
  take(elements: number): void {
    this.left -= elements;
    if (this.left < 0) throw new FoldError('makes constants far larger than the file that states them');
  }

  takeFor(type: Constant['type'], elements: number): void {
    this.take(type === 'float' ? elements : 2 * elements);
  }
}

/** Shape of two operands broadcast together (numpy's rule). */
export function broadcastDims(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [p, q] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (p !== q && p !== 1 && q !== 1) throw new FoldError(`[${a}] and [${b}] cannot be broadcast together`);
    return p === 1 ? q : p;
  });
}
