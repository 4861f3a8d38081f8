import { UsageError } from '../errors.ts';

/** What `toTensor` uses of TensorFlow.js. */
export interface TensorMaker<T> {
  tensor(values: Float32Array, shape: number[], dtype: 'float32'): T;
}

/** A result on its way: what stands where the package has a tensor. */
export class Inference {
  readonly shape: readonly [rows: 1, columns: number];
  readonly dtype = 'float32';
  readonly #values: Promise<Float32Array>;
  #disposed = false;

  /** @internal `infer` makes it. */
  constructor(values: Promise<Float32Array>, shape: readonly [1, number]) {
    this.shape = shape;
    this.#values = values;
    // Told to whoever asks for the values.
    values.catch(() => {});
  }

  /** The values, a copy. Throws what went wrong, and `UsageError` after `dispose`. */
  async data(): Promise<Float32Array> {
    if (this.#disposed) throw new UsageError('the result was disposed of: read it before dispose()');
    return (await this.#values).slice();
  }

  /** The values by rows. Throws as `data` does. */
  async array(): Promise<number[][]> {
    return [[...(await this.data())]];
  }

  /** The values as a tensor of TensorFlow.js, for code that computes with them; whoever asks disposes of it. */
  async toTensor<T>(tf: TensorMaker<T>): Promise<T> {
    return tf.tensor(await this.data(), [...this.shape], 'float32');
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** Nothing is held on the GPU: afterwards the values are refused. */
  dispose(): void {
    this.#disposed = true;
  }

  /** Throws: WebGPU has no way to wait. */
  dataSync(): never {
    return cannotWait('dataSync', 'data');
  }

  /** Throws: WebGPU has no way to wait. */
  arraySync(): never {
    return cannotWait('arraySync', 'array');
  }
}

function cannotWait(name: string, other: string): never {
  throw new UsageError(
    `${name}() cannot wait for WebGPU: write "await result.${other}()" in its place, or "await result.toTensor(tf)" where ` +
      'a tensor is wanted',
  );
}
