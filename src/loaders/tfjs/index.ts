/** TensorFlow.js models: model.json and its weight shards. What holds layers goes to a module of its own. */
import { ModelFormatError, UnsupportedOpError, UsageError } from '../../errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { type FoldBudget, FoldError } from '../core/constants.ts';
import { headsBefore } from '../core/cut.ts';
import { type Axis, ImportBuilder, listed, nhwc, type Place, type Value } from '../core/import-builder.ts';
import { checkInputShapes, inputShapeOf } from '../core/inputs.ts';
import { field, isRecord, parseJson } from '../core/json.ts';
import { layouts } from '../core/layouts.ts';
import { operandsOf } from '../core/operands.ts';
import { schedule } from '../core/schedule.ts';
import type { LoadGraphOptions, ModelFiles } from '../model-files.ts';
import { numericTypes, TfjsAttributes } from './attributes.ts';
import { operations, type TfjsOperation } from './graph-operations.ts';
import { nodeOf, type TfjsNode } from './node.ts';
import type { DetectorCut } from './object-detection.ts';
import { TfjsWeights } from './weights.ts';

const maxNodes = 100_000;

/** Operations that pick places: what a detector's decoding does, and no layer. */
const picks: ReadonlySet<string> = new Set([
  ...['ArgMax', 'ArgMin', 'TopK', 'TopKV2', 'Gather', 'GatherV2', 'GatherNd', 'Where', 'NonMaxSuppression'],
  ...['NonMaxSuppressionV2', 'NonMaxSuppressionV3', 'NonMaxSuppressionV4', 'NonMaxSuppressionV5'],
]);

/** A node of every SSD of the Object Detection API. */
const detectorNode = 'Postprocessor/convert_scores';

/** Operations that learnt weights: behind them is a network, not a decoding. */
const learns = /Conv|MatMul/;

/**
 * A TensorFlow.js graph model, or a layers model as `loadTfjsLayers` says. Inputs are named by their placeholders, outputs by the keys of the signature (without
 * `:0`), or by the nodes that nothing reads. A dynamic batch is 1.
 *
 * Where `options.outputs` is not given and outputs of the file are decoded by operations that this engine does not run
 * (`ArgMax`, `TopKV2`, `GatherNd`, non-maximum suppression…, without learnt weights), the network is cut before them:
 * outputs that need no decoding are kept, and the tensors that the decoding reads are added under their own names, with
 * `decoding` where the names tell how. SSD of the Object Detection API loses its preprocessor too (`object-detection.ts`).
 *
 * Throws `ModelFormatError`, `UnsupportedOpError`, or `UsageError` for names and shapes in `options`.
 */
