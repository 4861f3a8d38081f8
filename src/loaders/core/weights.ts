/** Stored weights as the graph holds them. */
import { float16Value } from '../../graph/float16.ts';

/** IEEE 754 binary16, little-endian, → float32. Every value is looked up: models hold millions of them. */
export function fromFloat16(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  float16Values ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => float16Value(bits));
  const result = new Float32Array(bytes.length >> 1);
  for (let i = 0; i < result.length; i++) result[i] = float16Values[bytes[2 * i]! | (bytes[2 * i + 1]! << 8)]!;
  return result;
}

let float16Values: Float32Array | undefined;

/** `[outputs][inputs][taps]` → `[taps][inputs][outputs]`. */
export function outputsLast(values: Float32Array, outputs: number, inputs: number, taps = 1): Float32Array {
  const result = new Float32Array(values.length);
  let from = 0;
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let tap = 0; tap < taps; tap++) result[(tap * inputs + i) * outputs + o] = values[from++]!;
    }
  }
  return result;
}

/** Little-endian float32, as the machines are that WebGPU runs on: a view where the bytes are aligned, else a copy. */
export function float32View(bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2);
}
