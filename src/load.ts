import { isArchitectureId } from './architectures/id.ts';
import { isCatalogueId } from './catalogue/id.ts';
import type { CatalogueEntry } from './catalogue/index.ts';
import { type AdapterDescription, type Gpu, openGpu } from './device/gpu.ts';
import type { DeviceChoice } from './device-choice.ts';
import { DeviceError, UsageError } from './errors.ts';
import type { ArrivingWeights } from './graph/arriving.ts';
import type { Graph } from './graph/graph.ts';
import type { Inspection, InspectOptions } from './inspect.ts';
import { graphFor, onIntegers } from './integers.ts';
import type { LoadOptions, ModelSource, WorkerLoadOptions } from './load-options.ts';
import type { Request } from './loaders/fetching-options.ts';
import { takeFile } from './loaders/own-file.ts';
import type { Fetched, OpenedSource } from './loaders/streaming.ts';
import { Model } from './model.ts';
import { arithmeticOf, type ResolvedChoice, resolveChoice, storageOf } from './options.ts';
import { passesFor } from './planner/prepare.ts';
import type { warmUp as WarmUp } from './tuning/warm-up.ts';
import type { WorkerModel } from './worker-model.ts';

/**
 * Loads a model and prepares it to run. Throws `ModelFormatError`, `UnsupportedOpError`, `GraphError`, `DeviceError`,
 * `OutOfMemoryError`, `ShaderError`, `UsageError`, or the signal's reason. With `worker` the model is in a worker, and is used
 * in the same way.
 */
export function load(source: ModelSource, options: WorkerLoadOptions): Promise<WorkerModel>;
export function load(source: ModelSource, options?: LoadOptions): Promise<Model>;
export async function load(
  source: ModelSource,
  options: LoadOptions & Partial<WorkerLoadOptions> = {},
): Promise<Model | WorkerModel> {
  const { signal, onProgress, worker } = options;
  if (worker) {
    return (await import('./worker-client.ts')).loadInWorker(source, { ...options, worker });
  }
  const choice = resolveChoice(options);
  const { precision, plan } = choice;
  signal?.throwIfAborted();
  const opening = choice.device === 'reference' ? null : openDevice(choice, options);
  // A device that cannot be had ends the reading of the file.
  const failed = new AbortController();
  opening?.catch((error) => failed.abort(error));
  const reading = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  let arriving: ArrivingWeights | null = null;
  try {
    const opened = await openGraph(source, { ...options, signal: reading });
    arriving = opened.arriving;
    const { graph: loaded } = opened;
    const rounds = choice.weights === 'int8';
    // With rounded weights it is another network than the file's.
    const file = rounds ? null : takeFile(loaded);
    if (rounds) await arriving?.all;
    // Fetched meanwhile. What goes wrong here goes wrong again where they are used.
    passesFor(loaded).catch(() => {});
    const { gpu, reason, warm, cpu } = (await opening) ?? noDevice('the reference was asked for');
    cpu?.of(loaded, file);
    const network = await networkOf(loaded, options, choice, cpu !== null && gpu === null);
    const model = await Model.create(network, gpu, reason, {
      plan,
      precision: gpu ? storageOf(precision, gpu.adapter.features) : 'float32',
      ...arithmeticOf(precision),
      tuning: options.tuning,
      selfCheck: options.selfCheck ?? 'once',
      tuningCache: options.tuningCache,
      signal,
      onCompiled: (done, total) => onProgress?.({ stage: 'compile', done, total }),
      arriving,
      cpu,
      again: options.keepWeights === false && {
        source,
        options,
        read: async (from, given) => networkOf(await readGraph(from, given), given, choice, false),
      },
    });
    if (choice.device === 'auto' && model.device === 'reference') {
      (await import('./device-choice.ts')).warnOfReference(model.deviceReason);
    }
    await warm;
    if (signal?.aborted) model.dispose();
    signal?.throwIfAborted();
    return model;
  } catch (error) {
    arriving?.cancel(error);
    opening?.then(({ gpu }) => gpu?.dispose()).catch(() => {});
    throw error;
  }
}

/** What runs of what was loaded. */
async function networkOf(opened: Graph, options: LoadOptions, choice: ResolvedChoice, engine: boolean): Promise<Graph> {
  const { labels } = options;
  const loaded = labels ? (await import('./loaders/sidecars/labels.ts')).withLabels(opened, labels) : opened;
  const graph = await graphFor(loaded, integersOf(options, choice, engine && !onIntegers(loaded)));
  const network = options.embedding ? (await import('./passes/embedding.ts')).withEmbedding(graph) : graph;
  if (choice.weights === 'auto') return network;
  return (await import('./passes/byte-weights.ts')).withByteWeights(network, choice);
}

/**
 * Embeddings are real numbers that a network on integers does not have. `engine`: on an engine for the CPU alone, of a file that has
 * the real numbers.
 */
function integersOf(
  { embedding }: LoadOptions,
  { integers }: ResolvedChoice,
  engine: boolean,
): ResolvedChoice['integers'] {
  if (!embedding || integers === 'never') return engine && integers === 'where-covered' ? 'never' : integers;
  if (integers === 'where-covered') return 'never';
  throw new UsageError('the option "embedding" is for real numbers: use precision "float32" or "auto" with it');
}

interface OpenedDevice {
  readonly gpu: Gpu | null;
  /** Why there is none. */
  readonly reason: string;
  /** The end of `warmUp`. */
  readonly warm: Promise<void> | null;
  /** Whether the CPU runs in its place; null where it cannot. */
  readonly cpu: DeviceChoice | null;
}

const noDevice = (reason: string, cpu: DeviceChoice | null = null): OpenedDevice => ({
  gpu: null,
  reason,
  warm: null,
  cpu,
});

