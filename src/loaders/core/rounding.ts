/**
 * The second reading of a quantised file, for `Graph.quantisation`: every tensor that the file holds as integers is rounded to
 * them in the graph too, and constants are noted with their scales.
 */
import type { Node } from '../../graph/ops.ts';
import type { GraphQuantisation, StoredTensor, WeightQuantisation } from '../../graph/quantisation.ts';
import type { Constant } from './constants.ts';
import type { ImportBuilder, Place, Value, Variable } from './import-builder.ts';

/** How a file holds a constant. Stored numbers and zero points are those of int8, biases' of int32. */
export interface StoredConstant {
  readonly name: string;
  readonly scales: ArrayLike<number>;
  readonly zeroPoints: readonly number[];
  /** Of biases. */
  readonly bias: Int32Array | null;
}

export class Rounding {
  readonly #tensors = new Map<string, StoredTensor>();
  readonly #weights = new Map<string, WeightQuantisation>();
  readonly #constants = new WeakMap<Value, StoredConstant>();

  /** A constant whose real numbers are `value`. */
  keep(value: Constant, stored: StoredConstant): void {
    this.#constants.set(value, stored);
  }

  stored(value: Value): StoredConstant | undefined {
    return this.#constants.get(value);
  }

  /** `x` as the integers of `tensor` hold it. */
  rounded(builder: ImportBuilder, place: Place, x: Variable, tensor: StoredTensor): Variable {
    const { scale, zeroPoint } = tensor;
    const step = (kind: 'quantise' | 'dequantise', from: Variable) =>
      builder.same(
        place,
        from,
        { op: 'integer', inputs: [from.tensor], body: { kind, scale, zeroPoint } },
        kind === 'quantise' ? 'stored' : 'real',
      );
    const stored = step('quantise', x);
    this.#tensors.set(stored.tensor, tensor);
    return step('dequantise', stored);
  }

  /** What `result` was made with: the constants among `values` belong to the node with weights on the way to it. */
  note(builder: ImportBuilder, place: Place, result: Value | undefined, values: readonly (Value | undefined)[]): void {
    const known = values.flatMap((value) => (value && this.#constants.get(value)) ?? []);
    const weights = known.find(({ bias }) => !bias);
    if (!weights) return;
    const bias = known.find(({ bias }) => bias);
    let node: Node | undefined = result?.kind === 'variable' ? builder.producer(result.tensor) : undefined;
    while (node?.op === 'activation' || node?.op === 'reshape' || node?.op === 'transpose') {
      node = builder.producer(node.inputs[0]!);
    }
    // What is spread over the batch has no node yet.
    this.#weights.set(node?.name ?? place.node, {
      name: weights.name,
      scales: Float32Array.from(weights.scales),
      zeroPoints: weights.zeroPoints,
      bias: bias ? { name: bias.name, stored: bias.bias!, scales: Float32Array.from(bias.scales) } : null,
    });
  }

  /** Null where the network has no tensor of integers. */
  finish(
    runtime: GraphQuantisation['runtime'],
    { nodes, outputs }: Pick<GraphQuantisation, 'nodes' | 'outputs'>,
  ): GraphQuantisation | null {
    if (this.#tensors.size === 0) return null;
    return { runtime, nodes, outputs, tensors: this.#tensors, weights: this.#weights };
  }
}
