import { ModelFormatError } from '../../errors.ts';
import { float16Value } from '../../graph/float16.ts';
import { type Constant, elementCount, FoldError, floats, integers } from '../core/constants.ts';
import { fromFloat16 } from '../core/weights.ts';
import { dataTypes, type TensorProto } from './proto.ts';

const typeNames = new Map<number, string>(Object.entries(dataTypes).map(([name, value]) => [value, name]));

const bytesPerElement = new Map<number, number>([
  [dataTypes.float, 4],
  [dataTypes.uint8, 1],
  [dataTypes.int8, 1],
  [dataTypes.uint16, 2],
  [dataTypes.int16, 2],
  [dataTypes.int32, 4],
  [dataTypes.int64, 8],
  [dataTypes.bool, 1],
  [dataTypes.float16, 2],
  [dataTypes.double, 8],
  [dataTypes.uint32, 4],
  [dataTypes.uint64, 8],
]);

const limits = new Map<number, readonly [number, number]>([
  [dataTypes.uint8, [0, 255]],
  [dataTypes.int8, [-128, 127]],
  [dataTypes.uint16, [0, 65_535]],
  [dataTypes.int16, [-32_768, 32_767]],
]);

/** Name of an ONNX element type, for messages. */
export const typeName = (type: number): string => typeNames.get(type) ?? `type ${type}`;

export const isFloat = (type: number): boolean =>
  type === dataTypes.float || type === dataTypes.float16 || type === dataTypes.double || type === dataTypes.bfloat16;

export const isNumeric = (type: number): boolean => bytesPerElement.has(type);

/**
 * Raw data, typed data or external data as a constant. `external`: the files beside the model, by location.
 * Throws `ModelFormatError`.
 */
export function decodeTensor(
  file: string,
  tensor: TensorProto,
  external: ReadonlyMap<string, Uint8Array> = new Map(),
): Constant {
  const what = `tensor "${tensor.name}" at byte ${tensor.offset}`;
  const fail = (message: string): never => {
    throw new ModelFormatError(file, `${what} ${message}`);
  };
  const width = bytesPerElement.get(tensor.dataType);
  if (!width) return fail(`has elements of ${typeName(tensor.dataType)}, expected floats, integers or booleans`);
  let count: number;
  try {
    count = elementCount(tensor.dims);
  } catch (error) {
    if (!(error instanceof FoldError)) throw error;
    return fail(error.message);
  }
  const place = externalOf(tensor);
  const raw = place ? externalBytes(place, external, count * width, fail) : tensor.raw;
  if (!raw) return limited(typed(tensor, count, fail), tensor.dataType);
  if (raw.length !== count * width) {
    fail(`is [${tensor.dims}] of ${typeName(tensor.dataType)} and has ${raw.length} bytes, expected ${count * width}`);
  }
  return limited(fromBytes(tensor.dataType, tensor.dims, raw, count), tensor.dataType);
}

function limited(value: Constant, type: number): Constant {
  const range = limits.get(type);
  return range ? { ...value, limits: range } : value;
}

/** Little-endian elements, wherever they start. */
function fromBytes(type: number, dims: readonly number[], raw: Uint8Array, count: number): Constant {
  if (type === dataTypes.float) return floats(dims, new Float32Array(raw.slice().buffer));
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const fill = <T extends Float32Array | Float64Array>(data: T, read: (i: number) => number): T => {
    for (let i = 0; i < count; i++) data[i] = read(i);
    return data;
  };
  switch (type) {
    case dataTypes.float16:
      return floats(dims, fromFloat16(raw));
    case dataTypes.double:
      return floats(
        dims,
        fill(new Float32Array(count), (i) => view.getFloat64(8 * i, true)),
      );
  }
  const read: Record<number, (i: number) => number> = {
    [dataTypes.uint8]: (i) => view.getUint8(i),
    [dataTypes.bool]: (i) => view.getUint8(i),
    [dataTypes.int8]: (i) => view.getInt8(i),
    [dataTypes.uint16]: (i) => view.getUint16(2 * i, true),
    [dataTypes.int16]: (i) => view.getInt16(2 * i, true),
    [dataTypes.int32]: (i) => view.getInt32(4 * i, true),
    [dataTypes.uint32]: (i) => view.getUint32(4 * i, true),
    [dataTypes.int64]: (i) => Number(view.getBigInt64(8 * i, true)),
    [dataTypes.uint64]: (i) => Number(view.getBigUint64(8 * i, true)),
  };
  return { kind: 'constant', type: 'integer', dims, data: fill(new Float64Array(count), read[type]!) };
}

function typed(tensor: TensorProto, count: number, fail: (message: string) => never): Constant {
  const { dataType: type, dims } = tensor;
  const values =
    type === dataTypes.float
      ? tensor.floats
      : type === dataTypes.double
        ? tensor.doubles
        : type === dataTypes.int64
          ? tensor.int64s
          : type === dataTypes.uint64 || type === dataTypes.uint32
            ? tensor.uint64s
            : tensor.int32s;
  if (values.length !== count) fail(`is [${dims}] and has ${values.length} values, expected ${count}`);
  if (type === dataTypes.float16) return floats(dims, Float32Array.from(values, float16Value));
  return isFloat(type) ? floats(dims, Float32Array.from(values)) : integers(dims, values);
}

/** Where the data of a tensor lie beside the model, or null where they are in the model. */
export const externalOf = ({ location, external }: TensorProto): ReadonlyMap<string, string> | null =>
  location === 1 ? new Map(external.map(({ key, value }) => [key, value])) : null;

/** How many bytes a tensor takes beside the model, as far as its type and dimensions tell. */
export const externalLength = ({ dims, dataType }: TensorProto): number =>
  dims.reduce((product, d) => product * Math.max(d, 0), bytesPerElement.get(dataType) ?? 0);

function externalBytes(
  place: ReadonlyMap<string, string>,
  external: ReadonlyMap<string, Uint8Array>,
  expected: number,
  fail: (message: string) => never,
): Uint8Array {
  const location = place.get('location') ?? '';
  const bytes = external.get(location);
  if (!bytes) return fail(`is kept in "${location}", which was not read`);
  const number = (key: string, otherwise: number) => {
    const text = place.get(key);
    if (text === undefined) return otherwise;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return Number.isNaN(value) ? fail(`has the external ${key} "${text}", expected a whole number`) : value;
  };
  const offset = number('offset', 0);
  const length = number('length', expected);
  if (offset + length > bytes.length) {
    fail(`takes bytes ${offset} to ${offset + length} of "${location}", which has ${bytes.length}`);
  }
  return bytes.subarray(offset, offset + length);
}
