/** TensorFlow.js graph models: model.json and its weight shards. */
import { ModelFormatError, UnsupportedOpError, UsageError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { FoldBudget, FoldError } from './constants.ts';
import { type Axis, GraphBuilder, listed, nhwc, type Place, type Value } from './graph-builder.ts';
import { field, isRecord, parseJson } from './json.ts';
import type { LoadGraphOptions, ModelFiles } from './model-files.ts';
import { schedule } from './schedule.ts';
import { numericTypes, TfjsAttributes } from './tfjs-attributes.ts';
import { operations, type TfjsOperation } from './tfjs-operations.ts';
import { TfjsWeights } from './tfjs-weights.ts';

const maxNodes = 100_000;

interface TfjsNode {
  readonly name: string;
  readonly op: string;
  /** Tensors read: `node` or `node:1`; no control inputs. */
  readonly inputs: readonly string[];
  readonly attributes: TfjsAttributes;
}

/**
 * A TensorFlow.js graph model. Inputs are named by their placeholders, outputs by the keys of the signature (without
 * `:0`), or by the nodes that nothing reads. A dynamic batch is 1.
 *
 * Throws `ModelFormatError`, `UnsupportedOpError`, or `UsageError` for names and shapes in `options`.
 */
export async function loadTfjs(files: ModelFiles, options: LoadGraphOptions): Promise<Graph> {
  const model = parseJson(files.name, files.bytes);
  const topology = field(model, 'modelTopology');
  const nodes = field(topology, 'node');
  if (!Array.isArray(nodes)) {
    const layers = field(model, 'format') === 'layers-model' || field(topology, 'model_config') !== undefined;
    throw new ModelFormatError(
      files.name,
      layers
        ? 'is a TensorFlow.js layers model; expected a graph model: convert it with tensorflowjs_converter'
        : 'is JSON without modelTopology.node; expected a TensorFlow.js graph model',
    );
  }
  if (nodes.length > maxNodes) throw new ModelFormatError(files.name, `has more than ${maxNodes} nodes`);
  const parsed = nodes.map((node, i) => parseNode(files.name, node, i));
  const loader = new TfjsLoader(files, parsed, field(model, 'signature') ?? field(topology, 'signature'), options);
  return loader.load(await TfjsWeights.read(files, field(model, 'weightsManifest'), options));
}

function parseNode(file: string, node: unknown, index: number): TfjsNode {
  const name = field(node, 'name');
  const op = field(node, 'op');
  const inputs = field(node, 'input') ?? [];
  if (typeof name !== 'string' || typeof op !== 'string' || name === '') {
    throw new ModelFormatError(file, `node ${index} has no name or no op`);
  }
  if (!Array.isArray(inputs) || !inputs.every((input) => typeof input === 'string')) {
    throw new ModelFormatError(file, `node "${name}" (${op}) has inputs that are no names`);
  }
  const attributes = new TfjsAttributes(file, name, field(node, 'attr'));
  return { name, op, inputs: inputs.filter((input) => !input.startsWith('^')).map(withoutZero), attributes };
}

const withoutZero = (name: string): string => name.replace(/:0$/, '');

/** `node:1` → `node`. */
const nodeOf = (tensor: string): string => tensor.replace(/:\d+$/, '');

class TfjsLoader {
  private readonly file: string;
  private readonly nodes: readonly TfjsNode[];
  private readonly signature: unknown;
  private readonly options: LoadGraphOptions;
  private readonly builder: GraphBuilder;
  private readonly indices = new Map<string, number>();
  private readonly values = new Map<string, Value>();

  constructor(files: ModelFiles, nodes: readonly TfjsNode[], signature: unknown, options: LoadGraphOptions) {
    this.file = files.name;
    this.nodes = nodes;
    this.signature = signature;
    this.options = options;
    this.builder = new GraphBuilder(files.name);
    nodes.forEach(({ name }, i) => {
      if (this.indices.has(name)) throw new ModelFormatError(files.name, `has two nodes named "${name}"`);
      this.indices.set(name, i);
    });
  }

  load(weights: TfjsWeights): Graph {
    const outputs = this.wantedOutputs();
    const order = schedule(
      outputs.map(({ tensor }) => this.indexOf(tensor, 'an output')),
      (index) => {
        const { name, op, inputs } = this.nodes[index]!;
        return inputs.map((input) => this.indexOf(input, `node "${name}" (${op})`));
      },
      (index) => {
        throw new ModelFormatError(
          this.file,
          `has a cycle: node "${this.nodes[index]!.name}" depends on its own output`,
        );
      },
    );
    this.checkInputShapes();
    const budget = new FoldBudget(1_000_000 + 4 * weights.bytes);
    for (const index of order) {
      this.options.signal?.throwIfAborted();
      this.values.set(this.nodes[index]!.name, this.convert(index, weights, budget));
    }
    return this.builder.finish(
      outputs.map(({ name, tensor }) => {
        const value = this.values.get(tensor);
        if (value) return { name, value };
        throw new ModelFormatError(this.file, `output "${name}" is "${tensor}", which its node does not make`);
      }),
    );
  }

  private indexOf(tensor: string, reader: string): number {
    const index = this.indices.get(nodeOf(tensor)) ?? this.indices.get(tensor);
    if (index !== undefined) return index;
    throw new ModelFormatError(this.file, `${reader} reads "${tensor}", which no node makes`);
  }

  private wantedOutputs(): { name: string; tensor: string }[] {
    const signature = new Map<string, string>();
    const outputs = field(this.signature, 'outputs');
    if (isRecord(outputs)) {
      for (const [key, description] of Object.entries(outputs)) {
        const tensor = field(description, 'name');
        signature.set(withoutZero(key), withoutZero(typeof tensor === 'string' ? tensor : key));
      }
    }
    const { outputs: wanted } = this.options;
    if (wanted) {
      return [...new Set(wanted)].map((name) => {
        const tensor = signature.get(withoutZero(name)) ?? withoutZero(name);
        if (this.indices.has(nodeOf(tensor)) || this.indices.has(tensor)) return { name, tensor };
        const own = signature.size > 0 ? listed([...signature.keys()]) : 'not stated';
        throw new UsageError(`${this.file} has no node "${name}" to cut at; its outputs are: ${own}`);
      });
    }
    if (signature.size > 0) return [...signature].map(([name, tensor]) => ({ name, tensor }));
    const read = new Set(this.nodes.flatMap(({ inputs }) => inputs.map(nodeOf)));
    const ends = this.nodes.filter(({ name, op }) => !read.has(name) && !['Const', 'Placeholder', 'NoOp'].includes(op));
    if (ends.length === 0) throw new ModelFormatError(this.file, 'has no outputs: every node is read by another');
    return ends.map(({ name }) => ({ name, tensor: name }));
  }

  private checkInputShapes(): void {
    for (const name of Object.keys(this.options.inputShapes ?? {})) {
      const index = this.indices.get(withoutZero(name));
      if (index !== undefined && isPlaceholder(this.nodes[index]!)) continue;
      const names = this.nodes.filter(isPlaceholder).map((node) => node.name);
      throw new UsageError(`${this.file} has no input "${name}" to give a shape; its inputs are: ${listed(names)}`);
    }
  }

  private convert(index: number, weights: TfjsWeights, budget: FoldBudget): Value {
    const { name, op, inputs, attributes } = this.nodes[index]!;
    if (op === 'Const') {
      const value = weights.get(name);
      if (value) return value;
      throw new ModelFormatError(this.file, `node "${name}" (Const) has no weight in weightsManifest`);
    }
    if (isPlaceholder(this.nodes[index]!)) return this.addInput(name, attributes);
    const where = `node ${index} of ${this.nodes.length}, inputs: ${listed(inputs)}`;
    const place: Place = { node: name, op, where, output: name };
    const operation = operations.get(op);
    if (!operation) return this.builder.unsupported(place, 'the operation is not one that this engine runs');
    const value = (i: number): Value => {
      const input = inputs[i] ?? this.builder.damaged(place, `has no input ${i}`);
      return (
        this.values.get(input) ??
        this.builder.unsupported(place, `reads "${input}", a secondary output that this engine does not make`)
      );
    };
    const call: TfjsOperation = {
      place,
      builder: this.builder,
      attributes,
      budget,
      count: inputs.length,
      value,
      variable: (i) => {
        const input = value(i);
        return input.kind === 'variable'
          ? input
          : this.builder.unsupported(place, `input ${i} is a constant, expected a tensor of the network`);
      },
      constant: (i) => {
        const input = value(i);
        return input.kind === 'constant'
          ? input
          : this.builder.unsupported(place, `input ${i} is computed by the network, expected a constant`);
      },
    };
    try {
      return operation(call);
    } catch (error) {
      if (!(error instanceof FoldError)) throw error;
      return this.builder.damaged(place, error.message);
    }
  }

  private addInput(name: string, attributes: TfjsAttributes): Value {
    const type = attributes.type('dtype') ?? 'DT_FLOAT';
    if (!numericTypes.has(type)) {
      throw new UnsupportedOpError(this.file, name, 'Placeholder', `holds ${type}, expected numbers`);
    }
    const shape = this.inputShape(name, attributes.shape('shape') ?? this.signatureShape(name));
    const orders: readonly (readonly Axis[])[] = [[], [3], [0, 3], [1, 2, 3], nhwc];
    const order = orders[shape.length];
    if (!order) {
      throw new UnsupportedOpError(
        this.file,
        name,
        'Placeholder',
        `has ${shape.length} dimensions, expected at most 4`,
      );
    }
    return this.builder.input(name, shape, order);
  }

  private signatureShape(name: string): (number | null)[] | null {
    const shape = { shape: { shape: this.signatureShapes().get(name) } };
    return new TfjsAttributes(this.file, name, shape).shape('shape');
  }

  private shapesByName: Map<string, unknown> | undefined;

  private signatureShapes(): ReadonlyMap<string, unknown> {
    if (this.shapesByName) return this.shapesByName;
    const shapes = new Map<string, unknown>();
    const inputs = field(this.signature, 'inputs');
    for (const description of isRecord(inputs) ? Object.values(inputs) : []) {
      const tensor = field(description, 'name');
      if (typeof tensor === 'string') shapes.set(nodeOf(tensor), field(description, 'tensorShape'));
    }
    this.shapesByName = shapes;
    return shapes;
  }

  private inputShape(name: string, dims: readonly (number | null)[] | null): number[] {
    const shapes = this.options.inputShapes ?? {};
    const given = [name, `${name}:0`].flatMap((key) => (Object.hasOwn(shapes, key) ? [shapes[key]!] : []))[0];
    if (given) {
      const fits = !dims || (dims.length === given.length && dims.every((d, i) => d === null || d === given[i]));
      if (!fits || !given.every((d) => Number.isSafeInteger(d) && d > 0)) {
        const expected = dims ? `[${dims.map((d) => d ?? 'any')}]` : 'whole numbers ≥ 1';
        throw new UsageError(`${this.file}: input "${name}" cannot have the shape [${given}], expected ${expected}`);
      }
      return [...given];
    }
    const shape = dims?.map((d, i) => d ?? (i === 0 ? 1 : null));
    if (!shape || shape.includes(null)) {
      const found = shape ? `the shape [${dims!.map((d) => d ?? '?')}]` : 'no shape';
      throw new UsageError(
        `${this.file}: input "${name}" has ${found} in the file: give one, as inputShapes: { "${name}": [1, 224, 224, 3] }`,
      );
    }
    return shape as number[];
  }
}

const isPlaceholder = ({ op, inputs }: TfjsNode): boolean =>
  op === 'Placeholder' || (op === 'PlaceholderWithDefault' && inputs.length === 0);