export async function loadTfjs(files: ModelFiles, options: LoadGraphOptions): Promise<Graph> {
  const model = parseJson(files.name, files.bytes);
  const topology = field(model, 'modelTopology');
  const nodes = field(topology, 'node');
  if (!Array.isArray(nodes)) {
    if (field(topology, 'model_config') !== undefined || typeof field(topology, 'class_name') === 'string') {
      return (await import('./layers-model.ts')).loadTfjsLayers(files, model, options);
    }
    throw new ModelFormatError(
      files.name,
      'is JSON without modelTopology.node (a graph model) or modelTopology.model_config (a layers model)',
    );
  }
  if (nodes.length > maxNodes) throw new ModelFormatError(files.name, `has more than ${maxNodes} nodes`);
  const parsed = nodes.map((node, i) => parseNode(files.name, node, i));
  const signature = field(model, 'signature') ?? field(topology, 'signature');
  const weights = await TfjsWeights.read(files, field(model, 'weightsManifest'), options);
  const load = (loadOptions: LoadGraphOptions, start: DetectorCut['start'] = null) =>
    new TfjsLoader(files, parsed, signature, weights.budget, loadOptions, start).load(weights);
  if (!options.outputs && parsed.some(({ name }) => name.endsWith(detectorNode))) {
    const { detectorCut } = await import('./object-detection.ts');
    const detector = detectorCut(files.name, parsed, (name) => weights.get(name))!;
    const graph = load({ ...options, outputs: detector.heads }, detector.start);
    if ('cut' in graph) throw graph.error;
    return detector.finish(graph);
  }
  const loaded = load(options);
  if (!('cut' in loaded)) {
    if (loaded.outputs.length > 1) return (await import('./decoding.ts')).withDecoding(loaded);
    const { withFamily } = await import('../sidecars/families.ts');
    return withFamily(
      files,
      loaded,
      parsed.map(({ name }) => name),
    );
  }
  const again = load({ ...options, outputs: loaded.cut });
  if ('cut' in again) return refuse(files.name, loaded.error, loaded.cut);
  const { node, op } = loaded.error;
  const index = op === 'ArgMax' ? parsed.find(({ name }) => name === node) : undefined;
  if (index && index.inputs.length !== 2) {
    throw new ModelFormatError(files.name, `node "${node}" (ArgMax) has ${index.inputs.length} inputs, expected 2`);
  }
  const axis = weights.get(index?.inputs[1] ?? '')?.data;
  return (await import('./decoding.ts')).withDecoding(again, axis && { node, axis });
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

const withoutZero = (name: string): string => (name.endsWith(':0') ? name.slice(0, -2) : name);

function refuse(file: string, { node, op, message }: UnsupportedOpError, cut: readonly string[]): never {
  const reason = message.replace(`${file}: node "${node}" (${op}): `, '');
  const advice = cut.length > 0 ? `; the network can be cut (option "outputs") at: ${listed(cut)}` : '';
  throw new UnsupportedOpError(file, node, op, reason + advice);
}

class TfjsLoader {
  private readonly file: string;
  private readonly nodes: readonly TfjsNode[];
  private readonly signature: unknown;
  private readonly options: LoadGraphOptions;
  /** A tensor that is fed in place of what makes it. */
  private readonly start: DetectorCut['start'];
  private readonly budget: FoldBudget;
  private readonly builder: ImportBuilder;
  private readonly indices = new Map<string, number>();
  private readonly values = new Map<string, Value>();

  constructor(
    files: ModelFiles,
    nodes: readonly TfjsNode[],
    signature: unknown,
    budget: FoldBudget,
    options: LoadGraphOptions,
    start: DetectorCut['start'],
  ) {
    this.start = start;
    this.file = files.name;
    this.budget = budget;
    this.nodes = nodes;
    this.signature = signature;
    this.options = options;
    this.builder = new ImportBuilder(files.name, budget, layouts);
    nodes.forEach(({ name }, i) => {
      if (this.indices.has(name)) throw new ModelFormatError(files.name, `has two nodes named "${name}"`);
      this.indices.set(name, i);
    });
  }

  /** The graph, or where to cut it because the file's own outputs are decoded by operations that are not run. */
  load(weights: TfjsWeights): Graph | { readonly cut: readonly string[]; readonly error: UnsupportedOpError } {
    const outputs = this.wantedOutputs();
    const order = schedule(
      outputs.map(({ tensor }) => this.indexOf(tensor, 'an output')),
      (index) => {
        const { name, op, inputs } = this.nodes[index]!;
        if (name === this.start?.tensor) return [];
        return inputs.map((input) => this.indexOf(input, `node "${name}" (${op})`));
      },
      (index) => {
        throw new ModelFormatError(
          this.file,
          `has a cycle: node "${this.nodes[index]!.name}" depends on its own output`,
        );
      },
    );
    const placeholders = this.nodes.filter(isPlaceholder).map(({ name }) => name);
    checkInputShapes(this.file, this.options, placeholders, withoutZero);
    const failed = new Set<number>();
    let error: UnsupportedOpError | undefined;
    for (const index of order) {
      this.options.signal?.throwIfAborted();
      const { name, inputs } = this.nodes[index]!;
      if (failed.size > 0 && inputs.some((input) => failed.has(this.indexOf(input, `node "${name}"`)))) {
        failed.add(index);
        continue;
      }
      try {
        this.values.set(name, this.convert(index, weights));
      } catch (caught) {
        if (!(caught instanceof UnsupportedOpError)) throw caught;
        error ??= caught;
        failed.add(index);
      }
    }
    if (error) {
      const cut = this.cutBefore(failed, order, outputs);
      const ops = [...failed].map((index) => this.nodes[index]!.op);
      const decoding = ops.some((op) => picks.has(op)) && !ops.some((op) => learns.test(op));
      if (!decoding || this.options.outputs || cut.length === 0) refuse(this.file, error, cut);
      return { cut, error };
    }
    return this.builder.finish(
      outputs.map(({ name, tensor }) => {
        const value = this.values.get(tensor);
        if (value) return { name, value };
        throw new ModelFormatError(this.file, `output "${name}" is "${tensor}", which its node does not make`);
      }),
    );
  }

  /**
   * Names of the outputs that remain when `failed` nodes are left out: the file's own where they do not depend on such
   * nodes, then tensors that such nodes read, unless those follow from what is kept. `order` is topological.
   */
  private cutBefore(
    failed: ReadonlySet<number>,
    order: readonly number[],
    outputs: readonly { readonly name: string; readonly tensor: string }[],
  ): string[] {
    const isVariable = (tensor: string) => this.values.get(tensor)?.kind === 'variable';
    const own = outputs.filter(({ tensor }) => isVariable(tensor));
    const heads = headsBefore(
      {
        order,
        reads: (index) => this.nodes[index]!.inputs.filter(isVariable),
        writes: (index) => {
          const node = this.nodes[index]!;
          return isVariable(node.name) && !isPlaceholder(node) ? [node.name] : [];
        },
      },
      failed,
      own.map(({ tensor }) => tensor),
    );
    return [...own.map(({ name }) => name), ...heads];
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

  private convert(index: number, weights: TfjsWeights): Value {
    const { name, op, inputs, attributes } = this.nodes[index]!;
    if (name === this.start?.tensor) return this.builder.input(name, [1, ...this.start.size, 3], nhwc);
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
    const find = (i: number) => {
      const input = inputs[i] ?? this.builder.damaged(place, `has no input ${i}`);
      return (
        this.values.get(input) ??
        this.builder.unsupported(place, `reads "${input}", a secondary output that this engine does not make`)
      );
    };
    const call: TfjsOperation = {
      ...operandsOf(this.builder, place, inputs.length, find),
      attributes,
      budget: this.budget,
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
    const stated = attributes.shape('shape') ?? this.signatureShape(name);
    const shape = inputShapeOf(this.file, name, [name, `${name}:0`], stated, this.options);
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
}

const isPlaceholder = ({ op, inputs }: TfjsNode): boolean =>
  op === 'Placeholder' || (op === 'PlaceholderWithDefault' && inputs.length === 0);
