import { ceilDiv } from './kernel.ts';

/**
 * `[taps][inputs][outputs]` → `[taps][⌈inputs / 4⌉][columns][4]`: for each output column one vec4 over four inputs,
 * zeros past the last input and output. With `padded` there are rows for as many inputs as that; `columnOf` an output,
 * where outputs do not lie in their order.
 */
export function packDot(
  weights: Float32Array,
  taps: number,
  inputs: number,
  outputs: number,
  columns: number,
  padded = inputs,
  columnOf = (output: number) => output,
): Float32Array {
  const inputs4 = ceilDiv(padded, 4);
  const out = new Float32Array(taps * inputs4 * columns * 4);
  const places = Int32Array.from({ length: outputs }, (_, output) => 4 * columnOf(output));
  for (let tap = 0; tap < taps; tap++) {
    for (let i = 0; i < inputs; i++) {
      const from = (tap * inputs + i) * outputs;
      const to = (tap * inputs4 + (i >> 2)) * columns * 4 + (i & 3);
      for (let o = 0; o < outputs; o++) out[to + places[o]!] = weights[from + o]!;
    }
  }
  return out;
}

/** `[rows][channels]` → `[rows][pitch]`, zeros past the last channel; `pitch` is at first the next multiple of 4. */
export function packRows(
  weights: Float32Array,
  rows: number,
  channels: number,
  pitch = 4 * ceilDiv(channels, 4),
): Float32Array {
  if (pitch === channels) return weights;
  const out = new Float32Array(rows * pitch);
  for (let row = 0; row < rows; row++) {
    out.set(weights.subarray(row * channels, (row + 1) * channels), row * pitch);
  }
  return out;
}

/** Rounds to IEEE 754 binary16, ties to even; values past 65504 become infinite. */
export function toFloat16(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) out[i] = float16Bits(bits[i]!);
  return out;
}

function float16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // Past the midpoint between 65504 and 65536.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: multiples of 2^-24.
    const exponent = magnitude >>> 23;
    if (exponent < 102) return sign;
    const mantissa = (magnitude & 0x7fffff) | 0x800000;
    return sign | roundShift(mantissa, 126 - exponent);
  }
  return sign | (roundShift(magnitude, 13) - (112 << 10));
}

/** value / 2^shift, rounded to nearest, ties to even. */
function roundShift(value: number, shift: number): number {
  const half = 1 << (shift - 1);
  const rest = value & ((1 << shift) - 1);
  const whole = value >>> shift;
  return whole + (rest > half || (rest === half && whole & 1) ? 1 : 0);
}
