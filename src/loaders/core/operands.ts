import type { Constant } from './constants.ts';
import type { ImportBuilder, Place, Value, Variable } from './import-builder.ts';
import { type Spread, spreadOf } from './spread.ts';

/** An operation of a file with what it reads, as the handlers of every format see it. */
export interface Operands {
  readonly place: Place;
  readonly builder: ImportBuilder;
  /** Number of inputs, those that are left out included. */
  readonly count: number;
  /** Input `i`, which must be there. */
  readonly value: (i: number) => Value;
  /** Input `i` where it is spread over the batch by blocks, which the other ways refuse; undefined where it is not. */
  readonly spread: (i: number) => Spread | undefined;
  /** Input `i`, which must be a tensor of the network. */
  readonly variable: (i: number) => Variable;
  /** Input `i`, which must be a constant. */
  readonly constant: (i: number) => Constant;
  /** Input `i`, which must be a constant; undefined where it is left out. */
  readonly optional: (i: number) => Constant | undefined;
}

/** `find`: input `i`, undefined where it is left out. */
export function operandsOf(
  builder: ImportBuilder,
  place: Place,
  count: number,
  find: (i: number) => Value | undefined,
): Operands {
  const value = (i: number) => {
    const found = find(i) ?? builder.damaged(place, `input ${i} is left out, expected a tensor`);
    return spreadOf(found) ? builder.unsupported(place, `input ${i} is spread over the batch by blocks`) : found;
  };
  const constant = (i: number, found: Value) =>
    found.kind === 'constant'
      ? found
      : builder.unsupported(place, `input ${i} is computed by the network, expected a constant`);
  return {
    place,
    builder,
    count,
    value,
    spread: (i) => spreadOf(find(i)),
    variable: (i) => {
      const found = find(i) && value(i);
      if (found?.kind === 'variable') return found;
      const what = found ? 'a constant' : 'left out';
      return builder.unsupported(place, `input ${i} is ${what}, expected a tensor of the network`);
    },
    constant: (i) => constant(i, value(i)),
    optional: (i) => {
      const found = find(i);
      return found && constant(i, found);
    },
  };
}
