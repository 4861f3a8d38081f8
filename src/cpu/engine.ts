import type { Graph } from '../graph/graph.ts';

/** A network for a CPU engine. */
export interface CpuNetwork {
  /** After the passes, with one operation a node. */
  readonly graph: Graph;
  /** The TensorFlow Lite file that the graph was read from; it is run as it is where it has the graph's inputs and outputs. */
  readonly file: Uint8Array | null;
}

/** A network that is ready to run on the CPU. */
export interface CpuExecutor {
  /** Whether the network's own file runs, not one written from its graph. */
  readonly asFile: boolean;
  /** Whether layers compute in integers, as the file says, where the graph has real numbers. */
  readonly integers: boolean;
  /** One inference. Dense NHWC float32: in the order of the graph's inputs, and by the name of each output. */
  run(inputs: readonly Float32Array[]): Promise<Record<string, Float32Array>>;
  /** Frees its memory. It cannot run afterwards. */
  dispose(): void;
}

/** What runs networks fast without a GPU: `liteRt` of `mobilenet-webgpu/cpu`, or a caller's own. */
export interface CpuEngine {
  /** Used in messages, as in "chosen over …". */
  readonly name: string;
  /** Throws `DeviceError` where the engine cannot be had, `UnsupportedOpError` where it cannot run the network. */
  open(network: CpuNetwork): Promise<CpuExecutor>;
}

/**
 * Where the files of LiteRT.js are: the address of the folder `wasm` of the package @litertjs/core, or of each of its files
 * by name.
 */
export type CpuFiles = string | URL | Readonly<Record<string, string>>;
