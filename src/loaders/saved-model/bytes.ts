/** Weights that a saved model holds as bytes and scales. */
import { floatsOf, whyNoBytes } from '../../graph/byte-weights.ts';
import { float32View } from '../core/weights.ts';
import type { StoredTensor } from '../safetensors/container.ts';

/**
 * Weights of so many outputs that are there once `arrived` was called for each of their two tensors; it calls `fail` where what
 * these hold is none that is ever written.
 */
export function byteTensors(bytes: StoredTensor, scales: StoredTensor, fail: (message: string) => never) {
  const weights = new Float32Array(bytes.bytes.length);
  const missing = new Set([bytes, scales]);
  const arrived = (tensor: StoredTensor) => {
    missing.delete(tensor);
    if (missing.size > 0) return;
    const { buffer, byteOffset, length } = bytes.bytes;
    const stored = {
      values: new Int8Array(buffer as ArrayBuffer, byteOffset, length),
      scales: float32View(scales.bytes) as Float32Array<ArrayBuffer>,
    };
    const reason = whyNoBytes(stored);
    if (reason !== null) fail(reason);
    weights.set(floatsOf(stored));
  };
  return { weights, arrived };
}
