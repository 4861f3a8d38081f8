/**
 * Evaluates what depends on constants alone: shapes computed in the graph, weights prepared in it, and the loops into
 * which exporters decompose `as_strided`. Nothing here knows about the network's own tensors.
 */
import {
  broadcastDims,
  type Constant,
  elementCount,
  type FoldBudget,
  FoldError,
  floats,
  integers,
  reshape,
} from '../core/constants.ts';
import { axisOf, flattenedDims, resolveReshape, squeezedDims, unsqueezedDims } from '../core/dims.ts';
import { cast, combine, concat, expand, gather, map, slice, transpose } from '../core/fold.ts';
import {
  attribute,
  axesOf,
  constantOf,
  intOf,
  intsOf,
  isStandard,
  permutationOf,
  shapeOf,
  slicesOf,
} from './attributes.ts';
import { dataTypes, type GraphProto, type NodeProto, type TensorProto } from './proto.ts';
import { isFloat, isNumeric, typeName } from './tensor.ts';

/** A list of tensors, as the sequence operations make it. */
export interface Sequence {
  readonly kind: 'sequence';
  readonly items: readonly Constant[];
}

export type Folded = Constant | Sequence;

interface Call {
  readonly node: NodeProto;
  readonly inputs: readonly (Constant | undefined)[];
  readonly budget: FoldBudget;
  /** The input at `i`, which must be there. */
  readonly at: (i: number) => Constant;
}

const divide = (type: Constant['type']) =>
  type === 'integer' ? (x: number, y: number) => Math.trunc(x / y) : (x: number, y: number) => x / y;

const unary =
  (f: (x: number) => number) =>
  ({ at, budget }: Call): Constant =>
    map(at(0), budget, f);

const binary =
  (f: (x: number, y: number) => number) =>
  ({ at, budget }: Call): Constant =>
    combine(at(0), at(1), budget, f);

/** Of any number of operands. */
const variadic =
  (f: (x: number, y: number) => number) =>
  ({ at, inputs, budget }: Call): Constant =>
    inputs.slice(1).reduce<Constant>((a, _, i) => combine(a, at(i + 1), budget, f), at(0));

const compare =
  (f: (x: number, y: number) => boolean) =>
  ({ at, budget }: Call): Constant =>
    combine(at(0), at(1), budget, (x, y) => Number(f(x, y)), 'integer');

function castTo({ at, budget }: Call, type: number): Constant {
  const value = at(0);
  if (!isNumeric(type)) throw new FoldError(`converts to ${typeName(type)}`);
  if (type === dataTypes.bool) return map({ ...value, type: 'integer' }, budget, (x) => +(x !== 0));
  return cast(value, isFloat(type) ? 'float' : 'integer', budget);
}

