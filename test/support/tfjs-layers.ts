/** TensorFlow.js's layers API: builds models, saves them to files in memory, and predicts. */
import type * as Tf from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';
import type { ModelFiles } from '../../src/loaders/index.ts';
import { type OracleTensor, randomValues } from './oracles.ts';

type Model = Layers.LayersModel;

export interface SavedModel {
  /** As tf.model.save writes them. */
  readonly topology: Record<string, unknown>;
  readonly specifications: readonly object[];
  readonly weights: Uint8Array;
}

let libraries: Promise<{ tf: typeof Tf; layers: typeof Layers }> | undefined;

export async function tensorflowLayers(): Promise<{ tf: typeof Tf; layers: typeof Layers }> {
  libraries ??= (async () => {
    const tf = await import('@tensorflow/tfjs-core');
    await import('@tensorflow/tfjs-backend-cpu');
    tf.enableProdMode();
    await tf.setBackend('cpu');
    return { tf, layers: await import('@tensorflow/tfjs-layers') };
  })();
  return libraries;
}

/** Weights of unit gain (He et al. 2015), batch-norm statistics of their own for each channel. */
export function randomiseWeights(tf: typeof Tf, model: Model, seed: number): void {
  model.setWeights(
    model.weights.map(({ name, shape }, i) => {
      const dims = shape as number[];
      const count = dims.reduce((product, d) => product * d, 1);
      const fan = name.includes('depthwise') ? dims[0]! * dims[1]! : count / (dims.at(-1) ?? 1);
      const spread = dims.length > 1 ? Math.sqrt(6 / fan) : 0.5;
      const positive = /variance|gamma/.test(name);
      const values = randomValues(count, seed + i, positive ? 0.5 : -spread, positive ? 1.5 : spread);
      return tf.tensor(values, dims);
    }),
  );
}

export async function saveModel(tf: typeof Tf, model: Model): Promise<SavedModel> {
  let saved: SavedModel | undefined;
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      saved = {
        topology: modelTopology as Record<string, unknown>,
        specifications: weightSpecs!,
        weights: new Uint8Array(weightData as ArrayBuffer),
      };
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  return saved!;
}

/** The files of a folder, by name; `model.json` of `saved` with one shard among them. */
export function modelFolder(saved: SavedModel, more: Readonly<Record<string, object>> = {}, shard = 'weights.bin') {
  const json = {
    format: 'layers-model',
    modelTopology: saved.topology,
    weightsManifest: [{ paths: [shard], weights: saved.specifications }],
  };
  const encode = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  const folder: Record<string, Uint8Array> = { 'model.json': encode(json), [shard]: saved.weights };
  for (const [name, value] of Object.entries(more)) folder[name] = encode(value);
  return folder;
}

export function filesOf(folder: Readonly<Record<string, Uint8Array>>): ModelFiles {
  return {
    name: 'model.json',
    bytes: folder['model.json']!,
    read: async (path) => {
      const bytes = folder[path.replace(/^\.\//, '')];
      if (!bytes) throw new Error(`no file ${path}`);
      return bytes;
    },
  };
}

/** The model's outputs, in its order. */
export function predict(tf: typeof Tf, model: Model, inputs: readonly OracleTensor[]): OracleTensor[] {
  return tf.tidy(() => {
    const tensors = inputs.map(({ dims, data }) => tf.tensor(data, [...dims]));
    const results = [model.predict(tensors.length === 1 ? tensors[0]! : tensors)].flat() as Tf.Tensor[];
    return results.map((tensor) => ({ dims: tensor.shape, data: Float32Array.from(tensor.dataSync()) }));
  });
}
