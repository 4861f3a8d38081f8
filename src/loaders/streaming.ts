/** Models whose bytes come by and by: from an address or a file. */
import { FetchError, MobileNetError, ModelFormatError } from '../errors.ts';
import type { ArrivingWeights } from '../graph/arriving.ts';
import type { Graph } from '../graph/graph.ts';
import { ByteStream } from './byte-stream.ts';
import type { FetchingOptions, Request } from './fetching-options.ts';
import { isSafetensors, type LoadGraphOptions, loadGraph } from './index.ts';
import { splitQuery } from './model-files.ts';
import { checkRedirect } from './redirects.ts';

/**
 * `fetch`: bytes read, of all the bytes that are known of so far; `total` is what the server or the file itself says,
 * else `done`, and grows where a file names others beside it. `parse`: told once. `compile`: pipelines of the GPU.
 * Files beside the model are fetched after `parse`; of a saved model, the weights are fetched during `compile`.
 */
export interface LoadProgress {
  readonly stage: 'fetch' | 'parse' | 'compile';
  readonly done: number;
  readonly total: number;
}

export interface StreamOptions extends LoadGraphOptions, FetchingOptions {
  /** Used in messages where the source has no name. */
  readonly name?: string;
  readonly onProgress?: (progress: LoadProgress) => void;
}

export interface OpenedSource {
  readonly graph: Graph;
  /** Null where the graph is complete. */
  readonly arriving: ArrivingWeights | null;
}

/** An address and the answer of its server, which is under way. */
export interface Fetched {
  readonly url: URL;
  readonly response: Promise<Response>;
  /** Asks for files beside it. */
  readonly request: Request;
}

/** A file, and where those beside it come from. */
interface Source {
  readonly name: string;
  readonly stream: ByteStream;
  readonly read?: (path: string) => Promise<Uint8Array>;
  readonly beside?: readonly string[];
}

/**
 * Opens a fetched model or a file. The graph of a saved model is there with its header, its weights follow; a file of
 * another kind is read whole. Throws as `load` does.
 */
export async function openStreamed(
  source: Fetched | Blob | readonly File[],
  options: StreamOptions,
): Promise<OpenedSource> {
  const asked: URL[] = [];
  const { name, stream, ...near } = await openSource(source, options, asked);
  /** Without a hash anything that ends is kept: what was no model is asked for anew the next time. */
  const remove = async (error: unknown) => {
    if (!(error instanceof ModelFormatError) || options.cache !== 'storage' || options.integrity !== undefined) return;
    (await import('./fetching.ts')).removeUnread(asked);
  };
  try {
    const begun = await stream.atLeast(9);
    const parsing = () => options.onProgress?.({ stage: 'parse', done: 0, total: 1 });
    if (isSafetensors(begun)) {
      const { openArriving } = await import('./saved-model/stream.ts');
      const opened = await openArriving(name, stream, options);
      if (opened) {
        parsing();
        opened.arriving.all.catch(remove);
        return opened;
      }
    }
    const bytes = await stream.atLeast(Number.POSITIVE_INFINITY);
    parsing();
    return { graph: await loadGraph({ name, bytes, ...near }, options), arriving: null };
  } catch (error) {
    stream.cancel(error);
    await remove(error);
    throw error;
  }
}

/** `asked`: receives the addresses that are asked for. */
async function openSource(
  source: Fetched | Blob | readonly File[],
  options: StreamOptions,
  asked: URL[],
): Promise<Source> {
  const { name = 'model', signal, onProgress } = options;
  const progress = progressOf(onProgress);
  if ('url' in source) {
    const { url, response, request } = source;
    const opened = (at: URL, answer: Promise<Response>) => {
      asked.push(at);
      return openResponse(at, answer, signal, progress(), options);
    };
    return {
      name: url.pathname.split('/').pop() || url.href,
      stream: await opened(url, response),
      read: async (path) => {
        const at = new URL(path, url);
        // As TensorFlow.js does: what lets the model be read (`?tfjs-format=file`, a token) lets its shards be read.
        at.search ||= url.search;
        return (await opened(at, request(at, signal))).atLeast(Number.POSITIVE_INFINITY);
      },
    };
  }
  const file = source instanceof Blob ? source : await mainOf(source);
  const open = (blob: Blob, called: string) =>
    new ByteStream(called, blob.stream(), { length: blob.size, signal, onBytes: progress() });
  const called = file instanceof File ? file.name : name;
  const opened = { name: called, stream: open(file, called) };
  if (!(file instanceof File) || file === source) return opened;
  const others = (source as readonly File[]).filter((other) => other !== file);
  const near = others.filter((other) => folderOf(other) === folderOf(file));
  return {
    ...opened,
    beside: near.map((other) => other.name),
    read: async (path) => {
      const name = splitQuery(path)[0].split('/').pop();
      const beside = [...near, ...others].find((candidate) => candidate.name === name);
      if (!beside) throw new ModelFormatError(called, `needs the file "${path}", which was not given with it`);
      return open(beside, beside.name).atLeast(Number.POSITIVE_INFINITY);
    },
  };
}

/** With its folder, where a whole one was handed over. */
const pathOf = (file: File): string => file.webkitRelativePath || file.name;
const folderOf = (file: File): string => pathOf(file).slice(0, -file.name.length);

/** The model among files. Throws `UsageError` where there is none, or more than one. */
async function mainOf(files: readonly File[]): Promise<File> {
  if (files.length === 1) return files[0]!;
  const { oneModelOf } = await import('./model-among.ts');
  const name = oneModelOf(files.map(pathOf), 'among the files');
  return files.find((file) => pathOf(file) === name)!;
}

/** Of a file, unless the caller says otherwise. */
const MOST_BYTES = 2 ** 30;

type OnBytes = (done: number, total: number) => void;

async function openResponse(
  url: URL,
  answer: Promise<Response>,
  signal: AbortSignal | undefined,
  onBytes: OnBytes,
  limits: FetchingOptions,
): Promise<ByteStream> {
  let response: Response;
  try {
    response = await answer;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof MobileNetError) throw error;
    const { fetchAdvice } = await import('./fetch-advice.ts');
    throw new FetchError(
      url.href,
      null,
      `could not be fetched: ${(error as Error).message}; ${fetchAdvice(url, null)}`,
      {
        cause: error,
      },
    );
  }
  const { status, statusText } = response;
  if (!response.ok) {
    response.body?.cancel().catch(() => {});
    const { fetchAdvice } = await import('./fetch-advice.ts');
    throw new FetchError(url.href, status, `the server answered ${status} ${statusText}; ${fetchAdvice(url, status)}`);
  }
  checkRedirect(url, response, limits);
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  return new ByteStream(url.href, response.body ?? new Blob([]).stream(), {
    length: Number.isSafeInteger(length) ? length : null,
    most: limits.maxBytes ?? MOST_BYTES,
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
