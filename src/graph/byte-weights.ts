/*
 * Weights as bytes: of each output, whole multiples, from −127 to 127, of a scale. A scale has 17 significant bits and a
 * multiple 7, so that every product is a float32: what a graph holds is, to the last bit, what a GPU reads of its bytes, and
 * bytes and scales are found again in it.
 */
import type { Conv2d, FullyConnected, Node } from './ops.ts';

/** A layer whose weights may be bytes. */
export type ByteLayer = Conv2d | FullyConnected;

/** Those with a sum over many channels; of a depthwise convolution's few weights a byte would save little and round much. */
export const mayBeBytes = (node: Node): node is ByteLayer =>
  (node.op === 'conv2d' && node.groups === 1) || node.op === 'fully-connected';

const outputsOf = (node: ByteLayer): number => (node.op === 'conv2d' ? node.outChannels : node.outFeatures);

/** Weights of an output that are all smaller than this are zero: their scale, or its products, might be flushed. */
const SMALLEST = 2 ** -100;

/** Bits of a float32's fraction that a scale does not have. */
const SPARE = 0x7f;

export interface ByteWeights {
  /** In the order of the weights. */
  readonly values: Int8Array<ArrayBuffer>;
  /** Of each output: zero, or the largest magnitude of its weights / 127, rounded up. */
  readonly scales: Float32Array<ArrayBuffer>;
}

/** Of weights `[rows][outputs]`, each at most half a scale off. Exact where they are `floatsOf` such. */
export function byteWeights(weights: Float32Array, outputs: number): ByteWeights {
  const scales = new Float32Array(outputs);
  for (let i = 0; i < weights.length; i++) {
    const o = i % outputs;
    scales[o] = Math.max(scales[o]!, Math.abs(weights[i]!));
  }
  for (let o = 0; o < outputs; o++) scales[o] = scales[o]! < SMALLEST ? 0 : scales[o]! / 127;
  const bits = new Uint32Array(scales.buffer);
  for (let o = 0; o < outputs; o++) bits[o] = (bits[o]! + SPARE) & ~SPARE;
  const values = new Int8Array(weights.length);
  for (let i = 0; i < weights.length; i++) {
    const scale = scales[i % outputs]!;
    values[i] = scale === 0 ? 0 : Math.round(weights[i]! / scale);
  }
  return { values, scales };
}

/** What the weights of a layer are as bytes. */
export const bytesOf = (node: ByteLayer): ByteWeights => byteWeights(node.weights, outputsOf(node));

export function floatsOf({ values, scales }: ByteWeights): Float32Array<ArrayBuffer> {
  const weights = new Float32Array(values.length);
  for (let i = 0; i < weights.length; i++) weights[i] = values[i]! * scales[i % scales.length]!;
  return weights;
}

/** Why such bytes and scales are none that `byteWeights` gives; null where they are. */
export function whyNoBytes({ values, scales }: ByteWeights): string | null {
  const bits = new Uint32Array(scales.buffer, scales.byteOffset, scales.length);
  const largest = new Uint8Array(scales.length);
  for (let i = 0; i < values.length; i++) {
    const o = i % scales.length;
    largest[o] = Math.max(largest[o]!, Math.abs(values[i]!));
  }
  for (const [o, scale] of scales.entries()) {
    if (!(scale >= 0 && Number.isFinite(Math.fround(scale * 127)))) return `has the scale ${scale} of output ${o}`;
    if (largest[o] !== (scale === 0 ? 0 : 127)) {
      return `has bytes up to ${largest[o]} of output ${o}, expected ${scale === 0 ? 0 : 127} beside the scale ${scale}`;
    }
    if (scale !== 0 && (scale * 127 < SMALLEST || (bits[o]! & SPARE) !== 0)) {
      return `has the scale ${scale} of output ${o}, expected 17 significant bits`;
    }
  }
  return null;
}
