/**
 * The second reading of a quantised file, for `Graph.quantisation`: every tensor that the file holds as integers is rounded to
 * them in the graph too, and constants are noted with their scales.
 */
import { UnsupportedOpError } from '../../errors.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Quantisation } from '../../graph/integers.ts';
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
    const stored = convert(builder, place, x, 'quantise', tensor);
    this.#tensors.set(stored.tensor, tensor);
    return convert(builder, place, stored, 'dequantise', tensor);
  }

  /** The integers behind `real`, which `rounded` gave, read with another scale. */
  reread(builder: ImportBuilder, place: Place, real: Variable, step: Quantisation): Variable | null {
    const node = builder.producer(real.tensor);
    if (node?.op !== 'integer') return null;
    return convert(builder, place, { ...real, tensor: node.inputs[0]! }, 'dequantise', step);
  }

  /**
   * What `result` was made with: the constants among `values` belong to the node with weights on the way to it. `groups`: of a
   * transposed convolution, which has the scales of one group for the outputs of each.
   */
  note(
    builder: ImportBuilder,
    place: Place,
    result: Value | undefined,
    values: readonly (Value | undefined)[],
    groups = 1,
  ): void {
    const known = values.flatMap((value) => (value && this.#constants.get(value)) ?? []);
    const weights = known.find(({ bias }) => !bias);
    if (!weights) return;
    const bias = known.find(({ bias }) => bias);
    let node: Node | undefined = result?.kind === 'variable' ? builder.producer(result.tensor) : undefined;
    while (node?.op === 'activation' || node?.op === 'reshape' || node?.op === 'transpose') {
      node = builder.producer(node.inputs[0]!);
    }
    const { length } = weights.scales;
    const outputs = node?.op === 'conv-transpose2d' ? node.outChannels : 0;
    const count = length * groups === outputs ? outputs : length;
    // What is spread over the batch has no node yet.
    this.#weights.set(node?.name ?? place.node, {
      operation: place.op,
      name: weights.name,
      scales: Float32Array.from({ length: count }, (_, i) => weights.scales[i % length]!),
      zeroPoints: weights.zeroPoints,
      bias: bias ? { name: bias.name, stored: bias.bias!, scales: Float32Array.from(bias.scales) } : null,
    });
  }

  get found(): Pick<GraphQuantisation, 'tensors' | 'weights'> {
    return { tensors: this.#tensors, weights: this.#weights };
  }
}

function convert(
  builder: ImportBuilder,
  place: Place,
  from: Variable,
  kind: 'quantise' | 'dequantise',
  { scale, zeroPoint }: Quantisation,
): Variable {
  const body = { kind, scale, zeroPoint } as const;
  const suffix = kind === 'quantise' ? 'stored' : 'real';
  return builder.same(place, from, { op: 'integer', inputs: [from.tensor], body }, suffix);
}

/**
 * `graph`, the network on real numbers, with how its file holds it, which `load` reads with roundings; as it is where no tensor of
 * the network is integers.
 */
export async function withQuantisation(
  graph: Graph,
  runtime: GraphQuantisation['runtime'],
  load: (rounding: Rounding) => Promise<Graph>,
): Promise<Graph> {
  const rounding = new Rounding();
  try {
    const { nodes, outputs } = await load(rounding);
    const { found } = rounding;
    return found.tensors.size === 0 ? graph : { ...graph, quantisation: { runtime, nodes, outputs, ...found } };
  } catch (error) {
    if (!(error instanceof UnsupportedOpError)) throw error;
    const { node, op, message } = error;
    const none = { nodes: [], outputs: [], tensors: new Map(), weights: new Map() };
    return { ...graph, quantisation: { runtime, ...none, refused: { node, op, message } } };
  }
}
