/**
 * The public API in Node: WebGPU by Dawn, from the optional package "webgpu", and files by their paths. A process that
 * opened WebGPU ends by `process.exit`: Dawn keeps it alive otherwise.
 */
import { fileURLToPath } from 'node:url';
import { isCatalogueId } from '../catalogue/id.ts';
import type { CpuEngine } from '../cpu/engine.ts';
import { DeviceError, UsageError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import {
  isArchitectureId,
  type LoadOptions,
  load as loadAnywhere,
  type Model,
  type ModelSource,
  readGraph as readGraphAnywhere,
} from '../index.ts';
import { loadGraph } from '../loaders/index.ts';
import { resolveChoice } from '../options.ts';
import { modelFilesAt } from './files.ts';
import { openNodeGpu } from './gpu.ts';
import { nodeLiteRt } from './litert.ts';

export * from '../index.ts';
export { type NodeGpu, openNodeGpu } from './gpu.ts';
export { fileTuningCache } from './tuning-cache.ts';

/**
 * `load` of a page, where a string may also be the path of a file, as may a `file:` address: shards, external data,
 * config.json and metadata.json are read beside it. Without `gpu` or `gpuDevice`, Dawn is opened; `cpu` is the package
 * @litertjs/core unless given, where it is installed. `deviceReason` says why the GPU or the CPU runs where `device` is
 * `auto`. Throws as `load` does.
 */
export async function load(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  const path = pathOf(source);
  const graph = path === null ? source : await readGraph(path, options);
  const { outputs, inputShapes, ...rest } = options;
  const remaining = path === null ? options : rest;
  const { device, gpu, gpuDevice, cpu } = options;
  const engine = typeof cpu === 'object' && 'open' in cpu ? (cpu as CpuEngine) : cpu !== false && nodeLiteRt(cpu);
  const completed = { ...remaining, cpu: engine || false } as const;
  if (device === 'reference' || device === 'wasm' || gpu || gpuDevice) return loadAnywhere(graph, completed);
  return loadAnywhere(graph, { ...completed, gpu: await dawn() });
}

/** The graph of any source of `load`, as loaded. */
export async function readGraph(source: ModelSource, options: LoadOptions = {}): Promise<Graph> {
  const path = pathOf(source);
  if (path === null) return readGraphAnywhere(source, options);
  const { signal, onProgress } = options;
  if (options.integrity) throw new UsageError(`the option "integrity" is for addresses; ${path} is a path`);
  signal?.throwIfAborted();
  const files = await modelFilesAt(path);
  const { length } = files.bytes;
  onProgress?.({ stage: 'fetch', done: length, total: length });
  onProgress?.({ stage: 'parse', done: 0, total: 1 });
  return loadGraph(files, { ...options, quantisation: resolveChoice(options).integers !== 'never' });
}

/** The path that a source is, null where it is something else. */
function pathOf(source: ModelSource): string | null {
  if (typeof source !== 'string' && !(source instanceof URL)) return null;
  const text = String(source);
  if (text.startsWith('file:')) return fileURLToPath(text);
  // A drive letter is no scheme.
  if (source instanceof URL || isArchitectureId(source) || isCatalogueId(source) || /^[a-z][a-z\d+.-]+:/i.test(source))
    return null;
  if (source === '') throw new UsageError('the source is "", expected a path, an address or an architecture id');
  return source;
}

/** WebGPU by Dawn; where there is none, one whose adapter cannot be had, which says why. */
async function dawn(): Promise<GPU> {
  const { gpu, reason } = await openNodeGpu();
  return gpu ?? ({ requestAdapter: () => Promise.reject(new DeviceError(reason)) } as unknown as GPU);
}
