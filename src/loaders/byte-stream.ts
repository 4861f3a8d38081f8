import { MobileNetError, ModelFormatError } from '../errors.ts';

export type OnBytes = (done: number, total: number) => void;

export interface ByteStreamOptions {
  /** The file's length where it is known, as Content-Length tells it: of the bytes as they travel, maybe compressed. */
  readonly length?: number | null;
  /** Most bytes that it may have. */
  readonly most?: number;
  /** Ends the reading: what waits for bytes throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** After each piece. `total` is the length as far as it is known, never less than `done`. */
  readonly onBytes?: OnBytes | undefined;
}

/** A file, and where those beside it come from. */
export interface Source {
  readonly name: string;
  readonly stream: ByteStream;
  readonly read?: (path: string) => Promise<Uint8Array>;
  readonly beside?: readonly string[];
}

/** A file's bytes as they arrive. */
export class ByteStream {
  /** The length that the file is said to have; null where nobody says. A hint: it may be wrong. */
  length: number | null;
  readonly #file: string;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #most: number;
  readonly #onBytes: ByteStreamOptions['onBytes'];
  readonly #unlisten: () => void;
  /** What was read and is kept. */
  #kept: Uint8Array[] = [];
  #done = 0;
  #cancelled: { readonly reason: unknown } | null = null;

  /** `file`: its name in messages. */
  constructor(file: string, stream: ReadableStream<Uint8Array>, options: ByteStreamOptions = {}) {
    const { length = null, most = Number.POSITIVE_INFINITY, signal, onBytes } = options;
    this.length = length;
    this.#file = file;
    this.#reader = stream.getReader();
    this.#most = most;
    this.#onBytes = onBytes;
    const abort = () => this.cancel(signal!.reason);
    signal?.addEventListener('abort', abort);
    this.#unlisten = () => signal?.removeEventListener('abort', abort);
    if (signal?.aborted) abort();
    this.#report();
  }

  /**
   * What was read so far, and more until that is at least `count` bytes: fewer only where the file has fewer. Throws
   * `ModelFormatError` where the source breaks, or the reason of the cancellation.
   */
  async atLeast(count: number): Promise<Uint8Array> {
    while (this.#done < count) {
      const piece = await this.next();
      if (!piece) break;
      this.#kept.push(piece);
    }
    if (this.#kept.length !== 1) {
      const all = new Uint8Array(this.#done);
      let at = 0;
      for (const piece of this.#kept) {
        all.set(piece, at);
        at += piece.length;
      }
      this.#kept = [all];
    }
    return this.#kept[0]!;
  }

  /** The next bytes, which are not kept; null at the end of the file. Throws as `atLeast` does. */
  async next(): Promise<Uint8Array | null> {
    this.#throwIfCancelled();
    let piece: Uint8Array | undefined;
    try {
      ({ value: piece } = await this.#reader.read());
    } catch (error) {
      this.#throwIfCancelled();
      this.#unlisten();
      if (error instanceof MobileNetError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new ModelFormatError(this.#file, `could not be read past byte ${this.#done}: ${reason}`, { cause: error });
    }
    this.#throwIfCancelled();
    if (!piece) {
      this.#unlisten();
      this.length = this.#done;
    } else this.#done += piece.length;
    if (this.#done > this.#most) {
      const error = new ModelFormatError(
        this.#file,
        `has more than ${this.#most} bytes, the most that may be read; if it is meant, pass a larger maxBytes`,
      );
      this.cancel(error);
      throw error;
    }
    this.#report();
    return piece ?? null;
  }

  /** Closes the source; what waits for bytes throws `reason`. */
  cancel(reason: unknown): void {
    this.#cancelled ??= { reason };
    this.#unlisten();
    this.#reader.cancel(reason).catch(() => {});
  }

  #throwIfCancelled(): void {
    if (this.#cancelled) throw this.#cancelled.reason;
  }

  #report(): void {
    this.#onBytes?.(this.#done, Math.max(this.#done, this.length ?? 0));
  }
}
