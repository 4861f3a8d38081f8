import { ByteBuffer } from 'flatbuffers';
import { ModelFormatError } from '../errors.ts';

/**
 * A table of a FlatBuffers file, read without trust: every offset is checked against the bytes before it is followed.
 * Fields are named by their index in the schema. Reads throw `ModelFormatError` with the byte where the trouble is.
 */
export class FlatTable {
  readonly #file: string;
  readonly #buffer: ByteBuffer;
  readonly #position: number;
  readonly #vtable: number;
  readonly #vtableBytes: number;

  private constructor(file: string, buffer: ByteBuffer, position: number) {
    this.#file = file;
    this.#buffer = buffer;
    this.#position = position;
    this.#check(position, 4);
    this.#vtable = position - buffer.readInt32(position);
    this.#check(this.#vtable, 4);
    this.#vtableBytes = buffer.readUint16(this.#vtable);
    this.#check(this.#vtable, this.#vtableBytes);
  }

  /** The root table of a file. */
  static root(file: string, bytes: Uint8Array): FlatTable {
    if (bytes.length < 8) throw new ModelFormatError(file, `ends after ${bytes.length} bytes, in its first offset`);
    const buffer = new ByteBuffer(bytes);
    return new FlatTable(file, buffer, buffer.readUint32(0));
  }

  int(field: number, otherwise = 0): number {
    return this.#scalar(field, 4, (at) => this.#buffer.readInt32(at)) ?? otherwise;
  }

  byte(field: number, otherwise = 0): number {
    return this.#scalar(field, 1, (at) => this.#buffer.readInt8(at)) ?? otherwise;
  }

  bool(field: number): boolean {
    return this.byte(field) !== 0;
  }

  float(field: number, otherwise = 0): number {
    return this.#scalar(field, 4, (at) => this.#buffer.readFloat32(at)) ?? otherwise;
  }

  string(field: number): string {
    const vector = this.#vector(field, 1);
    if (!vector) return '';
    return new TextDecoder().decode(this.#buffer.bytes().subarray(vector.start, vector.start + vector.length));
  }

  /** The bytes of a vector of bytes; empty where the field is not there. */
  bytes(field: number): Uint8Array {
    const vector = this.#vector(field, 1);
    return vector ? this.#buffer.bytes().subarray(vector.start, vector.start + vector.length) : new Uint8Array(0);
  }

  ints(field: number): number[] {
    return this.#numbers(field, 4, (at) => this.#buffer.readInt32(at));
  }

  floats(field: number): number[] {
    return this.#numbers(field, 4, (at) => this.#buffer.readFloat32(at));
  }

  /** 64-bit integers as numbers. */
  longs(field: number): number[] {
    return this.#numbers(field, 8, (at) => Number(this.#buffer.readInt64(at)));
  }

  table(field: number): FlatTable | null {
    const at = this.#field(field, 4);
    return at === null ? null : this.#follow(at);
  }

  tables(field: number): FlatTable[] {
    const vector = this.#vector(field, 4);
    return Array.from({ length: vector?.length ?? 0 }, (_, i) => this.#follow(vector!.start + 4 * i));
  }

  #follow(at: number): FlatTable {
    return new FlatTable(this.#file, this.#buffer, at + this.#buffer.readUint32(at));
  }

  #scalar(field: number, bytes: number, read: (at: number) => number): number | null {
    const at = this.#field(field, bytes);
    return at === null ? null : read(at);
  }

  #numbers(field: number, bytes: number, read: (at: number) => number): number[] {
    const vector = this.#vector(field, bytes);
    return Array.from({ length: vector?.length ?? 0 }, (_, i) => read(vector!.start + bytes * i));
  }

  #vector(field: number, bytes: number): { start: number; length: number } | null {
    const at = this.#field(field, 4);
    if (at === null) return null;
    const position = at + this.#buffer.readUint32(at);
    this.#check(position, 4);
    const length = this.#buffer.readUint32(position);
    this.#check(position + 4, length * bytes);
    return { start: position + 4, length };
  }

  /** Where a field lies, or null where the table leaves it out. */
  #field(field: number, bytes: number): number | null {
    const slot = 4 + 2 * field;
    if (slot + 2 > this.#vtableBytes) return null;
    const offset = this.#buffer.readUint16(this.#vtable + slot);
    if (offset === 0) return null;
    this.#check(this.#position + offset, bytes);
    return this.#position + offset;
  }

  #check(at: number, bytes: number): void {
    const { length } = this.#buffer.bytes();
    if (at < 0 || at + bytes > length) {
      throw new ModelFormatError(
        this.#file,
        `points to ${bytes} bytes at byte ${at}, but has ${length}: truncated or damaged`,
      );
    }
  }
}
