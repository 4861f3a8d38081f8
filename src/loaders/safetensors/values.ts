import { ModelFormatError } from '../../errors.ts';
import { float32View, fromFloat16 } from '../core/weights.ts';
import type { StoredTensor } from './container.ts';

/**
 * A tensor's values as float32: a view of the file where it holds such, aligned. Throws `ModelFormatError` where it is of
 * a type that weights do not have, or holds a value that is not finite.
 */
export function floatsOf(file: string, name: string, { dtype, bytes }: StoredTensor): Float32Array {
  const values = decode(bytes, dtype);
  if (!values) throw new ModelFormatError(file, `tensor "${name}" is ${dtype}, expected F32, F16 or BF16`);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return values;
  throw new ModelFormatError(file, `tensor "${name}" holds ${values[bad]} at ${bad}, expected finite numbers`);
}

function decode(bytes: Uint8Array, dtype: string): Float32Array | null {
  if (dtype === 'F16') return fromFloat16(bytes);
  if (dtype === 'BF16') {
    const bits = new Uint32Array(bytes.length >> 1);
    for (let i = 0; i < bits.length; i++) bits[i] = (bytes[2 * i]! << 16) | (bytes[2 * i + 1]! << 24);
    return new Float32Array(bits.buffer);
  }
  return dtype === 'F32' ? float32View(bytes) : null;
}
