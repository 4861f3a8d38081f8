/** Moves tensors between the caller's dense NHWC and the GPU's layout of channels in fours. */
import { UsageError } from '../errors.ts';
import { allFinite } from '../graph/finite.ts';
import { float16Value } from '../graph/float16.ts';
import { sizeOf } from '../graph/shapes.ts';
import { toFloat16 } from '../kernels/pack.ts';
import { isHalf, type Placement, type Precision } from '../planner/plan.ts';

/**
 * Writes `values` (dense NHWC) into `staging` (stored layout), padding lanes left as they are. Returns whether all are finite: to
 * look while they are copied takes half the time of looking first.
 */
export function pack(values: Float32Array, placement: Placement, staging: Float32Array): boolean {
  const channels = placement.shape[3];
  const pitch = 4 * Math.ceil(channels / 4);
  if (pitch === channels) {
    staging.set(values);
    return allFinite(values);
  }
  if (channels === 3) return packThree(values, staging);
  for (let from = 0, to = 0; from < values.length; from += channels, to += pitch) {
    for (let c = 0; c < channels; c++) staging[to + c] = values[from + c]!;
  }
  return allFinite(values);
}

/** Written out for pictures, in two sums that do not wait for each other: an inner loop takes twice as long. */
function packThree(from: Float32Array, to: Float32Array): boolean {
  const end = from.length - 11;
  let sum = 0;
  let other = 0;
  let i = 0;
  let o = 0;
  for (; i < end; i += 12, o += 16) {
    const a = from[i]!;
    const b = from[i + 1]!;
    const c = from[i + 2]!;
    const d = from[i + 3]!;
    const e = from[i + 4]!;
    const f = from[i + 5]!;
    const g = from[i + 6]!;
    const h = from[i + 7]!;
    const j = from[i + 8]!;
    const k = from[i + 9]!;
    const l = from[i + 10]!;
    const m = from[i + 11]!;
    to[o] = a;
    to[o + 1] = b;
    to[o + 2] = c;
    to[o + 4] = d;
    to[o + 5] = e;
    to[o + 6] = f;
    to[o + 8] = g;
    to[o + 9] = h;
    to[o + 10] = j;
    to[o + 12] = k;
    to[o + 13] = l;
    to[o + 14] = m;
    sum += a + b + (c + d) + (e + f);
    other += g + h + (j + k) + (l + m);
  }
  for (; i < from.length; i += 3, o += 4) {
    for (let c = 0; c < 3; c++) sum += to[o + c] = from[i + c]!;
  }
  return Number.isFinite(sum + other);
}

/** The dense NHWC values of a tensor read back from the GPU. */
export function unpack(stored: ArrayBuffer, { shape, precision, dense }: Placement): Float32Array {
  const all = fromStored(stored, precision);
  const channels = shape[3];
  const pitch = 4 * Math.ceil(channels / 4);
  if (dense || pitch === channels) return precision === 'float32' ? all.slice() : all;
  const out = new Float32Array(sizeOf(shape));
  for (let from = 0, to = 0; to < out.length; from += pitch, to += channels) {
    for (let c = 0; c < channels; c++) out[to + c] = all[from + c]!;
  }
  return out;
}

/** The bytes to upload for staged float32 values. */
export const storedBits = (staging: Float32Array, precision: Precision): Float32Array | Uint16Array | Int8Array =>
  isHalf(precision) ? toFloat16(staging) : precision === 'int8' ? Int8Array.from(staging) : staging;

const fromStored = (stored: ArrayBuffer, precision: Precision): Float32Array =>
  isHalf(precision)
    ? fromFloat16(new Uint16Array(stored))
    : precision === 'int8'
      ? Float32Array.from(new Int8Array(stored))
      : new Float32Array(stored);

function fromFloat16(bits: Uint16Array): Float32Array {
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = float16Value(bits[i]!);
  return out;
}

/** An input of a run: its name and what it must be. */
interface ExpectedInput {
  readonly name: string;
  readonly shape: Placement['shape'];
}

/** The values for each input, checked for names, presence and length. One input may be given without its name. */
export function matchInputs(
  inputs: Float32Array | Readonly<Record<string, Float32Array>>,
  expected: readonly ExpectedInput[],
): Float32Array[] {
  const names = expected.map(({ name }) => name);
  const single = inputs instanceof Float32Array;
  if (single && names.length > 1) {
    throw new UsageError(`the model has ${names.length} inputs (${names.join(', ')}): name them`);
  }
  const unknown = single ? undefined : Object.keys(inputs).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UsageError(`there is no input "${unknown}": ${names.join(', ')}`);
  return expected.map(({ name, shape }) => {
    const values = single ? inputs : inputs[name];
    if (!(values instanceof Float32Array)) throw new UsageError(`input "${name}" is missing: expected a Float32Array`);
    if (values.length !== sizeOf(shape)) {
      throw new UsageError(`input "${name}" has ${values.length} values, expected ${sizeOf(shape)} for [${shape}]`);
    }
    return values;
  });
}

/** As `matchInputs`, and checked for numbers (`infiniteInput`). */
export function checkInputs(
  inputs: Float32Array | Readonly<Record<string, Float32Array>>,
  expected: readonly ExpectedInput[],
): Float32Array[] {
  const found = matchInputs(inputs, expected);
  found.forEach((values, i) => {
    if (!allFinite(values)) throw infiniteInput(expected[i]!, values);
  });
  return found;
}

/** What an input with other values is refused by: WGSL may take it that none is, and what comes of one may look like an answer. */
export function infiniteInput({ name, shape }: ExpectedInput, values: Float32Array): UsageError {
  const at = values.findIndex((value) => !Number.isFinite(value));
  return new UsageError(`input "${name}" is ${values[at]} at ${at} of [${shape}], expected finite numbers`);
}
