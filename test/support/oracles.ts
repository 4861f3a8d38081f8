/** Independent runtimes that say what a model file means: ONNX Runtime and TensorFlow.js, both WebAssembly, in Node. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type * as Converter from '@tensorflow/tfjs-converter';
import type * as Tf from '@tensorflow/tfjs-core';
import type * as Ort from 'onnxruntime-web';
import { float16Value } from '../../src/graph/float16.ts';
import { float16Bits } from './onnx-writer.ts';

export { randomValues } from './random-values.ts';

export interface OracleTensor {
  /** In the file's own order of dimensions. */
  readonly dims: readonly number[];
  readonly data: Float32Array;
  /** How the model takes it; float32 unless given. */
  readonly type?: 'float16' | 'uint8';
}

let ort: Promise<typeof Ort> | undefined;

async function onnxRuntime(): Promise<typeof Ort> {
  ort ??= import('onnxruntime-web').then((module) => {
    module.env.wasm.numThreads = 1;
    module.env.logLevel = 'error';
    return module;
  });
  return ort;
}

/** Every output of an ONNX model, by name. */
export async function onnxRuntimeOutputs(
  bytes: Uint8Array,
  feeds: Readonly<Record<string, OracleTensor>>,
): Promise<Record<string, OracleTensor>> {
  const { InferenceSession, Tensor } = await onnxRuntime();
  // The session may take the buffer over.
  const session = await InferenceSession.create(new Uint8Array(bytes), {
    executionProviders: ['wasm'],
    logSeverityLevel: 3,
  });
  try {
    const tensorOf = ({ dims, data, type }: OracleTensor) => {
      if (type === 'float16') return new Tensor(type, Uint16Array.from(data, float16Bits), dims);
      if (type === 'uint8') return new Tensor(type, Uint8Array.from(data), dims);
      return new Tensor('float32', data, dims);
    };
    const inputs = Object.entries(feeds).map(([name, feed]) => [name, tensorOf(feed)]);
    const results = await session.run(Object.fromEntries(inputs));
    return Object.fromEntries(
      Object.entries(results).map(([name, { dims, data, type }]) => [
        name,
        { dims, data: Float32Array.from(data as Float32Array, type === 'float16' ? float16Value : Number) },
      ]),
    );
  } finally {
    await session.release();
  }
}

let tensorflow: Promise<{ tf: typeof Tf; converter: typeof Converter }> | undefined;

async function tensorflowJs(): Promise<{ tf: typeof Tf; converter: typeof Converter }> {
  tensorflow ??= (async () => {
    const tf = await import('@tensorflow/tfjs-core');
    const converter = await import('@tensorflow/tfjs-converter');
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    const require = createRequire(import.meta.url);
    setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
    await import('@tensorflow/tfjs-backend-cpu');
    // Without this it advises at length to install its native backend.
    tf.enableProdMode();
    return { tf, converter };
  })();
  return tensorflow;
}

/**
 * Outputs of a TensorFlow.js graph model, by name. `model` is the parsed model.json, `weights` its shards joined.
 * `backend`: `wasm` for whole models; `cpu` knows more operations.
 */
export async function tensorflowOutputs(
  model: { modelTopology: object; weightsManifest: { weights: object[] }[]; signature?: object },
  weights: Uint8Array,
  feeds: Readonly<Record<string, OracleTensor & { readonly dtype?: 'float32' | 'int32' }>>,
  outputs: readonly string[],
  backend: 'wasm' | 'cpu' = 'wasm',
): Promise<Record<string, OracleTensor>> {
  const { tf, converter } = await tensorflowJs();
  await tf.setBackend(backend);
  const loaded = await converter.loadGraphModel({
    load: async () => ({
      format: 'graph-model',
      modelTopology: model.modelTopology,
      weightSpecs: model.weightsManifest.flatMap((group) => group.weights) as Tf.io.WeightsManifestEntry[],
      weightData: new Uint8Array(weights).buffer,
      ...(model.signature ? { signature: model.signature } : {}),
    }),
  });
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, { dims, data, dtype = 'float32' }]) => [
      name,
      tf.tensor(dtype === 'int32' ? Int32Array.from(data) : data, [...dims], dtype),
    ]),
  );
  const results = [loaded.execute(inputs, [...outputs])].flat();
  const found = outputs.map((name, i): [string, OracleTensor] => {
    const tensor = results[i]!;
    return [name, { dims: tensor.shape, data: Float32Array.from(tensor.dataSync()) }];
  });
  for (const tensor of [...results, ...Object.values(inputs)]) tensor.dispose();
  loaded.dispose();
  return Object.fromEntries(found);
}

/** Data of `[n, h, w, c]` (row-major) as `[n, c, h, w]`. */
export function toNchw([n, h, w, c]: readonly number[], data: Float32Array): Float32Array {
  const result = new Float32Array(data.length);
  let from = 0;
  for (let b = 0; b < n!; b++) {
    for (let y = 0; y < h!; y++) {
      for (let x = 0; x < w!; x++) {
        for (let k = 0; k < c!; k++) result[((b * c! + k) * h! + y) * w! + x] = data[from++]!;
      }
    }
  }
  return result;
}

/** Data of `[n, c, h, w]` as `[n, h, w, c]`. */
export const toNhwc = ([n, c, h, w]: readonly number[], data: Float32Array): Float32Array =>
  toNchw([n!, w!, c!, h!], toNchw([n!, c!, h!, w!], data));

/** Σ(a − b)² / Σb²: 0 for equal, 1 for no relation. */
export function normalisedMeanSquareError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) throw new Error(`${found.length} values, expected ${expected.length}`);
  let [error, energy] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    error += (found[i]! - expected[i]!) ** 2;
    energy += expected[i]! ** 2;
  }
  return error === 0 ? 0 : error / energy;
}
