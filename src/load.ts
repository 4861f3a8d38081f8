import { buildArchitecture, isArchitectureId } from './architectures/index.ts';
import { type Gpu, type GpuOptions, openGpu } from './device/gpu.ts';
import { DeviceError, ModelFormatError, UsageError } from './errors.ts';
import type { Graph } from './graph/graph.ts';
import { loadGraph, type ModelFiles } from './loaders/index.ts';
import { Model } from './model.ts';
import type { Precision } from './planner/plan.ts';
import type { PlanKind } from './prepare.ts';
import type { TuningCache } from './tuning/cache.ts';

/**
 * Where a model comes from: an architecture id with random weights (`v2-1.0-224`), an address that is fetched (shards
 * beside it), a file, the files of a folder (model.json and its shards, model.safetensors and config.json), or a graph.
 */
export type ModelSource = string | URL | Blob | ArrayBuffer | Uint8Array | readonly File[] | Graph;

export interface LoadProgress {
  readonly stage: 'fetch' | 'parse' | 'compile';
  readonly done: number;
  readonly total: number;
}

export interface LoadOptions {
  /** Used in messages where the source has no name. */
  readonly name?: string;
  /** `auto` (default): WebGPU where there is an adapter, else the CPU reference. */
  readonly device?: 'auto' | 'webgpu' | 'cpu';
  /** Default `unfused`: measured faster on software adapters; whole blocks in one kernel save memory traffic on others. */
  readonly plan?: PlanKind;
  /**
   * `background` (default): after the first result the model moves to the kernels that are fastest on this adapter
   * (`Model.tune`). `off`: it keeps those that it starts with.
   */
  readonly tuning?: 'background' | 'off';
  /** Where the outcome of tuning is remembered: the browser's IndexedDB unless given; null: nowhere. */
  readonly tuningCache?: TuningCache | null;
  /** How tensors and weights are stored on the GPU; default `float32`. */
  readonly precision?: Precision;
  /** A device of the caller's; it is never destroyed. */
  readonly gpuDevice?: GPUDevice;
  /** Where WebGPU is, `navigator.gpu` unless given. */
  readonly gpu?: GPU;
  /**
   * Cut the network at these tensors, nodes or layers. Default: the file's own outputs; in a TensorFlow.js graph model
   * that decodes its detections by operations which are not run (ArgMax, TopKV2, GatherNd…), what that decoding reads.
   */
  readonly outputs?: readonly string[];
  /**
   * Sizes of a file's inputs by name, in the file's own order of dimensions, where the file leaves them open:
   * `{ x: [1, 3, 48, 192] }`. A dynamic batch is 1 unless given.
   */
  readonly inputShapes?: Readonly<Record<string, readonly number[]>>;
  /** A further output "embedding" of a classifier, the features that its last layer reads, for `Model.embed`. */
  readonly embedding?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
}

const planKinds: readonly PlanKind[] = ['unfused', 'fused'];
const precisions: readonly Precision[] = ['float32', 'float16', 'float16-packed'];

/**
 * Loads a model and prepares it to run. Throws `ModelFormatError`, `UnsupportedOpError`, `GraphError`, `DeviceError`,
 * `OutOfMemoryError`, `ShaderError`, `UsageError`, or the signal's reason.
 */
export async function load(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  const { device = 'auto', plan, precision, signal, onProgress } = options;
  if (!['auto', 'webgpu', 'cpu'].includes(device)) {
    throw new UsageError(`device is "${device}", expected "auto", "webgpu" or "cpu"`);
  }
  if (plan !== undefined && !planKinds.includes(plan)) {
    throw new UsageError(`plan is "${plan}", expected ${planKinds.join(' or ')}`);
  }
  if (precision !== undefined && !precisions.includes(precision)) {
    throw new UsageError(`precision is "${precision}", expected ${precisions.join(', ')}`);
  }
  if (precision !== undefined && precision !== 'float32' && device === 'cpu') {
    throw new UsageError(`precision "${precision}" is for the GPU only`);
  }
  signal?.throwIfAborted();
  const opening = device === 'cpu' ? null : openDevice(device, options);
  // Reported by the await below, also when the file fails first.
  opening?.catch(() => {});
  let graph: Graph;
  try {
    graph = await readGraph(source, options);
    if (options.embedding) graph = (await import('./embedding.ts')).withEmbedding(graph);
  } catch (error) {
    opening?.then(({ gpu }) => gpu?.dispose()).catch(() => {});
    throw error;
  }
  const { gpu, reason } = (await opening) ?? { gpu: null, reason: 'the CPU was asked for' };
  return Model.create(graph, gpu, reason, {
    plan,
    precision,
    tuning: options.tuning,
    tuningCache: options.tuningCache,
    signal,
    onCompiled: (done, total) => onProgress?.({ stage: 'compile', done, total }),
  });
}

