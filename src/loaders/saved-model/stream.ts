/**
 * A saved model whose bytes are still arriving: its graph is known once the header is there, its weights are views of one
 * buffer that is filled behind the graph's back.
 */
import { ModelFormatError } from '../../errors.ts';
import type { ArrivingWeights } from '../../graph/arriving.ts';
import type { Graph } from '../../graph/graph.ts';
import type { ByteStream } from '../byte-stream.ts';
import type { LoadGraphOptions } from '../model-files.ts';
import { cutShort, headerEnd, readHeader, type StoredEntry, tensorsOf } from '../safetensors/container.ts';
import { openSavedModel, readersFor, SAVED_FORMAT } from './index.ts';

/** A file whose header claims more is read whole first, unless it is said to be that long: memory follows bytes. */
const LARGEST_CLAIM = 256 * 2 ** 20;

export interface ArrivingGraph {
  readonly graph: Graph;
  readonly arriving: ArrivingWeights;
}

/**
 * Opens the safetensors file that `stream` begins with as soon as its header is there. Null where it is no saved model
 * or no sound file, or claims to be very large: read it whole then, `stream.atLeast` has kept its beginning. Throws
 * `ModelFormatError`, `UsageError`, or the reason of the stream's cancellation.
 */
export async function openArriving(
  file: string,
  stream: ByteStream,
  options: LoadGraphOptions,
): Promise<ArrivingGraph | null> {
  const start = headerEnd(file, await stream.atLeast(8));
  const bytes = await stream.atLeast(start);
  if (bytes.length < start) return null;
  const { metadata, entries, size } = readHeader(file, bytes.subarray(8, start));
  // Bytes become floats of four.
  const made = entries.reduce((sum, { dtype, from, to }) => sum + (dtype === 'I8' ? 4 * (to - from) : 0), 0);
  if (metadata.format !== SAVED_FORMAT || start + size + made > Math.max(LARGEST_CLAIM, stream.length ?? 0))
    return null;
  // Halves become weights when all are there, and what is not aligned is copied.
  if (entries.some(({ dtype, from }) => dtype === 'F16' || (/^[FI]32$/.test(dtype) && from % 4 !== 0))) return null;
  const data = new Uint8Array(size);
  const checks = new Map<string, () => void>();
  const ends = new Map(entries.map(({ name, to }) => [name, to]));
  const endsOfMade = new Map<ArrayBufferLike, number>();
  const graph = openSavedModel(
    file,
    { metadata, tensors: tensorsOf(entries, data) },
    options,
    await readersFor(metadata),
    (tensor, check, weights) => {
      const others = checks.get(tensor);
      checks.set(tensor, () => {
        others?.();
        check();
      });
      if (weights) {
        endsOfMade.set(weights.buffer, Math.max(endsOfMade.get(weights.buffer) ?? 0, ends.get(tensor)!));
      }
    },
  );
  stream.length = start + size;
  const arriving = streamWeights(file, data, entries, checks, endsOfMade, stream, bytes.subarray(start));
  return { graph, arriving };
}

/**
 * Fills `data`, the weights of a graph, with what has `begun` and what follows in the stream: tensor by tensor in the order
 * of the file, each checked before it counts as there. `endsOfMade`: where that ends of which checks make other weights.
 */
function streamWeights(
  file: string,
  data: Uint8Array,
  entries: readonly StoredEntry[],
  checks: ReadonlyMap<string, () => void>,
  endsOfMade: ReadonlyMap<ArrayBufferLike, number>,
  stream: ByteStream,
  begun: Uint8Array,
): ArrivingWeights {
  /** How many bytes are there. */
  let filled = 0;
  /** How many of the entries are there and checked, and where the last of them ends. */
  let settled = 0;
  let settledBytes = 0;
  let waiting: { readonly end: number; readonly start: () => void }[] = [];

  const settle = () => {
    for (let entry = entries[settled]; entry && entry.to <= filled; entry = entries[settled]) {
      checks.get(entry.name)?.();
      settled++;
      settledBytes = entry.to;
    }
    const ready = waiting.filter(({ end }) => end <= settledBytes);
    waiting = waiting.filter(({ end }) => end > settledBytes);
    for (const { start } of ready) start();
  };

  const next = async (): Promise<Uint8Array | null> => {
    try {
      return await stream.next();
    } catch (error) {
      const missing = entries[settled];
      if (!(error instanceof ModelFormatError) || !missing) throw error;
      throw new ModelFormatError(file, `tensor "${missing.name}" did not arrive: ${error.message}`, { cause: error });
    }
  };

  const fill = async () => {
    for (let piece: Uint8Array | null = begun; piece; piece = await next()) {
      if (filled + piece.length > data.length) {
        throw new ModelFormatError(file, `goes on after its last tensor, which ends at ${data.length}`);
      }
      data.set(piece, filled);
      filled += piece.length;
      settle();
    }
    const missing = entries[settled];
    if (missing) throw new ModelFormatError(file, cutShort(missing.name, missing.to, filled));
  };

  /** Where the last weight of these nodes, or of parts of them, ends in the data. */
  const endOf = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 0;
    if (!ArrayBuffer.isView(value)) return Object.values(value).reduce((end, part) => Math.max(end, endOf(part)), 0);
    return (value.buffer === data.buffer ? value.byteOffset + value.byteLength : endsOfMade.get(value.buffer)) ?? 0;
  };

  const all = fill().catch((error) => {
    stream.cancel(error);
    throw error;
  });
  // Reported to whoever waits.
  all.catch(() => {});
  return {
    all,
    has: (nodes) => endOf(nodes) <= settledBytes,
    of: async (nodes) => {
      const end = endOf(nodes);
      if (end <= settledBytes) return;
      await Promise.race([all, new Promise<void>((start) => waiting.push({ end, start }))]);
    },
    cancel: (reason) => stream.cancel(reason),
  };
}
