/** What `Model.run` takes and gives. */

/** Values for the inputs: dense float32 by input name, or one array where there is one input; NHWC unless `run` is told. */
export type Inputs = Float32Array | Readonly<Record<string, Float32Array>>;

/**
 * Inputs of which some lie in buffers of the model's device: dense float32 as well, of the usage `STORAGE` and 4 bytes an
 * element. What is in them is not checked: numbers must be finite, and nobody writes into them until the run has ended.
 */
export type BufferInputs = GPUBuffer | Readonly<Record<string, Float32Array | GPUBuffer>>;

/** Dense NHWC float32 by output name. */
export type Outputs = Record<string, Float32Array>;

/** The order of a tensor's elements: batch, height, width, channels, or batch, channels, height, width. */
export type Layout = 'nhwc' | 'nchw';

export interface RunOptions {
  /** Of inputs and outputs, default `nhwc`; files of PyTorch and ONNX are used to `nchw`, of which the length is the same. */
  readonly layout?: Layout | undefined;
  /**
   * Buffers of the model's device that outputs are written to, by name, or for the only one: dense float32, of the usage
   * `STORAGE` and 4 bytes an element. Such outputs are not in the result. They hold them once it is there.
   */
  readonly into?: GPUBuffer | Readonly<Record<string, GPUBuffer>> | undefined;
  readonly signal?: AbortSignal | undefined;
}