/** What goes wrong goes wrong again where it is reported. */
const warmUp = (...of: Parameters<typeof WarmUp>): Promise<void> =>
  import('./tuning/warm-up.ts').then((module) => module.warmUp(...of)).catch(() => {});

async function openDevice(
  { device, precision, plan, weights }: ResolvedChoice,
  { gpu: webgpu, gpuDevice, powerPreference, cpu: stated, tuningCache, keepWeights }: LoadOptions,
): Promise<OpenedDevice> {
  const choose = async (adapter: AdapterDescription | null) => {
    // An engine would keep the weights.
    if (device === 'webgpu' || (!stated && device !== 'wasm') || (adapter && keepWeights === false)) return null;
    const { DeviceChoice } = await import('./device-choice.ts');
    return DeviceChoice.create(stated ?? false, device === 'wasm', adapter, tuningCache);
  };
  if (device === 'wasm') return noDevice('the CPU engine was asked for', await choose(null));
  let gpu: Gpu | null = null;
  try {
    gpu = await openGpu({ gpu: webgpu, device: gpuDevice, powerPreference });
    const cpu = await choose(gpu.adapter);
    const storage = storageOf(precision, gpu.adapter.features);
    // Those that warm up compute in float32, with weights as such.
    const warms =
      plan !== 'fused' && weights === 'auto' && precision !== 'float16' && !cpu?.mayPreferCpu && gpu.adapter.software;
    return { gpu, reason: '', warm: warms ? warmUp(gpu, storage) : null, cpu };
  } catch (error) {
    gpu?.dispose();
    if (device === 'auto' && error instanceof DeviceError) return noDevice(error.message, await choose(null));
    throw error;
  }
}

/**
 * The graph of any source, as loaded: on real numbers, with how a quantised file holds it unless `precision` or `plan` rules integers
 * out. Throws as `load` does.
 */
export async function readGraph(source: ModelSource, options: LoadOptions = {}): Promise<Graph> {
  const { graph, arriving } = await openGraph(source, options);
  await arriving?.all;
  return graph;
}

async function openGraph(source: ModelSource, given: LoadOptions): Promise<OpenedSource> {
  const options = { ...given, quantisation: resolveChoice(given).integers !== 'never' };
  const { name = 'model', outputs, inputShapes } = options;
  const named = typeof source === 'string' && isArchitectureId(source);
  if (named || isGraph(source)) {
    const graph = named ? (await import('./architectures/index.ts')).buildArchitecture(source) : (source as Graph);
    const option = outputs ? 'outputs' : inputShapes && 'inputShapes';
    if (option) throw new UsageError(`the option "${option}" is for a file's network; ${graph.name} is no file`);
    return { graph, arriving: null };
  }
  if (typeof source === 'string' && isCatalogueId(source)) {
    const { catalogueEntry, described } = await import('./catalogue/index.ts');
    const entry = catalogueEntry(source);
    if (entry) {
      const opened = await openGraph(new URL(entry.url), { ...options, integrity: options.integrity ?? entry.sha256 });
      return { ...opened, graph: await described(opened.graph, entry) };
    }
  }
  if (options.integrity && typeof source === 'object' && !(source instanceof URL)) {
    throw new UsageError('the option "integrity" is for addresses');
  }
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) {
    const bytes = source instanceof ArrayBuffer ? new Uint8Array(source) : source;
    options.onProgress?.({ stage: 'parse', done: 0, total: 1 });
    const { loadGraph } = await import('./loaders/index.ts');
    return { graph: await loadGraph({ name, bytes }, options), arriving: null };
  }
  const streamed = typeof source === 'string' || source instanceof URL ? fetched(source, options) : source;
  return (await import('./loaders/streaming.ts')).openStreamed(streamed, options);
}

const isGraph = (source: ModelSource): source is Graph =>
  typeof source === 'object' && 'nodes' in source && 'inputs' in source && 'outputs' in source;

/** Asks for the file before the module that reads the answer is there. */
function fetched(source: string | URL, options: LoadOptions): Fetched {
  const url = addressOf(source);
  const { signal } = options;
  let request: Request = (at, signal) => fetch(at, signal ? { signal } : {});
  if (options.fetch || options.cache || options.integrity) {
    const making = import('./loaders/fetching.ts').then(({ requester }) => requester(options));
    request = async (at, signal) => (await making)(at, signal);
  }
  const response = request(url, signal);
  response.catch(() => {});
  return { url, response, request };
}

function addressOf(source: string | URL): URL {
  try {
    return new URL(source, globalThis.location?.href);
  } catch {
    throw new UsageError(`"${source}" is no address and no architecture id such as v2-1.0-224; pass a file's bytes`);
  }
}

/** Whether the file of an address is kept in the browser's Cache Storage, whole, by the option `cache` of `load`. */
export async function isCached(source: string | URL): Promise<boolean> {
  return (await import('./loaders/fetching.ts')).isKept(addressOf(source));
}

/** Removes what `load` keeps in the browser's Cache Storage: the file of an address, or all. */
export async function clearCache(source?: string | URL): Promise<void> {
  await (await import('./loaders/fetching.ts')).removeKept(source ? addressOf(source) : undefined);
}

/** The models that `load` knows by name. */
export async function catalogue(): Promise<readonly CatalogueEntry[]> {
  return (await import('./catalogue/index.ts')).catalogue;
}

/** Costs, plan and memory in numbers, with the kernels that run on every device. Throws `UsageError` for a precision that no plan has. */
export async function inspect(graph: Graph, options?: InspectOptions): Promise<Inspection> {
  return (await import('./inspect.ts')).inspect(graph, options);
}
