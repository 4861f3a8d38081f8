import type { FileEnds } from '../../src/cpu/file-ends.ts';
import type { Graph, PlanOption, Precision } from '../../src/index.ts';

/** The same network in every form that an engine takes. */
export interface BenchModel {
  /** Batch-norm folded, activations in the operations before: what each peer's converter arrives at. */
  readonly graph: Graph;
  readonly onnx: Uint8Array;
  readonly tflite: Uint8Array;
  readonly tfliteOrigin: TfliteOrigin;
  /** How the inputs and outputs of the own file of a quantised model are stored; null for others. */
  readonly ends: FileEnds | null;
}

/** Elements of a tensor: real numbers, or stored integers of a quantised file. */
export type Values = Float32Array | Uint8Array | Int8Array;

/**
 * `own`: the model's own file. `written`: from `graph`, as `onnx` always is. `dequantised`: written too, as TensorFlow Lite
 * computes the model's own file with whole numbers that this engine has not: the real numbers that they stand for.
 */
export type TfliteOrigin = 'own' | 'written' | 'dequantised';

export interface EngineOptions {
  /** Of this engine. */
  readonly plan: PlanOption;
  readonly precision: Precision;
  /** One of the engine's `settingsOf`. */
  readonly setting: string;
  /** Of WebAssembly. */
  readonly threads: number;
  /** Address of the folder that holds each package's own files. */
  readonly runtime: string;
  /** An ONNX file of one operation, for an engine that only starts when it sees a model. */
  readonly smallestOnnx: Uint8Array;
}

/** A module of this folder; importing it brings the engine's JavaScript and nothing else. */
export interface EngineModule {
  readonly version: string;
  /** Backend, WebAssembly and GPU device, as far as the engine has them before it sees a model. */
  start(options: EngineOptions): Promise<Loader>;
}

export interface Loader {
  /** From the model's bytes in memory (TensorFlow.js: from its weights) to ready to run. */
  load(model: BenchModel): Promise<Session<Values>>;
}

/** `V`: the elements that it takes and gives. */
export interface Session<V extends Values = Float32Array> {
  /**
   * Uploads the inputs (NHWC, in the graph's order), runs once, reads every output back. Whatever the engine wants
   * otherwise laid out is laid out before, in `prepare`.
   */
  run(inputs: readonly V[]): Promise<V[]>;
  /** Runs that may be in flight at once; left out: each has to end before the next. */
  readonly inFlight?: number;
  /**
   * What the engine does by itself after a first result, to run faster from then on; `tuned`: measuring kernels too. It is
   * part of no other time.
   */
  settle?(tuned: boolean): Promise<void>;
  /** How the engine runs the model, where there are several ways. */
  readonly note?: string;
  /** Time of an attempt to load that failed and is not counted. */
  readonly lostMs?: number;
  /** Inputs as the engine takes them, where those are not real numbers in NHWC. */
  prepare?(inputs: readonly Float32Array[]): V[];
  /** Outputs of `run` as real numbers in NHWC, where they are not. */
  restore?(outputs: readonly V[]): Float32Array[];
}
