/**
 * The safetensors container (github.com/huggingface/safetensors, README "Format"): 8 bytes little-endian length of a
 * header, the header as JSON, then the tensors' bytes. Rules of its own reader are kept: a cap on the header, no
 * duplicate keys, sizes that fit dtype and shape, and tensors that cover the rest of the file without gap or overlap.
 */
import { ModelFormatError } from '../../errors.ts';
import { field, isRecord, parseJson, shown } from '../core/json.ts';

export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Little-endian, row-major. */
  readonly bytes: Uint8Array;
}

export interface SafetensorsFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** As in the reference reader. */
const LARGEST_HEADER = 100_000_000;
const MOST_TENSORS = 20_000;
const HIGHEST_RANK = 8;

const dtypeBytes: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
};

/** A file without its tensors' bytes. */
export interface SafetensorsHeader {
  readonly metadata: SafetensorsFile['metadata'];
  /** In the order of their bytes, without gap or overlap. */
  readonly entries: readonly StoredEntry[];
  /** Bytes of all tensors. */
  readonly size: number;
}

/** Where a tensor's bytes lie behind the header. */
export interface StoredEntry extends Omit<StoredTensor, 'bytes'> {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** Parses and checks a file; tensors are views of `bytes`. Throws `ModelFormatError`, which names the tensor. */
export function readSafetensors(file: string, bytes: Uint8Array): SafetensorsFile {
  if (bytes.length < 10) {
    throw new ModelFormatError(file, `has ${bytes.length} bytes, which is too short for a safetensors file`);
  }
  const start = headerEnd(file, bytes);
  if (start > bytes.length) {
    throw new ModelFormatError(
      file,
      `claims a header of ${start - 8} bytes, but only ${bytes.length - 8} follow: the file is cut short`,
    );
  }
  const { metadata, entries } = readHeader(file, bytes.subarray(8, start), bytes.length - start);
  return { metadata, tensors: tensorsOf(entries, bytes.subarray(start)) };
}

/** Where the header ends, from the first 8 bytes of a file. Throws `ModelFormatError`. */
export function headerEnd(file: string, bytes: Uint8Array): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(LARGEST_HEADER)) {
    throw new ModelFormatError(file, `claims a header of ${length} bytes, at most ${LARGEST_HEADER} are read`);
  }
  return 8 + Number(length);
}

/** Each tensor with its part of `data`, the bytes behind the header. */
export const tensorsOf = (entries: readonly StoredEntry[], data: Uint8Array): Map<string, StoredTensor> =>
  new Map(entries.map(({ name, dtype, shape, from, to }) => [name, { dtype, shape, bytes: data.subarray(from, to) }]));

/**
 * Parses and checks a header's JSON. `size`: the number of bytes behind the header; where it is left out, those bytes
 * are yet to come. Throws `ModelFormatError`, which names the tensor.
 */
export function readHeader(file: string, headerBytes: Uint8Array, size?: number): SafetensorsHeader {
  const fail = (message: string): never => {
    throw new ModelFormatError(file, message);
  };
  const header = parseJson(file, headerBytes);
  if (!isRecord(header)) return fail('has a header that is no JSON object');
  const duplicate = duplicateKey(new TextDecoder().decode(headerBytes));
  if (duplicate !== null) fail(`names "${duplicate}" twice in its header`);

  const metadata: Record<string, string> = Object.create(null);
  const stated = field(header, '__metadata__');
  if (stated !== undefined) {
    if (!isRecord(stated)) return fail('has "__metadata__" that is no object of strings');
    for (const [key, value] of Object.entries(stated)) {
      if (typeof value !== 'string') fail(`has "__metadata__" whose "${key}" is ${shown(value)}, expected a string`);
      else metadata[key] = value;
    }
  }

  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  if (names.length > MOST_TENSORS) fail(`has ${names.length} tensors, at most ${MOST_TENSORS} are read`);
  const entries = names.map((name) => checkedEntry(file, name, header[name]));
  entries.sort((a, b) => a.from - b.from || a.to - b.to);
  let end = 0;
  for (const { name, from, to } of entries) {
    if (from !== end) {
      fail(
        `tensor "${name}" begins at byte ${from} of the data, expected ${end}: ${from < end ? 'an overlap' : 'a gap'}`,
      );
    }
    if (size !== undefined && to > size) fail(cutShort(name, to, size));
    end = to;
  }
  if (size !== undefined && end !== size) fail(`has ${size - end} bytes after its last tensor`);
  return { metadata, entries, size: end };
}

/** What to say where a tensor's bytes end at `to` and the file's at `size`. */
export const cutShort = (tensor: string, to: number, size: number): string =>
  `tensor "${tensor}" ends at byte ${to} of the data, which has ${size}: the file is cut short`;

function checkedEntry(file: string, name: string, value: unknown): StoredEntry {
  const fail = (message: string): never => {
    throw new ModelFormatError(file, `tensor "${name}": ${message}`);
  };
  const dtype = field(value, 'dtype');
  const shape = field(value, 'shape');
  const offsets = field(value, 'data_offsets');
  if (typeof dtype !== 'string' || !Object.hasOwn(dtypeBytes, dtype)) {
    return fail(`dtype is ${shown(dtype)}, expected ${Object.keys(dtypeBytes).join(', ')}`);
  }
  if (!Array.isArray(shape) || shape.length > HIGHEST_RANK || !shape.every(isCount)) {
    return fail(`shape is ${shown(shape)}, expected at most ${HIGHEST_RANK} whole numbers`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return fail(`data_offsets are ${shown(offsets)}, expected two whole numbers`);
  }
  const [from, to] = offsets as [number, number];
  const bytes = shape.reduce((product: number, d: number) => product * d, dtypeBytes[dtype]!);
  if (!Number.isSafeInteger(bytes)) return fail(`shape [${shape}] is larger than can be counted`);
  if (to - from !== bytes) {
    return fail(`takes ${to - from} bytes, but ${dtype} of shape [${shape}] takes ${bytes}`);
  }
  return { name, dtype, shape: shape as number[], from, to };
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** A key that an object of this JSON text, which is sound, has twice; `JSON.parse` keeps the last without a word. */
function duplicateKey(text: string): string | null {
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(null);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const start = at;
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
      const end = at + 1;
      while (' \t\n\r'.includes(text[at + 1] ?? '"')) at++;
      if (text[at + 1] !== ':') continue;
      const key: string = JSON.parse(text.slice(start, end));
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return null;
}

const dtypeOf = (values: Float32Array | Uint16Array | Int32Array | Int8Array): string =>
  values instanceof Int8Array
    ? 'I8'
    : values instanceof Int32Array
      ? 'I32'
      : values instanceof Uint16Array
        ? 'F16'
        : 'F32';

/**
 * A safetensors file of float32 tensors, of float16 ones as bits, of integers and of bytes. The header is padded so that these can
 * be used where they lie, the wider before the narrower.
 */
export function writeSafetensors(
  tensors: Iterable<
    readonly [name: string, shape: readonly number[], values: Float32Array | Uint16Array | Int32Array | Int8Array]
  >,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let end = 0;
  const all = [...tensors];
  for (const [name, shape, values] of all) {
    header[name] = {
      dtype: dtypeOf(values),
      shape,
      data_offsets: [end, end + values.byteLength],
    };
    end += values.byteLength;
  }
  let text = JSON.stringify(header);
  text += ' '.repeat((8 - (new TextEncoder().encode(text).length % 8)) % 8);
  const head = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + head.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(head.length), true);
  bytes.set(head, 8);
  let at = 8 + head.length;
  for (const [, , values] of all) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}
