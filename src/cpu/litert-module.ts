/** As much of the module that LiteRT.js's script makes as is used, by its declarations in @litertjs/core 2.5. */

interface Deletable {
  delete(): void;
}

interface Vector<T> extends Deletable {
  size(): number;
  get(index: number): T;
}

interface TensorType extends Deletable {
  elementType(): { readonly value: number };
  layout(): Deletable & { dimensions(): Vector<number> };
  bytes(): number;
}

interface Signature extends Deletable {
  inputNames(): Vector<string>;
  outputNames(): Vector<string>;
}

interface LoadedModel extends Deletable {
  getSignature(index: number): Signature;
  getInputTensorType(signature: number, input: number): TensorType;
}

export interface TensorBuffer extends Deletable {
  /** The place of its bytes in the heap until `unlock`. */
  lock(mode: unknown): number;
  unlock(): void;
  packedSize(): number;
  tensorType(): TensorType;
}

interface CompiledModel extends Deletable {
  run(signature: number, inputs: readonly TensorBuffer[]): TensorBuffer[] | Promise<TensorBuffer[]>;
}

export interface LiteRtModule {
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
  _malloc(bytes: number): number;
  _free(place: number): void;
  readonly LiteRtEnvironment: { create(device: null): Deletable };
  loadModel(environment: Deletable, place: number, bytes: number): LoadedModel;
  compileModel(environment: Deletable, model: LoadedModel, options: object): CompiledModel | Promise<CompiledModel>;
  readonly LiteRtTensorBuffer: {
    createManaged(environment: Deletable, kind: unknown, type: TensorType, bytes: number): TensorBuffer;
  };
  readonly LiteRtTensorBufferType: { readonly HOST_MEMORY: unknown };
  readonly LiteRtTensorBufferLockMode: { readonly READ: unknown; readonly WRITE: unknown };
}

/** Makes the module; `locateFile` says where the file of the WebAssembly is. */
export type LiteRtFactory = (options: {
  readonly locateFile: (name: string) => string;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
}) => Promise<LiteRtModule>;

export function listOf<T>(vector: Vector<T>): T[] {
  const values = Array.from({ length: vector.size() }, (_, i) => vector.get(i));
  vector.delete();
  return values;
}
