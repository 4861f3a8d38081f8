import type { FileEnd } from '../src/cpu/file-ends.ts';
import { roundHalfEven } from '../src/passes/integer-arithmetic.ts';
import type { Values } from './engines/engine.ts';

/** Real numbers as a file's input holds them. */
export function storedAs(values: Float32Array, { type, scale, zeroPoint }: FileEnd): Values {
  if (type === 'FLOAT32') return values;
  const [least, most] = type === 'UINT8' ? [0, 255] : [-128, 127];
  const stored = values.map((value) => Math.min(Math.max(roundHalfEven(value / scale) + zeroPoint, least), most));
  return type === 'UINT8' ? Uint8Array.from(stored) : Int8Array.from(stored);
}

/** And back. */
export function realOf(values: Values, { type, scale, zeroPoint }: FileEnd): Float32Array {
  return type === 'FLOAT32'
    ? (values as Float32Array)
    : Float32Array.from(values, (stored) => (stored - zeroPoint) * scale);
}