const operations = new Map<string, (call: Call) => Constant>([
  ['Identity', ({ at }) => at(0)],
  ['Dropout', ({ at }) => at(0)],
  ['Add', binary((x, y) => x + y)],
  ['Sub', binary((x, y) => x - y)],
  ['Mul', binary((x, y) => x * y)],
  ['Div', ({ at, budget }) => combine(at(0), at(1), budget, divide(at(0).type))],
  [
    'Mod',
    ({ at, node, budget }) => {
      const round = intOf(node, 'fmod', 0) === 1 ? Math.trunc : Math.floor;
      return combine(at(0), at(1), budget, (x, y) => x - round(x / y) * y);
    },
  ],
  ['Pow', binary((x, y) => x ** y)],
  ['Max', variadic(Math.max)],
  ['Min', variadic(Math.min)],
  ['Sum', variadic((x, y) => x + y)],
  ['Neg', unary((x) => -x)],
  ['Abs', unary(Math.abs)],
  ['Sqrt', unary(Math.sqrt)],
  ['Reciprocal', unary((x) => 1 / x)],
  ['Exp', unary(Math.exp)],
  ['Log', unary(Math.log)],
  ['Floor', unary(Math.floor)],
  ['Ceil', unary(Math.ceil)],
  ['Not', unary((x) => Number(x === 0))],
  ['Equal', compare((x, y) => x === y)],
  ['Less', compare((x, y) => x < y)],
  ['Greater', compare((x, y) => x > y)],
  ['LessOrEqual', compare((x, y) => x <= y)],
  ['GreaterOrEqual', compare((x, y) => x >= y)],
  ['And', compare((x, y) => x !== 0 && y !== 0)],
  ['Or', compare((x, y) => x !== 0 || y !== 0)],
  ['Cast', (call) => castTo(call, intOf(call.node, 'to', 0))],
  ['CastLike', ({ at, budget }) => cast(at(0), at(1).type, budget)],
  ['Shape', ({ at, node }) => shapeOf(at(0).dims, node)],
  ['Size', ({ at }) => integers([], [elementCount(at(0).dims)])],
  [
    'Reshape',
    ({ at, node }) => reshape(at(0), resolveReshape(at(0).dims, at(1).data, intOf(node, 'allowzero', 0) === 1)),
  ],
  ['Flatten', ({ at, node }) => reshape(at(0), flattenedDims(at(0).dims, intOf(node, 'axis', 1)))],
  [
    'Squeeze',
    ({ at, inputs, node }) => reshape(at(0), squeezedDims(at(0).dims, axesOf(node, inputs[1], at(0).dims.length))),
  ],
  [
    'Unsqueeze',
    ({ at, inputs, node }) =>
      reshape(at(0), unsqueezedDims(at(0).dims, inputs[1] ? [...inputs[1].data] : (intsOf(node, 'axes') ?? []))),
  ],
  ['Transpose', ({ at, node, budget }) => transpose(at(0), permutationOf(node, at(0).dims.length), budget)],
  ['Gather', ({ at, node, budget }) => gather(at(0), at(1), axisOf(intOf(node, 'axis', 0), at(0).dims.length), budget)],
  [
    'Concat',
    ({ at, inputs, node, budget }) =>
      concat(
        inputs.map((_, i) => at(i)),
        axisOf(intOf(node, 'axis', 0), at(0).dims.length),
        budget,
      ),
  ],
  ['Slice', ({ at, inputs, node, budget }) => slice(at(0), slicesOf(node, at(0).dims, inputs), budget)],
  ['Expand', ({ at, budget }) => expand(at(0), broadcastDims(at(0).dims, checked([...at(1).data])), budget)],
  [
    'ConstantOfShape',
    ({ at, budget }) => {
      const dims = checked([...at(0).data]);
      return expand(floats([], new Float32Array(1)), dims, budget);
    },
  ],
  [
    'Range',
    ({ at, budget }) => {
      const [start, limit, delta] = [at(0).data[0]!, at(1).data[0]!, at(2).data[0]!];
      const length = Math.max(0, Math.ceil((limit - start) / delta));
      budget.take(length);
      const values = Array.from({ length: elementCount([length]) }, (_, i) => start + i * delta);
      return at(0).type === 'float' ? floats([length], Float32Array.from(values)) : integers([length], values);
    },
  ],
  [
    'Where',
    ({ at, budget }) => {
      const dims = broadcastDims(broadcastDims(at(0).dims, at(1).dims), at(2).dims);
      const [condition, x, y] = [expand(at(0), dims, budget), expand(at(1), dims, budget), expand(at(2), dims, budget)];
      const picked = map(x, budget, (v) => v);
      condition.data.forEach((c, i) => {
        if (c === 0) picked.data[i] = y.data[i]!;
      });
      return picked;
    },
  ],
  [
    'ReduceProd',
    ({ at, node, inputs }) => {
      const axes = axesOf(node, inputs[1], at(0).dims.length);
      if (at(0).dims.length !== 1 || (axes && axes.length !== 1))
        throw new FoldError('reduces more than a vector', true);
      let product = 1;
      for (const value of at(0).data) product *= value;
      const dims = intOf(node, 'keepdims', 1) === 1 ? [1] : [];
      return at(0).type === 'float' ? floats(dims, Float32Array.of(product)) : integers(dims, [product]);
    },
  ],
]);

function checked(dims: number[]): number[] {
  elementCount(dims);
  return dims;
}

/** What an evaluation or a round of a loop costs beside the elements that it reads, in elements. */
const stepCost = 50;

export class OnnxFolder {
  private readonly budget: FoldBudget;
  private readonly decode: (tensor: TensorProto) => Constant;
  private work: number;

  /** `work`: how many elements may be read, those of loops in each round. */
  constructor(budget: FoldBudget, work: number, decode: (tensor: TensorProto) => Constant) {
    this.work = work;
    this.budget = budget;
    this.decode = decode;
  }

  /**
   * The outputs of a node all of whose inputs are folded (`undefined` where one is left out), or null where the
   * operation is not known here. `outer` finds what a loop's body takes from around it. Throws `FoldError`.
   */
  fold(
    node: NodeProto,
    inputs: readonly (Folded | undefined)[],
    outer: (name: string) => Folded | undefined,
  ): readonly Folded[] | null {
    this.step(inputs.reduce((sum, input) => sum + lengthOf(input), 0));
    if (!isStandard(node)) return null;
    switch (node.op) {
      case 'Constant':
        // A loop's body decodes it again each round.
        return [this.counted(constantOf(node, this.decode))];
      case 'If':
        return this.branch(node, inputs, outer);
      case 'Loop':
        return this.loop(node, inputs, outer);
      case 'SequenceEmpty':
        return [{ kind: 'sequence', items: [] }];
      case 'SequenceConstruct':
        return [{ kind: 'sequence', items: inputs.map((_, i) => tensorAt(inputs, i)) }];
      case 'SequenceInsert':
        return [this.insert(inputs)];
      case 'ConcatFromSequence':
        return [this.join(node, inputs)];
    }
    const value = node.op === 'ConstantOfShape' ? attribute(node, 'value')?.tensor : null;
    if (value) {
      const filler = this.decode(value);
      return [expand(reshape(filler, []), checked([...tensorAt(inputs, 0).data]), this.budget)];
    }
    if (inputs.some((input) => input?.kind === 'sequence')) return node.op === 'Identity' ? [inputs[0]!] : null;
    const operation = operations.get(node.op);
    if (!operation) return null;
    const tensors = inputs as readonly (Constant | undefined)[];
    const at = (i: number) => tensorAt(inputs, i);
    return [operation({ node, inputs: tensors, budget: this.budget, at })];
  }

