import { ModelFormatError } from '../../errors.ts';

const decoder = new TextDecoder();

/** What the tables of one file have in common. */
interface Source {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Elements of vectors and bytes of strings that may still be read. */
  left: number;
}

interface Vector {
  readonly start: number;
  readonly length: number;
}

/**
 * A table of a FlatBuffers file, read without trust: every offset is checked against the bytes before it is followed,
 * every length before memory is taken for it, and what is read over and over through many offsets is bounded by the
 * size of the file. Fields are named by their index in the schema. Reads throw `ModelFormatError` with the byte where the
 * trouble is.
 */
export class FlatTable {
  readonly #source: Source;
  readonly #position: number;
  readonly #bytes: number;
  readonly #vtable: number;
  readonly #vtableBytes: number;

  private constructor(source: Source, position: number) {
    this.#source = source;
    this.#position = position;
    this.#check(position, 4);
    const { view } = source;
    this.#vtable = position - view.getInt32(position, true);
    this.#check(this.#vtable, 4);
    this.#vtableBytes = view.getUint16(this.#vtable, true);
    this.#bytes = view.getUint16(this.#vtable + 2, true);
    this.#check(this.#vtable, this.#vtableBytes);
    this.#check(position, this.#bytes);
    // A vtable begins with its own size and the table's, a table with the way to its vtable.
    if (this.#vtableBytes < 4 || this.#vtableBytes % 2 !== 0 || this.#bytes < 4) {
      this.#damaged(
        `has a table of ${this.#bytes} bytes with a vtable of ${this.#vtableBytes}, expected at least 4`,
        position,
      );
    }
  }

  /** The root table of a file. */
  static root(file: string, bytes: Uint8Array): FlatTable {
    if (bytes.length < 8) throw new ModelFormatError(file, `ends after ${bytes.length} bytes, in its first offset`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return new FlatTable({ file, bytes, view, left: 1_000_000 + bytes.length }, view.getUint32(0, true));
  }

  int(field: number, otherwise = 0): number {
    return this.#scalar(field, 4, (view, at) => view.getInt32(at, true)) ?? otherwise;
  }

  byte(field: number, otherwise = 0): number {
    return this.#scalar(field, 1, (view, at) => view.getInt8(at)) ?? otherwise;
  }

  bool(field: number): boolean {
    return this.byte(field) !== 0;
  }

  float(field: number, otherwise = 0): number {
    return this.#scalar(field, 4, (view, at) => view.getFloat32(at, true)) ?? otherwise;
  }

  string(field: number): string {
    const vector = this.#vector(field, 1);
    if (!vector) return '';
    this.#take(vector, 65_536, 'bytes in a name');
    return decoder.decode(this.#source.bytes.subarray(vector.start, vector.start + vector.length));
  }

  /** The bytes of a vector of bytes, as they lie in the file; empty where the field is not there. */
  bytes(field: number): Uint8Array {
    const vector = this.#vector(field, 1);
    if (!vector) return new Uint8Array(0);
    return this.#source.bytes.subarray(vector.start, vector.start + vector.length);
  }

  /** At most `most` of them; `what` they are is for the message. */
  ints(field: number, most: number, what: string): number[] {
    return this.#list(field, 4, most, what, (view, at) => view.getInt32(at, true));
  }

  floats(field: number, most: number, what: string): number[] {
    return this.#list(field, 4, most, what, (view, at) => view.getFloat32(at, true));
  }

  /** 64-bit integers as numbers. */
  longs(field: number, most: number, what: string): number[] {
    return this.#list(field, 8, most, what, (view, at) => Number(view.getBigInt64(at, true)));
  }

  table(field: number): FlatTable | null {
    const at = this.#field(field, 4);
    return at === null ? null : this.#follow(at);
  }

  tables(field: number, most: number, what: string): FlatTable[] {
    return this.#list(field, 4, most, what, (_view, at) => this.#follow(at));
  }

  #follow(at: number): FlatTable {
    return new FlatTable(this.#source, at + this.#source.view.getUint32(at, true));
  }

  #scalar(field: number, bytes: number, read: (view: DataView, at: number) => number): number | null {
    const at = this.#field(field, bytes);
    return at === null ? null : read(this.#source.view, at);
  }

  #list<T>(field: number, bytes: number, most: number, what: string, read: (view: DataView, at: number) => T): T[] {
    const vector = this.#vector(field, bytes);
    if (!vector) return [];
    this.#take(vector, most, what);
    const { view } = this.#source;
    return Array.from({ length: vector.length }, (_, i) => read(view, vector.start + bytes * i));
  }

  #take({ start, length }: Vector, most: number, what: string): void {
    if (length > most) this.#damaged(`has ${length} ${what}, expected at most ${most}`, start);
    this.#source.left -= length;
    if (this.#source.left < 0) {
      this.#damaged(`has ${what} in so many places that they take more than the file has bytes`, start);
    }
  }

  #vector(field: number, bytes: number): Vector | null {
    const at = this.#field(field, 4);
    if (at === null) return null;
    const { view } = this.#source;
    const position = at + view.getUint32(at, true);
    this.#check(position, 4);
    const length = view.getUint32(position, true);
    this.#check(position + 4, length * bytes);
    return { start: position + 4, length };
  }

  /** Where a field lies, or null where the table leaves it out. */
  #field(field: number, bytes: number): number | null {
    const slot = 4 + 2 * field;
    if (slot + 2 > this.#vtableBytes) return null;
    const offset = this.#source.view.getUint16(this.#vtable + slot, true);
    if (offset === 0) return null;
    if (offset < 4 || offset + bytes > this.#bytes) {
      this.#damaged(
        `has field ${field} at ${offset} of a table of ${this.#bytes} bytes, expected ${bytes} bytes inside it`,
        this.#position,
      );
    }
    return this.#position + offset;
  }

  #check(at: number, bytes: number): void {
    const { file, bytes: whole } = this.#source;
    const { length } = whole;
    if (at < 0 || at + bytes > length) {
      throw new ModelFormatError(
        file,
        `points to ${bytes} bytes at byte ${at}, but has ${length}: truncated or damaged`,
      );
    }
  }

  #damaged(message: string, at: number): never {
    throw new ModelFormatError(this.#source.file, `${message} (at byte ${at})`);
  }
}
