/** Models whose bytes come by and by: from an address or a file. */
import { MobileNetError, ModelFormatError } from '../errors.ts';
import type { ArrivingWeights } from '../graph/arriving.ts';
import type { Graph } from '../graph/graph.ts';
import { ByteStream, type OnBytes, type Source } from './byte-stream.ts';
import type { FetchingOptions, Request } from './fetching-options.ts';
import { isSafetensors, type LoadGraphOptions, loadGraph } from './index.ts';

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
  return (await import('./local-files.ts')).openFile(source, name, signal, progress);
}

/** Of a file, unless the caller says otherwise. */
const MOST_BYTES = 2 ** 30;

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
    throw (await import('./fetch-advice.ts')).unanswered(url, error as Error);
  }
  if (!response.ok) {
    response.body?.cancel().catch(() => {});
    throw (await import('./fetch-advice.ts')).refused(url, response);
  }
  if (response.redirected) (await import('./redirects.ts')).checkRedirect(url, response, limits);
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