  private step(elements = 0): void {
    this.work -= stepCost + elements;
    if (this.work < 0) throw new FoldError('takes too many steps to evaluate');
  }

  private counted(value: Constant): Constant {
    this.step(value.data.length);
    return value;
  }

  private branch(
    node: NodeProto,
    inputs: readonly (Folded | undefined)[],
    outer: (name: string) => Folded | undefined,
  ): readonly Folded[] {
    const name = tensorAt(inputs, 0).data[0] ? 'then_branch' : 'else_branch';
    return this.body(graphOf(node, name), new Map(), outer);
  }

  private loop(
    node: NodeProto,
    inputs: readonly (Folded | undefined)[],
    outer: (name: string) => Folded | undefined,
  ): readonly Folded[] {
    const body = graphOf(node, 'body');
    const carried = inputs.length - 2;
    if (body.inputs.length !== carried + 2 || body.outputs.length !== carried + 1) {
      throw new FoldError(
        'collects values over its rounds, or its body has another number of values than the loop',
        true,
      );
    }
    const trips = inputs[0] ? (tensorAt(inputs, 0).data[0] ?? 0) : Number.POSITIVE_INFINITY;
    let condition = inputs[1] ? tensorAt(inputs, 1) : integers([], [1]);
    let values = inputs.slice(2);
    for (let i = 0; i < trips && condition.data[0]; i++) {
      // A body may have no node that would count.
      this.step();
      const own = new Map<string, Folded>();
      body.inputs.forEach(({ name }, k) => {
        const value = k === 0 ? integers([], [i]) : k === 1 ? condition : values[k - 2];
        if (value) own.set(name, value);
      });
      const results = this.body(body, own, outer);
      condition = tensorAt(results, 0);
      values = results.slice(1);
    }
    return values.map((value) => {
      if (!value) throw new FoldError('carries a value that is left out');
      return value;
    });
  }

  private body(
    graph: GraphProto,
    own: Map<string, Folded>,
    outer: (name: string) => Folded | undefined,
  ): readonly Folded[] {
    for (const tensor of graph.initializers) own.set(tensor.name, this.counted(this.decode(tensor)));
    const find = (name: string) => own.get(name) ?? outer(name);
    const need = (name: string, by: string) => {
      const value = find(name);
      if (!value) throw new FoldError(`reads "${name}" in its body (${by}), which is no constant`, true);
      return value;
    };
    for (const node of graph.nodes) {
      const inputs = node.inputs.map((name) => (name === '' ? undefined : need(name, node.op)));
      const outputs = this.fold(node, inputs, find);
      if (!outputs) throw new FoldError(`holds the operation ${node.op} ("${node.name}") in its body`, true);
      node.outputs.forEach((name, i) => {
        if (name !== '' && outputs[i]) own.set(name, outputs[i]);
      });
    }
    return graph.outputs.map(({ name }) => need(name, 'output'));
  }

  private insert(inputs: readonly (Folded | undefined)[]): Sequence {
    const [sequence, , position] = inputs;
    if (sequence?.kind !== 'sequence') throw new FoldError('inserts into what is no sequence');
    const length = sequence.items.length;
    const at = position?.kind === 'constant' ? position.data[0]! : length;
    if (!(at >= -length && at <= length)) throw new FoldError(`inserts at ${at} of ${length}`);
    this.budget.take(length);
    const items = [...sequence.items];
    items.splice(at < 0 ? at + length : at, 0, tensorAt(inputs, 1));
    return { kind: 'sequence', items };
  }

  private join(node: NodeProto, inputs: readonly (Folded | undefined)[]): Constant {
    const [sequence] = inputs;
    if (sequence?.kind !== 'sequence' || sequence.items.length === 0) throw new FoldError('joins an empty sequence');
    if (intOf(node, 'new_axis', 0) !== 0) throw new FoldError('joins along a new axis', true);
    return concat(sequence.items, axisOf(intOf(node, 'axis', 0), sequence.items[0]!.dims.length), this.budget);
  }
}

function lengthOf(value: Folded | undefined): number {
  if (value?.kind === 'sequence') return value.items.length;
  return value?.data.length ?? 0;
}

function tensorAt(values: readonly (Folded | undefined)[], i: number): Constant {
  const value = values[i];
  if (value?.kind !== 'constant') throw new FoldError(`has no constant tensor as input ${i}`);
  return value;
}

function graphOf(node: NodeProto, name: string): GraphProto {
  const graph = attribute(node, name)?.graph;
  if (!graph) throw new FoldError(`has no ${name}`);
  return graph;
}
