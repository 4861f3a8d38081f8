/** Moves tensors between the caller's dense NHWC and the GPU's layout of channels in fours. */
import { UsageError } from '../errors.ts';
import { sizeOf } from '../graph/shapes.ts';
import { toFloat16 } from '../kernels/pack.ts';
import type { Placement, Precision } from '../planner/plan.ts';

/** Writes `values` (dense NHWC) into `staging` (stored layout), padding lanes left as they are. */
export function pack(values: Float32Array, placement: Placement, staging: Float32Array): void {
  const channels = placement.shape[3];
  const pitch = 4 * Math.ceil(channels / 4);
  if (pitch === channels) {
    staging.set(values);
    return;
  }
  for (let from = 0, to = 0; from < values.length; from += channels, to += pitch) {
    for (let c = 0; c < channels; c++) staging[to + c] = values[from + c]!;
  }
}

/** The dense NHWC values of a tensor read back from the GPU. */
export function unpack(stored: ArrayBuffer, placement: Placement, precision: Precision): Float32Array {
  const all = precision === 'float32' ? new Float32Array(stored) : fromFloat16(new Uint16Array(stored));
  const channels = placement.shape[3];
  const pitch = 4 * Math.ceil(channels / 4);
  if (pitch === channels) return precision === 'float32' ? all.slice() : all;
  const out = new Float32Array(sizeOf(placement.shape));
  for (let from = 0, to = 0; to < out.length; from += pitch, to += channels) {
    for (let c = 0; c < channels; c++) out[to + c] = all[from + c]!;
  }
  return out;
}

/** The bytes to upload for staged float32 values. */
export const storedBits = (staging: Float32Array, precision: Precision): Float32Array | Uint16Array =>
  precision === 'float32' ? staging : toFloat16(staging);

function fromFloat16(bits: Uint16Array): Float32Array {
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const sign = bits[i]! & 0x8000 ? -1 : 1;
    const exponent = (bits[i]! >> 10) & 31;
    const mantissa = bits[i]! & 1023;
    if (exponent === 31) out[i] = mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    else out[i] = exponent ? sign * 2 ** (exponent - 25) * (mantissa + 1024) : sign * 2 ** -24 * mantissa;
  }
  return out;
}

/** The values for each input, checked for presence and length. One input may be given without its name. */
export function checkInputs(
  inputs: Float32Array | Readonly<Record<string, Float32Array>>,
  expected: readonly { readonly name: string; readonly shape: Placement['shape'] }[],
): Float32Array[] {
  if (inputs instanceof Float32Array && expected.length > 1) {
    throw new UsageError(
      `the model has ${expected.length} inputs (${expected.map(({ name }) => name).join(', ')}): name them`,
    );
  }
  return expected.map(({ name, shape }) => {
    const values = inputs instanceof Float32Array ? inputs : inputs[name];
    if (!(values instanceof Float32Array)) throw new UsageError(`input "${name}" is missing: expected a Float32Array`);
    if (values.length !== sizeOf(shape)) {
      throw new UsageError(`input "${name}" has ${values.length} values, expected ${sizeOf(shape)} for [${shape}]`);
    }
    return values;
  });
}
