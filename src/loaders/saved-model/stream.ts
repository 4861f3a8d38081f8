/**
 * A saved model whose bytes are still arriving: its graph is known once the header is there, its weights are views of one
 * buffer that is filled behind the graph's back.
 */
import { ModelFormatError } from '../../errors.ts';
import type { ArrivingWeights } from '../../graph/arriving.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Node } from '../../graph/ops.ts';
import type { ByteStream } from '../byte-stream.ts';
import type { LoadGraphOptions } from '../model-files.ts';
import { cutShort, headerEnd, readHeader, type StoredEntry, tensorsOf } from '../safetensors/container.ts';
import { openSavedModel, SAVED_FORMAT } from './index.ts';

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
  if (metadata.format !== SAVED_FORMAT || start + size > Math.max(LARGEST_CLAIM, stream.length ?? 0)) return null;
  const data = new Uint8Array(size);
  const checks = new Map<string, () => void>();
  const graph = openSavedModel(file, { metadata, tensors: tensorsOf(entries, data) }, options, (tensor, check) => {
    checks.set(tensor, check);
  });
  stream.length = start + size;
  return { graph, arriving: new StreamedWeights(file, data, entries, checks, stream, bytes.subarray(start)) };
}

/** Fills the weights of a graph, tensor by tensor in the order of the file, each checked before it counts as there. */
class StreamedWeights implements ArrivingWeights {
  readonly all: Promise<void>;
  readonly #file: string;
  readonly #data: Uint8Array;
  readonly #entries: readonly StoredEntry[];
  readonly #checks: ReadonlyMap<string, () => void>;
  readonly #stream: ByteStream;
  /** How many bytes are there. */
  #filled = 0;
  /** How many of the entries are there and checked, and where the last of them ends. */
  #settled = 0;
  #settledBytes = 0;
  #waiting: { readonly end: number; readonly start: () => void }[] = [];

  constructor(
    file: string,
    data: Uint8Array,
    entries: readonly StoredEntry[],
    checks: ReadonlyMap<string, () => void>,
    stream: ByteStream,
    begun: Uint8Array,
  ) {
    this.#file = file;
    this.#data = data;
    this.#entries = entries;
    this.#checks = checks;
    this.#stream = stream;
    this.all = this.#fill(begun).catch((error) => {
      stream.cancel(error);
      throw error;
    });
    // Reported to whoever waits.
    this.all.catch(() => {});
  }

  has(nodes: readonly Node[]): boolean {
    return this.#endOf(nodes) <= this.#settledBytes;
  }

  async of(nodes: readonly Node[]): Promise<void> {
    const end = this.#endOf(nodes);
    if (end <= this.#settledBytes) return;
    await Promise.race([this.all, new Promise<void>((start) => this.#waiting.push({ end, start }))]);
  }

  cancel(reason: unknown): void {
    this.#stream.cancel(reason);
  }

  async #fill(begun: Uint8Array): Promise<void> {
    for (let piece: Uint8Array | null = begun; piece; piece = await this.#next()) {
      if (this.#filled + piece.length > this.#data.length) {
        throw new ModelFormatError(this.#file, `goes on after its last tensor, which ends at ${this.#data.length}`);
      }
      this.#data.set(piece, this.#filled);
      this.#filled += piece.length;
      this.#settle();
    }
    const next = this.#entries[this.#settled];
    if (next) throw new ModelFormatError(this.#file, cutShort(next.name, next.to, this.#filled));
  }

  async #next(): Promise<Uint8Array | null> {
    try {
      return await this.#stream.next();
    } catch (error) {
      const next = this.#entries[this.#settled];
      if (!(error instanceof ModelFormatError) || !next) throw error;
      throw new ModelFormatError(this.#file, `tensor "${next.name}" did not arrive: ${error.message}`, {
        cause: error,
      });
    }
  }

  #settle(): void {
    const entries = this.#entries;
    for (let entry = entries[this.#settled]; entry && entry.to <= this.#filled; entry = entries[this.#settled]) {
      this.#checks.get(entry.name)?.();
      this.#settled++;
      this.#settledBytes = entry.to;
    }
    const ready = this.#waiting.filter(({ end }) => end <= this.#settledBytes);
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter(({ end }) => end > this.#settledBytes);
    for (const { start } of ready) start();
  }

  /** Where the last weight of these nodes ends in the data. */
  #endOf(nodes: readonly Node[]): number {
    let end = 0;
    for (const node of nodes) {
      if (node.op === 'fused') end = Math.max(end, this.#endOf(node.parts));
      for (const value of Object.values(node)) {
        if (value instanceof Float32Array && value.buffer === this.#data.buffer) {
          end = Math.max(end, value.byteOffset + value.byteLength);
        }
      }
    }
    return end;
  }
}
