/** The arithmetic by which a loader folds what depends on constants alone. */

import { broadcastDims, type Constant, elementCount, type FoldBudget, FoldError, withData } from './constants.ts';
import { stridesOf } from './dims.ts';

function allocate(
  like: Pick<Constant, 'type'>,
  dims: readonly number[],
  budget: FoldBudget,
): Float32Array | Float64Array {
  const count = elementCount(dims);
  budget.takeFor(like.type, count);
  return like.type === 'float' ? new Float32Array(count) : new Float64Array(count);
}

/**
 * The element at place `index` of the result is element `source(index)` of `value`. Along the last axis the source goes
 * on by `step`; without it each element is asked for.
 */
function rearrange(
  value: Constant,
  dims: readonly number[],
  budget: FoldBudget,
  source: (index: readonly number[]) => number,
  step?: number,
): Constant {
  const data = allocate(value, dims, budget);
  const index = new Array<number>(dims.length).fill(0);
  const row = step === undefined ? 1 : (dims.at(-1) ?? 1);
  for (let i = 0; i < data.length; ) {
    let from = source(index);
    for (const end = i + row; i < end; i++) {
      data[i] = value.data[from]!;
      from += step ?? 0;
    }
    advance(index, dims, step === undefined ? dims.length - 1 : dims.length - 2);
  }
  return withData(value, dims, data);
}

/** The next place, counting from axis `last` up. */
function advance(index: number[], dims: readonly number[], last: number): void {
  for (let axis = last; axis >= 0; axis--) {
    if (++index[axis]! < dims[axis]!) return;
    index[axis] = 0;
  }
}

export function expand(value: Constant, dims: readonly number[], budget: FoldBudget): Constant {
  if (dims.join() === value.dims.join()) return value;
  const strides = stridesOf(value.dims);
  const shift = dims.length - value.dims.length;
  return rearrange(
    value,
    dims,
    budget,
    (index) => value.dims.reduce((sum, d, axis) => sum + (d === 1 ? 0 : index[axis + shift]! * strides[axis]!), 0),
    (value.dims.at(-1) ?? 1) === 1 ? 0 : strides.at(-1),
  );
}

export function map(value: Constant, budget: FoldBudget, f: (x: number) => number): Constant {
  const data = allocate(value, value.dims, budget);
  for (let i = 0; i < data.length; i++) data[i] = f(value.data[i]!);
  return withData(value, value.dims, data);
}

/** Both operands broadcast; a result of integers stays whole (`f` truncates where it must). */
export function combine(
  a: Constant,
  b: Constant,
  budget: FoldBudget,
  f: (x: number, y: number) => number,
  type: Constant['type'] = a.type,
): Constant {
  const dims = broadcastDims(a.dims, b.dims);
  const [left, right] = [expand(a, dims, budget), expand(b, dims, budget)];
  const data = allocate({ type }, dims, budget);
  for (let i = 0; i < data.length; i++) data[i] = f(left.data[i]!, right.data[i]!);
  return withData({ type }, dims, data);
}

export function cast(value: Constant, type: Constant['type'], budget: FoldBudget): Constant {
  if (value.type === type) return value;
  budget.takeFor(type, value.data.length);
  if (type === 'float') return withData({ type }, value.dims, new Float32Array(value.data));
  const data = new Float64Array(value.data);
  for (let i = 0; i < data.length; i++) data[i] = Math.trunc(data[i]!);
  return withData({ type }, value.dims, data);
}

export function transpose(value: Constant, permutation: readonly number[], budget: FoldBudget): Constant {
  const strides = stridesOf(value.dims);
  return rearrange(
    value,
    permutation.map((axis) => value.dims[axis]!),
    budget,
    (index) => permutation.reduce((sum, axis, i) => sum + index[i]! * strides[axis]!, 0),
    strides[permutation.at(-1) ?? 0] ?? 1,
  );
}

/** Takes `indices` (which may be negative, from the end) along `axis`. */
export function gather(value: Constant, indices: Constant, axis: number, budget: FoldBudget): Constant {
  const length = value.dims[axis]!;
  const strides = stridesOf(value.dims);
  const inner = stridesOf(indices.dims);
  const rank = indices.dims.length;
  for (const index of indices.data) {
    if (!Number.isInteger(index) || index < -length || index >= length) {
      throw new FoldError(`takes element ${index} of ${length}`);
    }
  }
  const dims = [...value.dims.slice(0, axis), ...indices.dims, ...value.dims.slice(axis + 1)];
  return rearrange(value, dims, budget, (index) => {
    let source = 0;
    for (let i = 0; i < axis; i++) source += index[i]! * strides[i]!;
    let which = 0;
    for (let i = 0; i < rank; i++) which += index[axis + i]! * inner[i]!;
    const taken = indices.data[which]!;
    source += (taken < 0 ? taken + length : taken) * strides[axis]!;
    for (let i = axis + 1; i < value.dims.length; i++) source += index[i + rank - 1]! * strides[i]!;
    return source;
  });
}

export interface Slice {
  readonly start: number;
  readonly length: number;
  readonly step: number;
}

/** The range `start : end : step` of an axis, ends clamped and counted from the end when negative (numpy's rule). */
export function resolveSlice(length: number, start: number, end: number, step: number): Slice {
  if (!Number.isInteger(step) || step === 0) throw new FoldError(`has a step of ${step}`);
  const wrap = (value: number) => (value < 0 ? value + length : value);
  const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
  const from = clamp(wrap(start), low, high);
  const to = clamp(wrap(end), low, high);
  return { start: from, length: Math.max(0, Math.ceil((to - from) / step)), step };
}

/** One `Slice` an axis. */
export function slice(value: Constant, slices: readonly Slice[], budget: FoldBudget): Constant {
  const strides = stridesOf(value.dims);
  return rearrange(
    value,
    slices.map(({ length }) => length),
    budget,
    (index) => slices.reduce((sum, { start, step }, i) => sum + (start + index[i]! * step) * strides[i]!, 0),
    (slices.at(-1)?.step ?? 1) * (strides.at(-1) ?? 1),
  );
}

export function concat(values: readonly Constant[], axis: number, budget: FoldBudget): Constant {
  const first = values[0];
  if (!first) throw new FoldError('joins nothing');
  const fits = values.every(
    ({ dims, type }) =>
      type === first.type &&
      dims.length === first.dims.length &&
      dims.every((d, i) => i === axis || d === first.dims[i]),
  );
  if (!fits || axis >= first.dims.length) {
    throw new FoldError(`cannot join [${values.map(({ dims }) => dims.join('×')).join('], [')}] along axis ${axis}`);
  }
  const dims = first.dims.map((d, i) => (i === axis ? values.reduce((sum, v) => sum + v.dims[axis]!, 0) : d));
  const data = allocate(first, dims, budget);
  const outer = elementCount(dims.slice(0, axis));
  const inner = elementCount(dims.slice(axis + 1));
  let to = 0;
  for (let i = 0; i < outer; i++) {
    for (const value of values) {
      const run = value.dims[axis]! * inner;
      data.set(value.data.subarray(i * run, (i + 1) * run), to);
      to += run;
    }
  }
  return withData(first, dims, data);
}