async function openDevice(
  device: 'auto' | 'webgpu',
  options: LoadOptions,
): Promise<{ gpu: Gpu | null; reason: string }> {
  const gpuOptions: GpuOptions = {
    ...(options.gpuDevice ? { device: options.gpuDevice } : {}),
    ...(options.gpu ? { gpu: options.gpu } : {}),
  };
  try {
    const gpu = await openGpu(gpuOptions);
    if (options.precision === 'float16' && !gpu.device.features.has('shader-f16')) {
      gpu.dispose();
      throw new UsageError('this adapter has no shader-f16; use precision "float16-packed"');
    }
    return { gpu, reason: '' };
  } catch (error) {
    if (device === 'auto' && error instanceof DeviceError) return { gpu: null, reason: error.message };
    throw error;
  }
}

/** The graph of any source, as loaded. Throws as `load` does. */
export async function readGraph(source: ModelSource, options: LoadOptions = {}): Promise<Graph> {
  const { onProgress, outputs, inputShapes, signal } = options;
  const named = typeof source === 'string' && isArchitectureId(source);
  if (named || isGraph(source)) {
    const graph = named ? buildArchitecture(source) : (source as Graph);
    if (outputs) throw new UsageError(`the option "outputs" cuts a file's network; ${graph.name} is no file`);
    if (inputShapes) throw new UsageError(`the option "inputShapes" sizes a file's inputs; ${graph.name} is no file`);
    return graph;
  }
  onProgress?.({ stage: 'fetch', done: 0, total: 1 });
  const files = await modelFiles(source, options);
  signal?.throwIfAborted();
  onProgress?.({ stage: 'parse', done: 0, total: 1 });
  return loadGraph(files, {
    ...(outputs ? { outputs: [...outputs] } : {}),
    ...(inputShapes ? { inputShapes } : {}),
    ...(signal ? { signal } : {}),
  });
}

const isGraph = (source: ModelSource): source is Graph =>
  typeof source === 'object' && 'nodes' in source && 'inputs' in source && 'outputs' in source;

async function modelFiles(
  source: Exclude<ModelSource, Graph>,
  { name = 'model', signal }: LoadOptions,
): Promise<ModelFiles> {
  if (typeof source === 'string' || source instanceof URL) {
    let base: URL;
    try {
      base = new URL(source, globalThis.location?.href);
    } catch {
      throw new UsageError(`"${source}" is no address and no architecture id such as v2-1.0-224; pass a file's bytes`);
    }
    return {
      name: base.pathname.split('/').pop() || base.href,
      bytes: await fetchBytes(base, signal),
      read: (path) => fetchBytes(new URL(path, base), signal),
    };
  }
  if (source instanceof Uint8Array) return { name, bytes: source };
  if (source instanceof ArrayBuffer) return { name, bytes: new Uint8Array(source) };
  if (source instanceof Blob) {
    return { name: source instanceof File ? source.name : name, bytes: new Uint8Array(await source.arrayBuffer()) };
  }
  const json = source.filter((file) => file.name.endsWith('.json'));
  const main =
    source.length === 1
      ? source[0]
      : (source.find((file) => /\.(onnx|safetensors)$/.test(file.name)) ??
        json.find((file) => file.name === 'model.json') ??
        json.find((file) => file.name !== 'metadata.json'));
  if (!main) {
    const names = source.map((file) => file.name).join(', ') || 'none';
    throw new UsageError(
      `no model among the files (${names}): expected one file, or a model.json, .onnx or .safetensors with its own`,
    );
  }
  return {
    name: main.name,
    bytes: new Uint8Array(await main.arrayBuffer()),
    read: async (path) => {
      const file = source.find((candidate) => candidate.name === path.split('/').pop());
      if (!file) throw new ModelFormatError(main.name, `needs the file "${path}", which was not given with it`);
      return new Uint8Array(await file.arrayBuffer());
    },
  };
}

async function fetchBytes(url: URL, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    const response = await fetch(url, signal ? { signal } : {});
    if (!response.ok)
      throw new ModelFormatError(url.href, `the server answered ${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    if (error instanceof ModelFormatError) throw error;
    signal?.throwIfAborted();
    throw new ModelFormatError(url.href, `could not be fetched: ${(error as Error).message}`, { cause: error });
  }
}
