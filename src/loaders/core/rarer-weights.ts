import { outputsLast } from './weights.ts';

/** `[taps][outputs][inputs]` → `[taps][inputs][outputs]`, of transposed convolutions of TensorFlow. */
export function tapsOutputsLast(values: Float32Array, taps: number, outputs: number, inputs: number): Float32Array {
  const result = new Float32Array(values.length);
  const size = outputs * inputs;
  for (let tap = 0; tap < taps; tap++) {
    result.set(outputsLast(values.subarray(tap * size, (tap + 1) * size), outputs, inputs), tap * size);
  }
  return result;
}
