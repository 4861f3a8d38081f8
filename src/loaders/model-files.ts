/** A model file and a way to the files beside it. */
export interface ModelFiles {
  /** File name, used in messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /**
   * Reads a file beside the model: a weight shard, external data. `path` is relative and stays in the model's folder:
   * absolute paths, addresses and paths that climb are refused before this is called. A query may follow it
   * (read-beside.ts), which means nothing to a file system.
   */
  readonly read?: (path: string) => Promise<Uint8Array>;
  /** Names of the files beside it, where that is known. */
  readonly beside?: readonly string[];
}

export interface LoadGraphOptions {
  /** Cut the graph at these tensors or nodes, by their names in the file. Default: the file's own outputs. */
  readonly outputs?: readonly string[];
  /** Sizes of inputs, in the file's own order of dimensions (NCHW in most ONNX files). Default: a dynamic batch is 1. */
  readonly inputShapes?: Readonly<Record<string, readonly number[]>>;
  /** Keep how a quantised file holds its network as integers, `Graph.quantisation`. Default: false. */
  readonly quantisation?: boolean;
  readonly signal?: AbortSignal;
}

/** The same bytes without a subclass: Node's `Buffer` has a `slice` of its own, which does not copy. */
export const plainBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);

/** The first character that is not white space, skipping a byte order mark. */
export function firstCharacter(bytes: Uint8Array): string {
  let i = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (i < bytes.length && [0x20, 0x09, 0x0a, 0x0d].includes(bytes[i]!)) i++;
  return i < bytes.length ? String.fromCharCode(bytes[i]!) : '';
}
