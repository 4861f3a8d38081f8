/** Models whose bytes come by and by: from an address or a file. */
import { ModelFormatError, UsageError } from './errors.ts';
import type { Graph } from './graph/graph.ts';
import type { Node } from './graph/ops.ts';
import type { LoadOptions, LoadProgress } from './load.ts';
import { ByteStream } from './loaders/byte-stream.ts';
import { isSafetensors, type LoadGraphOptions, loadGraph } from './loaders/index.ts';
import type { ArrivingWeights } from './loaders/saved-model-stream.ts';
import type { Arriving } from './planner/arriving.ts';
import { packConstants } from './planner/create-plan.ts';
import type { ConstantSlot, ConstantUpload, Plan } from './planner/plan.ts';

export interface OpenedSource {
  readonly graph: Graph;
  /** Null where the graph is complete. */
  readonly arriving: Arriving | null;
}

/** An address and the answer of its server, which is under way. */
export interface Fetched {
  readonly url: URL;
  readonly response: Promise<Response>;
}

/** A file, and where those beside it come from. */
interface Source {
  readonly name: string;
  readonly stream: ByteStream;
  readonly read?: (path: string) => Promise<Uint8Array>;
}

/**
 * Opens a fetched model or a file. The graph of a saved model is there with its header, its weights follow; a file of
 * another kind is read whole. Throws as `load` does.
 */
export async function openStreamed(
  source: Fetched | Blob | readonly File[],
  options: LoadOptions,
  graphOptions: LoadGraphOptions,
): Promise<OpenedSource> {
  const { name, stream, read } = await openSource(source, options);
  try {
    const begun = await stream.atLeast(9);
    const parsing = () => options.onProgress?.({ stage: 'parse', done: 0, total: 1 });
    if (isSafetensors(begun)) {
      const { openArriving } = await import('./loaders/saved-model-stream.ts');
      const opened = await openArriving(name, stream, graphOptions);
      if (opened) {
        parsing();
        return { graph: opened.graph, arriving: arrivingOf(opened.weights) };
      }
    }
    const bytes = await stream.atLeast(Number.POSITIVE_INFINITY);
    parsing();
    return { graph: await loadGraph({ name, bytes, ...(read ? { read } : {}) }, graphOptions), arriving: null };
  } catch (error) {
    stream.cancel(error);
    throw error;
  }
}

async function openSource(source: Fetched | Blob | readonly File[], options: LoadOptions): Promise<Source> {
  const { name = 'model', signal, onProgress } = options;
  const progress = progressOf(onProgress);
  if ('url' in source) {
    const { url, response } = source;
    const opened = (at: URL, answer: Promise<Response>) => openResponse(at, answer, signal, progress());
    return {
      name: url.pathname.split('/').pop() || url.href,
      stream: await opened(url, response),
      read: async (path) => {
        const at = new URL(path, url);
        return (await opened(at, fetch(at, signal ? { signal } : {}))).atLeast(Number.POSITIVE_INFINITY);
      },
    };
  }
  const file = source instanceof Blob ? source : mainOf(source);
  const open = (blob: Blob, called: string) =>
    new ByteStream(called, blob.stream(), { length: blob.size, signal, onBytes: progress() });
  const called = file instanceof File ? file.name : name;
  if (file === source) return { name: called, stream: open(file, called) };
  return {
    name: called,
    stream: open(file, called),
    read: async (path) => {
      const beside = (source as readonly File[]).find((candidate) => candidate.name === path.split('/').pop());
      if (!beside) throw new ModelFormatError(called, `needs the file "${path}", which was not given with it`);
      return open(beside, beside.name).atLeast(Number.POSITIVE_INFINITY);
    },
  };
}

/** The model among files. Throws `UsageError` where there is none. */
function mainOf(files: readonly File[]): File {
  const json = files.filter((file) => file.name.endsWith('.json'));
  const main =
    files.length === 1
      ? files[0]
      : (files.find((file) => /\.(onnx|safetensors)$/.test(file.name)) ??
        json.find((file) => file.name === 'model.json') ??
        json.find((file) => file.name !== 'metadata.json'));
  if (main) return main;
  const names = files.map((file) => file.name).join(', ') || 'none';
  throw new UsageError(
    `no model among the files (${names}): expected one file, or a model.json, .onnx or .safetensors with its own`,
  );
}

type OnBytes = (done: number, total: number) => void;

async function openResponse(
  url: URL,
  answer: Promise<Response>,
  signal: AbortSignal | undefined,
  onBytes: OnBytes,
): Promise<ByteStream> {
  let response: Response;
  try {
    response = await answer;
  } catch (error) {
    signal?.throwIfAborted();
    throw new ModelFormatError(url.href, `could not be fetched: ${(error as Error).message}`, { cause: error });
  }
  if (!response.ok) {
    response.body?.cancel().catch(() => {});
    throw new ModelFormatError(url.href, `the server answered ${response.status} ${response.statusText}`);
  }
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  return new ByteStream(url.href, response.body ?? new Blob([]).stream(), {
    length: Number.isSafeInteger(length) ? length : null,
    signal,
    onBytes,
  });
}

/** Gives each file its part in the sum of all that are read. */
function progressOf(onProgress: ((progress: LoadProgress) => void) | undefined): () => OnBytes {
  const files: { done: number; total: number }[] = [];
  return () => {
    const file = { done: 0, total: 0 };
    files.push(file);
    return (done, total) => {
      Object.assign(file, { done, total });
      const sum = (key: 'done' | 'total') => files.reduce((so, each) => so + each[key], 0);
      onProgress?.({ stage: 'fetch', done: sum('done'), total: sum('total') });
    };
  };
}

const arrivingOf = (weights: ArrivingWeights): Arriving => ({
  all: weights.all,
  constants: (graph, plan) => arrivingConstants(graph, plan, weights),
  cancel: (reason) => weights.cancel(reason),
});

async function* arrivingConstants(
  graph: Graph,
  plan: Plan,
  weights: ArrivingWeights,
): AsyncGenerator<Iterable<ConstantUpload>> {
  const packed = packConstants(graph, plan);
  const nodes = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    const named = nodes.get(node.name);
    if (named) named.push(node);
    else nodes.set(node.name, [node]);
  }
  const nodesOf = ({ node }: ConstantSlot) => nodes.get(node) ?? [];
  let next = 0;
  // Packing reads weights from the moment on in which the next constant is asked for.
  function* there(): Generator<ConstantUpload> {
    for (let slot = plan.constants[next]; slot && weights.has(nodesOf(slot)); slot = plan.constants[++next]) {
      yield packed.next().value!;
    }
  }
  for (let slot = plan.constants[next]; slot; slot = plan.constants[next]) {
    await weights.of(nodesOf(slot));
    yield there();
  }
  await weights.all;
}
