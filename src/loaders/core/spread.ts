/** Pictures whose blocks lie along the batch: stand-ins on the way from SpaceToBatchND to BatchToSpaceND. */
import type { Conv2d, Padding, Pair } from '../../graph/ops.ts';
import type { ImportBuilder, Place, Value, Variable } from './import-builder.ts';

export interface Spread {
  /** The picture. */
  readonly x: Variable;
  readonly block: Pair;
  /** Zeros around it. */
  readonly padding: Padding;
  /** Height and width of a block's picture. */
  readonly size: Pair;
  /** What becomes of it where some of its padding is cut off again; null until it is convolved. */
  readonly convolved: ((padding: Padding) => Variable) | null;
  /** `convolveSpread` of space-to-batch.ts, which is there where something is spread. */
  readonly convolve: (to: Destination, spread: Spread, convolution: Convolution) => Variable;
}

interface Destination {
  readonly builder: ImportBuilder;
  readonly place: Place;
}

export type Convolution = Omit<Conv2d, 'op' | 'name' | 'inputs' | 'output'>;

const spreads = new WeakMap<Value, Spread>();

export const spreadOf = (value: Value | undefined): Spread | undefined => value && spreads.get(value);

/** A stand-in, which only what asks for `spread` may read (src/loaders/core/operands.ts). */
export function standIn(spread: Spread): Variable {
  // A tensor that nothing writes: an output of the file must be none.
  const value: Variable = { ...spread.x, tensor: `${spread.x.tensor} (spread over the batch)` };
  spreads.set(value, spread);
  return value;
}
