import type { Graph } from '../../src/index.ts';

/** An engine on a device, ready to be given a network. */
export interface Engine {
  readonly name: string;
  readonly version: string;
  readonly device: 'webgpu' | 'wasm';
  /**
   * Prepares the network, batch-norm folded, as the engine's own converter would hand it over.
   * `outputs[0]` is compared and read back.
   */
  load(graph: Graph): Promise<Session>;
}

export interface Session {
  /** Input up, one inference, the first output back. */
  run(input: Float32Array): Promise<Float32Array>;
}
