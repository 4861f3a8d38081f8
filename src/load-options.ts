import type { CpuEngine, CpuFiles } from './cpu/engine.ts';
import type { Graph } from './graph/graph.ts';
import type { FetchingOptions } from './loaders/fetching-options.ts';
import type { LoadProgress } from './loaders/streaming.ts';
import type { RunChoice } from './options.ts';
import type { TuningCache } from './tuning/cache.ts';
import type { SelfCheck } from './tuning/tuned-executor.ts';

/**
 * Where a model comes from: a name of the catalogue (`imagenet/v1-0.25`), an architecture id with random weights
 * (`v2-1.0-224`), an address that is fetched (shards beside it), a file, the files of a folder (model.json and its shards, model.safetensors and config.json), or a graph.
 */
export type ModelSource = string | URL | Blob | ArrayBuffer | Uint8Array | readonly File[] | Graph;

export interface LoadOptions extends RunChoice, FetchingOptions {
  /** Used in messages where the source has no name. */
  readonly name?: string;
  /**
   * `background` (default): after the first result the model moves to the kernels that are fastest on this adapter
   * (`Model.tune`). `off`: it keeps those that it starts with.
   */
  readonly tuning?: 'background' | 'off';
  /**
   * `once` (default): before the first result on a GPU each pipeline runs on made-up layers, several times, against the CPU,
   * unless this adapter passed with this engine in the last 30 days. What computes wrongly is replaced: by a safer kernel,
   * then by float32, then by the CPU; `Model.report` says so. `always`: also what passed. `off`: nothing is checked.
   */
  readonly selfCheck?: SelfCheck;
  /** Where the outcome of tuning is remembered: the browser's IndexedDB unless given; null: nowhere. */
  readonly tuningCache?: TuningCache | null;
  /**
   * What runs on the CPU where `device` is `wasm`, or `auto` finds no adapter, a software one, or that an inference takes
   * more than 30 ms: LiteRT.js, by the address of its files; an engine; `false`: nothing does. Default: in Node the package
   * @litertjs/core where it is installed, in a page nothing.
   */
  readonly cpu?: CpuFiles | CpuEngine | false | undefined;
  /**
   * `false`: once the weights are on the GPU the CPU keeps none of them. What needs them (another device after a loss, tuning,
   * `validate`, `save`) reads the source again, or what `reload` gives; `DeviceLostError` and `UsageError` say where it cannot be read
   * again, `ModelFormatError` where it is another network by then. No CPU engine takes over. Default: true.
   */
  readonly keepWeights?: boolean | undefined;
  /** Gives the source again, for `keepWeights: false`; needed for a source that is bytes or a graph, which a worker does not take then. */
  readonly reload?: (() => ModelSource | Promise<ModelSource>) | undefined;
  /** A device of the caller's; it is never destroyed. */
  readonly gpuDevice?: GPUDevice;
  /** Where WebGPU is, `navigator.gpu` unless given. */
  readonly gpu?: GPU;
  /** Which of a laptop's GPUs; default: as the browser has it. */
  readonly powerPreference?: 'low-power' | 'high-performance';
  /**
   * Cut the network at these tensors, nodes or layers. Default: the file's own outputs; in a TensorFlow.js graph model
   * that decodes its detections by operations which are not run (ArgMax, TopKV2, GatherNd…), what that decoding reads.
   */
  readonly outputs?: readonly string[];
  /**
   * Sizes of a file's inputs by name, in the file's own order of dimensions, where the file leaves them open:
   * `{ x: [1, 3, 48, 192] }`. A dynamic batch is 1 unless given.
   */
  readonly inputShapes?: Readonly<Record<string, readonly number[]>>;
  /** Names of the classes, in the place of the file's own; a line more or less than the classes is the background. */
  readonly labels?: readonly string[];
  /** A further output "embedding" of a classifier, the features that its last layer reads, for `Model.embed`. */
  readonly embedding?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** Of `load` where the model is to run in a worker. */
export interface WorkerLoadOptions extends LoadOptions {
  /**
   * `true`: in a worker of this package's. An address: that of its file dist/worker.js, for a page whose policy allows
   * neither blobs nor addresses made at run time; or a worker that runs `mobilenet-webgpu/worker`.
   */
  readonly worker: true | string | URL | Worker;
}
