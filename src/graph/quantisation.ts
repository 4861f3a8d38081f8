import type { Quantisation } from './integers.ts';
import type { Node } from './ops.ts';

/**
 * A quantised network as its file has it (`Graph.quantisation`, beside the graph on real numbers): the operations of the file on
 * real numbers, with a `Quantise` and a `Dequantise` after each tensor that the file holds as integers of 8 bits. What src/passes/
 * integers.ts makes a graph of integers of.
 */
export interface GraphQuantisation {
  /** Whose arithmetic gives the bytes that the file's own runtime gives. */
  readonly runtime: 'xnnpack' | 'mlas';
  /** With the inputs of the graph, in topological order. An activation "none" stands where the file itself goes to real numbers. */
  readonly nodes: readonly Node[];
  /** The graph's outputs, by the names of tensors of these nodes. */
  readonly outputs: readonly { readonly name: string; readonly tensor: string }[];
  /** By the tensor that each `Quantise` writes. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Of the constants of nodes that have some, by the node's name. */
  readonly weights: ReadonlyMap<string, WeightQuantisation>;
  /** Why there are no nodes, where the file has what has no such form. */
  readonly refused?: { readonly node: string; readonly op: string; readonly message: string };
}

export interface StoredTensor extends Quantisation {
  /** Its name in the file. */
  readonly name: string;
  /** What the file holds; where it is uint8, the zero point here is 128 less than there. */
  readonly type: 'int8' | 'uint8';
}

/**
 * The integers behind a node's weights, which its graph has as real numbers: stored = round(real / scale) + zeroPoint gives them
 * back, as (stored − zeroPoint) · scale rounded to float32 is within 2^-16 of a step.
 */
export interface WeightQuantisation {
  /** What the file calls the operation that reads it. */
  readonly operation: string;
  /** The tensor's name in the file. */
  readonly name: string;
  /** One for all, or one for each output channel; zero points of −128 to 127. */
  readonly scales: Float32Array;
  readonly zeroPoints: readonly number[];
  /** Exact, as float32 would not be; null where there is none. */
  readonly bias: { readonly name: string; readonly stored: Int32Array; readonly scales: Float32Array } | null;
}
