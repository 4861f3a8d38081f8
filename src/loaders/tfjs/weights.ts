import { ModelFormatError } from '../../errors.ts';
import { type Constant, elementCount, FoldBudget, FoldError, floats } from '../core/constants.ts';
import { field, isRecord, listOf } from '../core/json.ts';
import { fromFloat16 } from '../core/weights.ts';
import type { LoadGraphOptions, ModelFiles } from '../model-files.ts';
import { readBeside } from '../read-beside.ts';

interface Quantization {
  readonly type: 'uint8' | 'uint16' | 'float16';
  readonly scale: number;
  readonly min: number;
}

interface Weight {
  readonly shape: readonly number[];
  readonly count: number;
  readonly type: string;
  readonly quantization: Quantization | null;
  readonly bytes: Uint8Array;
}

const widths = new Map([
  ['float32', 4],
  ['int32', 4],
  ['bool', 1],
  ['uint8', 1],
  ['uint16', 2],
  ['float16', 2],
]);

/** The weights of a model.json, by name; decoded when asked for. */
export class TfjsWeights {
  private readonly file: string;
  private readonly weights = new Map<string, Weight>();
  /** For what is made of the file and of all shards. */
  readonly budget: FoldBudget;

  private constructor(file: string, budget: FoldBudget) {
    this.file = file;
    this.budget = budget;
  }

  /** Reads every shard. Throws `ModelFormatError` where one is missing or has another length than its weights. */
  static async read(files: ModelFiles, manifest: unknown, { signal }: LoadGraphOptions): Promise<TfjsWeights> {
    const groups: { paths: string[]; shards: Uint8Array[]; specifications: readonly unknown[] }[] = [];
    const read = new Set<string>();
    for (const group of listOf(manifest)) {
      const paths = listOf(field(group, 'paths'));
      for (const path of paths) {
        if (typeof path !== 'string')
          throw new ModelFormatError(files.name, 'weightsManifest has a path that is no string');
        if (read.has(path)) throw new ModelFormatError(files.name, `weightsManifest names the file "${path}" twice`);
        read.add(path);
      }
      const shards = await Promise.all((paths as string[]).map((path) => readBeside(files, path, signal)));
      groups.push({ paths: paths as string[], shards, specifications: listOf(field(group, 'weights')) });
    }
    const bytes = groups.flatMap(({ shards }) => shards).reduce((sum, { length }) => sum + length, 0);
    const result = new TfjsWeights(files.name, new FoldBudget(files.bytes.length + bytes));
    for (const { paths, shards, specifications } of groups) result.add(paths, shards, specifications);
    return result;
  }

  private add(paths: readonly string[], shards: readonly Uint8Array[], specifications: readonly unknown[]): void {
    const where = paths.join(', ');
    const bytes = shards.length === 1 ? shards[0]! : joined(shards);
    let offset = 0;
    for (const specification of specifications) {
      const name = field(specification, 'name');
      if (typeof name !== 'string')
        throw new ModelFormatError(this.file, 'weightsManifest has a weight without a name');
      const weight = this.weight(name, specification);
      const length = weight.count * widths.get(weight.quantization?.type ?? weight.type)!;
      if (offset + length > bytes.length) {
        throw new ModelFormatError(
          this.file,
          `weight "${name}" ([${weight.shape}]) is bytes ${offset} to ${offset + length} of ${where}, ` +
            `which ${paths.length === 1 ? 'has' : 'have'} ${bytes.length}: truncated, or another model's file`,
        );
      }
      if (this.weights.has(name)) throw new ModelFormatError(this.file, `has two weights named "${name}"`);
      this.weights.set(name, { ...weight, bytes: bytes.subarray(offset, offset + length) });
      offset += length;
    }
    if (offset !== bytes.length) {
      throw new ModelFormatError(
        this.file,
        `the weights of ${where} take ${offset} bytes, and the file has ${bytes.length}: it belongs to another model`,
      );
    }
  }

  private weight(name: string, specification: unknown): Omit<Weight, 'bytes'> {
    const fail = (message: string): never => {
      throw new ModelFormatError(this.file, `weight "${name}" ${message}`);
    };
    const type = field(specification, 'dtype');
    if (type !== 'float32' && type !== 'int32' && type !== 'bool') {
      return fail(`has the type ${JSON.stringify(type)}, expected float32, int32 or bool`);
    }
    const shape = listOf(field(specification, 'shape'));
    let count: number;
    try {
      count = elementCount(shape as number[]);
    } catch (error) {
      if (!(error instanceof FoldError)) throw error;
      return fail(error.message);
    }
    const quantization = field(specification, 'quantization');
    if (!isRecord(quantization)) return { shape: shape as number[], count, type, quantization: null };
    const stored = field(quantization, 'dtype');
    if (stored !== 'uint8' && stored !== 'uint16' && stored !== 'float16') {
      return fail(`is quantised as ${JSON.stringify(stored)}, expected uint8, uint16 or float16`);
    }
    const number = (key: string) => {
      const value = field(quantization, key);
      return typeof value === 'number' && Number.isFinite(value) ? value : fail(`has no finite quantization ${key}`);
    };
    const [scale, min] = stored === 'float16' ? [1, 0] : [number('scale'), number('min')];
    return { shape: shape as number[], count, type, quantization: { type: stored, scale, min } };
  }

  has(name: string): boolean {
    return this.weights.has(name);
  }

  names(): Iterable<string> {
    return this.weights.keys();
  }

  /** `check` sees the shape before anything is decoded. */
  get(name: string, check?: (shape: readonly number[]) => void): Constant | undefined {
    const weight = this.weights.get(name);
    if (!weight) return undefined;
    check?.(weight.shape);
    this.budget.takeFor(weight.type === 'float32' ? 'float' : 'integer', weight.count);
    return decode(weight);
  }
}

/** value = stored · scale + min, as TensorFlow.js dequantises; integers are rounded. */
function decode({ shape, count, type, quantization, bytes }: Weight): Constant {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const integer = (data: Float64Array): Constant => ({ kind: 'constant', type: 'integer', dims: shape, data });
  if (!quantization) {
    if (type === 'float32') return floats(shape, new Float32Array(bytes.slice().buffer));
    const read = type === 'bool' ? (i: number) => view.getUint8(i) : (i: number) => view.getInt32(4 * i, true);
    return integer(Float64Array.from({ length: count }, (_, i) => read(i)));
  }
  const { type: stored, scale, min } = quantization;
  const values = stored === 'float16' ? fromFloat16(bytes) : new Float32Array(count);
  if (stored === 'uint8') for (let i = 0; i < count; i++) values[i] = view.getUint8(i) * scale + min;
  else if (stored === 'uint16') for (let i = 0; i < count; i++) values[i] = view.getUint16(2 * i, true) * scale + min;
  return type === 'float32' ? floats(shape, values) : integer(Float64Array.from(values, Math.round));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}
