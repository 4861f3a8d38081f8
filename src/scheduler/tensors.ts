/** Moves tensors between the caller's dense NHWC and the GPU's layout of channels in fours. */
import { UsageError } from '../errors.ts';
import { allFinite } from '../graph/finite.ts';
import { float16Value } from '../graph/float16.ts';
import { sizeOf } from '../graph/shapes.ts';
import { toFloat16 } from '../kernels/pack.ts';
import { isHalf, type Placement, type Precision } from '../planner/plan.ts';

/** Writes `values` (dense NHWC) into `staging` (stored layout), padding lanes left as they are. */
export function pack(values: Float32Array, placement: Placement, staging: Float32Array): void {
  const channels = placement.shape[3];
  const pitch = 4 * Math.ceil(channels / 4);
  if (pitch === channels) {
    staging.set(values);
    return;
  }
  // As bits: float32 would pass through float64 on the way.
  const from32 = new Int32Array(values.buffer, values.byteOffset, values.length);
  const to32 = new Int32Array(staging.buffer, staging.byteOffset, staging.length);
  if (channels === 3) {
    packThree(from32, to32);
    return;
  }
  for (let from = 0, to = 0; from < from32.length; from += channels, to += pitch) {
    for (let c = 0; c < channels; c++) to32[to + c] = from32[from + c]!;
  }
}

/** Written out for pictures: an inner loop takes twice as long. */
function packThree(from32: Int32Array, to32: Int32Array): void {
  const end = from32.length - 11;
  let from = 0;
  let to = 0;
  for (; from < end; from += 12, to += 16) {
    to32[to] = from32[from]!;
    to32[to + 1] = from32[from + 1]!;
    to32[to + 2] = from32[from + 2]!;
    to32[to + 4] = from32[from + 3]!;
    to32[to + 5] = from32[from + 4]!;
    to32[to + 6] = from32[from + 5]!;
    to32[to + 8] = from32[from + 6]!;
    to32[to + 9] = from32[from + 7]!;
    to32[to + 10] = from32[from + 8]!;
    to32[to + 12] = from32[from + 9]!;
    to32[to + 13] = from32[from + 10]!;
    to32[to + 14] = from32[from + 11]!;
  }
  for (; from < from32.length; from += 3, to += 4) {
    to32[to] = from32[from]!;
    to32[to + 1] = from32[from + 1]!;
    to32[to + 2] = from32[from + 2]!;
  }
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

/**
 * The values for each input, checked for names, presence, length, and numbers: WGSL may take it that none is NaN or infinite, and
 * what comes of one may look like an answer. One input may be given without its name.
 */
export function checkInputs(
  inputs: Float32Array | Readonly<Record<string, Float32Array>>,
  expected: readonly { readonly name: string; readonly shape: Placement['shape'] }[],
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
    if (!allFinite(values)) {
      const at = values.findIndex((value) => !Number.isFinite(value));
      throw new UsageError(`input "${name}" is ${values[at]} at ${at} of [${shape}], expected finite numbers`);
    }
    return values;
  });
}
