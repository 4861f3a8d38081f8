/** Tensors of a TensorFlow Lite file: shapes, quantisation, and constants as float32. */
import { ModelFormatError } from '../../errors.ts';
import { type Constant, elementCount, type FoldBudget, FoldError, floats, integers } from '../core/constants.ts';
import { fromFloat16 } from '../core/weights.ts';
import type { FlatTable } from './flat-table.ts';

/** TensorType of TensorFlow's schema.fbs. */
const typeNames = ['FLOAT32', 'FLOAT16', 'INT32', 'UINT8', 'INT64', 'STRING', 'BOOL', 'INT16', 'COMPLEX64', 'INT8'];
const typeBytes: Readonly<Record<string, number>> = {
  FLOAT32: 4,
  FLOAT16: 2,
  INT32: 4,
  UINT8: 1,
  INT64: 8,
  BOOL: 1,
  INT16: 2,
  INT8: 1,
};

/** What the integers of quantised tensors can hold; biases are INT32. */
export const typeRanges: Readonly<Record<string, readonly [low: number, high: number]>> = {
  UINT8: [0, 255],
  INT8: [-128, 127],
  INT16: [-32768, 32767],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
};

const mostDimensions = 16;
/** One scale for each channel. */
const mostScales = 1 << 20;

/** real = (stored − zeroPoint) · scale, with one pair, or one for each index of `dimension`. */
export interface Quantisation {
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly dimension: number;
}

export interface TfliteTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: string;
  readonly quantisation: Quantisation | null;
  /** The stored bytes of a constant; empty for what is computed. */
  readonly bytes: Uint8Array;
}

export function readTensor(file: string, table: FlatTable, index: number, buffers: readonly FlatTable[]): TfliteTensor {
  const name = table.string(3) || `tensor ${index}`;
  const type = typeNames[table.byte(1)] ?? `type ${table.byte(1)}`;
  const buffer = buffers[table.int(2)];
  if (!buffer) {
    throw new ModelFormatError(file, `tensor "${name}" is in buffer ${table.int(2)}, and there are ${buffers.length}`);
  }
  return {
    name,
    dims: table.ints(0, mostDimensions, `dimensions in tensor "${name}"`),
    type,
    quantisation: readQuantisation(file, name, type, table.table(4)),
    bytes: buffer.bytes(0),
  };
}

function readQuantisation(file: string, name: string, type: string, table: FlatTable | null): Quantisation | null {
  const scales = table?.floats(2, mostScales, `scales in tensor "${name}"`) ?? [];
  if (!table || scales.length === 0) return null;
  const zeroPoints = table.longs(3, mostScales, `zero points in tensor "${name}"`);
  const fail = (message: string): never => {
    throw new ModelFormatError(file, `tensor "${name}" has ${message}`);
  };
  const scale = scales.find((value) => !(value > 0 && Number.isFinite(value)));
  if (scale !== undefined) fail(`the quantisation scale ${scale}, expected a positive number`);
  if (zeroPoints.length !== 0 && zeroPoints.length !== scales.length) {
    fail(`${scales.length} scales and ${zeroPoints.length} zero points`);
  }
  const [low, high] = typeRanges[type] ?? [-Infinity, Infinity];
  const zeroPoint = zeroPoints.find((value) => value < low || value > high);
  if (zeroPoint !== undefined) fail(`the zero point ${zeroPoint} in ${type}, expected ${low} to ${high}`);
  return { scales, zeroPoints, dimension: table.int(6) };
}

/** Of a quantised constant (quantised.ts). */
export type RealNumbers = (file: string, tensor: TfliteTensor, stored: ArrayLike<number>) => Constant;

/**
 * The values of a constant: floats, quantised ones as the real numbers that they stand for; integers as they are. They
 * are taken from `budget`: many tensors may lie in one buffer. `quantised`: where the file has quantised tensors.
 */
export function decodeConstant(
  file: string,
  tensor: TfliteTensor,
  budget: FoldBudget,
  quantised: RealNumbers | null,
): Constant {
  const { name, dims, type, bytes, quantisation } = tensor;
  const fail = (message: string): never => {
    throw new ModelFormatError(file, `tensor "${name}" ${message}`);
  };
  const size = typeBytes[type];
  if (size === undefined) return fail(`is a constant of ${type}, which this engine does not read`);
  let count = 0;
  try {
    count = elementCount(dims);
    // The stored bytes are copied.
    if (bytes.length === count * size) budget.take(2 * count);
  } catch (error) {
    if (!(error instanceof FoldError)) throw error;
    fail(error.message);
  }
  if (bytes.length !== count * size) {
    fail(`is [${dims}] of ${type} and has ${bytes.length} bytes, expected ${count * size}`);
  }
  if (type === 'FLOAT16') return floats(dims, fromFloat16(bytes));
  const stored = storedNumbers(type, bytes);
  if (stored instanceof Float32Array) return floats(dims, stored);
  if (!quantisation) return integers(dims, stored);
  return quantised!(file, tensor, stored);
}

/** Little-endian numbers, as the machines are that WebGPU runs on; a copy, as the bytes may lie at any place. */
function storedNumbers(type: string, bytes: Uint8Array): ArrayLike<number> {
  const { buffer } = bytes.slice();
  if (type === 'FLOAT32') return new Float32Array(buffer);
  if (type === 'INT32') return new Int32Array(buffer);
  if (type === 'INT64') return Float64Array.from(new BigInt64Array(buffer), Number);
  if (type === 'INT16') return new Int16Array(buffer);
  return type === 'INT8' ? new Int8Array(buffer) : bytes;
}
