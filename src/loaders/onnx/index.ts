/** ONNX models, from operator set 7: the operations that MobileNets consist of, and what exporters put between them. */
import { ModelFormatError, UnsupportedOpError, UsageError } from '../../errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { type Constant, FoldBudget, FoldError } from '../core/constants.ts';
import { type Axis, ImportBuilder, listed, nchw, nhwc, type Place, type Value } from '../core/import-builder.ts';
import { checkInputShapes, inputShapeOf } from '../core/inputs.ts';
import { layouts } from '../core/layouts.ts';
import { operandsOf } from '../core/operands.ts';
import type { Rounding } from '../core/rounding.ts';
import { schedule } from '../core/schedule.ts';
import type { LoadGraphOptions, ModelFiles } from '../model-files.ts';
import { readBeside } from '../read-beside.ts';
import { attribute, constantOf, intOf, intsOf } from './attributes.ts';
import type { Dynamic } from './dynamic.ts';
import type { Folded, OnnxFolder, Sequence } from './fold.ts';
import { type Handler, operations } from './operations.ts';
import { type GraphProto, type ModelProto, type NodeProto, readModel, type TensorProto } from './proto.ts';
import type { Quantised, QuantisedCall } from './quantised.ts';
import { decodeTensor, externalLength, externalOf, isNumeric, typeName } from './tensor.ts';

/** Before it, operations broadcast by rules of their own. A later set than is known shows by an operation. */
const firstOpset = 7;
const maxInputs = 100;

/** What may stand between a picture and what tells how it lies. */
const elementwise: ReadonlySet<string> = new Set([
  ...['Identity', 'Cast', 'Add', 'Sub', 'Mul', 'Div', 'Clip', 'Pad'],
  ...['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear'],
]);

/** Operations whose modules are fetched only where a file has them. */
const isResize = /^(Resize|Upsample)$/;
const isQuantised = /^(Q|Deq)(Linear|uantizeLinear|Gemm)/;
const takesNorm = /^(ReduceL2|Sqrt|Pow)$/;
const isDynamic = /^(DynamicQuantizeLinear|ConvInteger|MatMulInteger)$/;

/** What a name of the file stands for. */
type Held = Value | Sequence | Quantised | Dynamic;

/** The outputs of a node that has to do with quantised tensors; null where it has not. */
type Extension = (call: QuantisedCall<Quantised | Dynamic>) => readonly (Value | Quantised | Dynamic)[] | null;

/**
 * An ONNX file as a graph. Inputs of four dimensions are NCHW in the file and NHWC in the graph, unless the file itself
 * transposes them from NHWC; `[N, C]` is `[n, 1, 1, c]`. A dynamic batch is 1. An input of integers takes them as they
 * are; an output of quantised integers gives the real numbers that they stand for. Where `options.outputs` is not given, a
 * network that ends in `ArgMax` is cut before it: its outputs are the scores, under their own names.
 *
 * Throws `ModelFormatError`, `UnsupportedOpError`, or `UsageError` for names and shapes in `options`.
 */
export async function loadOnnx(files: ModelFiles, options: LoadGraphOptions): Promise<Graph> {
  try {
    return await loadModel(files, options);
  } catch (error) {
    // What is read of nodes before they are run.
    if (error instanceof FoldError) throw new ModelFormatError(files.name, `a node ${error.message}`, { cause: error });
    throw error;
  }
}

async function loadModel(files: ModelFiles, options: LoadGraphOptions): Promise<Graph> {
  const model = readModel(files.name, files.bytes);
  const { opset } = model;
  let { graph } = model;
  if (opset < firstOpset) {
    throw new ModelFormatError(
      files.name,
      `uses operator set ${opset}, expected ${firstOpset} or a later one: export it again with one of these`,
    );
  }
  const external = new Map<string, Uint8Array>();
  const lengths = new Map<string, number>();
  for (const tensor of tensorsOf(graph)) {
    const place = externalOf(tensor);
    if (!place) continue;
    const location = place.get('location') ?? '';
    const bytes = external.get(location) ?? (await readBeside(files, location, options.signal));
    external.set(location, bytes);
    const taken = (lengths.get(location) ?? 0) + externalLength(tensor);
    lengths.set(location, taken);
    if (taken > bytes.length) {
      throw new ModelFormatError(
        files.name,
        `its tensors up to "${tensor.name}" take ${taken} bytes of "${location}", which has ${bytes.length}: they overlap`,
      );
    }
  }
  const handlers = new Map(operations);
  const has = (names: RegExp) => graph.nodes.some(({ op }) => names.test(op));
  if (has(isResize)) {
    const { resize } = await import('./resize.ts');
    handlers.set('Resize', resize).set('Upsample', resize);
  }
  if (has(/^ConvTranspose$/)) {
    handlers.set('ConvTranspose', (await import('./conv-transpose.ts')).convTranspose);
  }
  const extensions: Extension[] = [];
  if (has(takesNorm)) {
    const { foldedNorm, normalised, withNorms } = await import('./norms.ts');
    const found = withNorms(graph, (tensor) => decodeTensor(files.name, tensor, external));
    graph = found.graph;
    for (const op of ['Div', 'Mul']) handlers.set(op, normalised(found.norms, operations.get(op)!));
    if (found.norms.size > 0) extensions.push(foldedNorm(found.norms));
  }
  if (has(/^Split$/)) extensions.push((await import('./split.ts')).runSplit);
  if (has(isDynamic)) extensions.push((await import('./dynamic.ts')).runDynamic);
  if (has(isQuantised)) {
    const { runQuantised } = await import('./quantised.ts');
    const isKnown = (input: Value | Quantised | Dynamic | undefined) => input?.kind !== 'dynamic';
    extensions.push(({ inputs, ...call }) => (inputs.every(isKnown) ? runQuantised({ ...call, inputs }) : null));
  }
  const load = async (loadOptions: LoadGraphOptions) => {
    const loader = (rounding: Rounding | null) =>
      new OnnxLoader(files, { ...model, graph }, external, loadOptions, handlers, extensions, rounding);
    let loaded = await loader(null).load();
    if (options.quantisation && has(isQuantised)) {
      const { withQuantisation } = await import('../core/rounding.ts');
      loaded = await withQuantisation(loaded, 'mlas', (rounding) => loader(rounding).load());
    }
    if (model.metadata.length > 0) loaded = (await import('./metadata.ts')).withMetadata(loaded, model.metadata);
    if (loaded.image) return loaded;
    return (await import('../sidecars/families.ts')).withFamily(files, loaded, [
      ...graph.nodes.map(({ name }) => name),
      ...graph.initializers.map(({ name }) => name),
    ]);
  };
  const cut = !options.outputs && has(/^ArgMax$/) ? (await import('./arg-max.ts')).cutBeforeArgMax(graph) : null;
  const chosen = cut ? { ...options, outputs: cut.outputs } : options;
  try {
    const loaded = await load(chosen);
    return cut ? cut.finish(loaded) : loaded;
  } catch (error) {
    if (!(error instanceof OpenSizes)) throw error;
    const { suggestSizes } = await import('./open-sizes.ts');
    return suggestSizes(files.name, error.input, error.dims, load, chosen);
  }
}

function* tensorsOf(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializers;
  for (const { attributes } of graph.nodes) {
    for (const { tensor, graph } of attributes) {
      if (tensor) yield tensor;
      if (graph) yield* tensorsOf(graph);
    }
  }
}

/** Thrown where a picture's height or width is open. `dims`: as far as they are known. */
export class OpenSizes {
  readonly input: string;
  readonly dims: readonly (number | null)[];

  constructor(input: string, dims: readonly (number | null)[]) {
    this.input = input;
    this.dims = dims;
  }
}

class OnnxLoader {
  private readonly file: string;
  private readonly graph: GraphProto;
  private readonly opset: number;
  private readonly options: LoadGraphOptions;
  private readonly builder: ImportBuilder;
  /** Of the file and what it reads beside it. */
  private readonly bytes: number;
  private readonly budget: FoldBudget;
  private folder: OnnxFolder | null = null;
  private readonly decode: (tensor: TensorProto) => Constant;
  private readonly initializers = new Map<string, TensorProto>();
  private readonly producers = new Map<string, number>();
  private readonly handlers: ReadonlyMap<string, Handler>;
  private readonly extensions: readonly Extension[];
  /** Where integers are to be kept. */
  private readonly rounding: Rounding | null;
  private readonly values = new Map<string, Held>();

  constructor(
    files: ModelFiles,
    { graph, opset }: ModelProto,
    external: ReadonlyMap<string, Uint8Array>,
    options: LoadGraphOptions,
    handlers: ReadonlyMap<string, Handler>,
    extensions: readonly Extension[],
    rounding: Rounding | null,
  ) {
    this.rounding = rounding;
    this.file = files.name;
    this.graph = graph;
    this.opset = opset;
    this.options = options;
    this.handlers = handlers;
    this.extensions = extensions;
    let bytes = files.bytes.length;
    for (const beside of external.values()) bytes += beside.length;
    this.bytes = bytes;
    this.budget = new FoldBudget(bytes);
    this.builder = new ImportBuilder(files.name, this.budget, layouts);
    this.decode = (tensor) => decodeTensor(files.name, tensor, external);
  }

  async load(): Promise<Graph> {
    this.index();
    const outputs = this.wantedOutputs();
    const { order, inputs } = this.schedule(outputs.map(({ tensor }) => tensor));
    this.addInputs(inputs);
    for (const index of order) {
      this.options.signal?.throwIfAborted();
      if (!this.folder && this.needsFolder(index)) {
        const { OnnxFolder } = await import('./fold.ts');
        this.folder = new OnnxFolder(this.budget, 10_000_000 + 4 * this.bytes, this.decode);
      }
      this.convert(index);
    }
    return this.builder.finish(
      outputs.map(({ name, tensor }) => {
        const value = this.find(tensor);
        if (!value || value.kind === 'sequence' || value.kind === 'dynamic') {
          throw new ModelFormatError(this.file, `output "${name}" is a sequence, or a secondary output of a node`);
        }
        return { name, value: value.kind === 'quantised' ? value.real : value };
      }),
    );
  }

  /** Who writes each tensor. A name that is written twice is refused. */
  private index(): void {
    for (const tensor of this.graph.initializers) {
      if (this.initializers.has(tensor.name)) {
        throw new ModelFormatError(this.file, `has two initializers named "${tensor.name}"`);
      }
      this.initializers.set(tensor.name, tensor);
    }
    const inputs = new Set(this.graph.inputs.map(({ name }) => name));
    this.graph.nodes.forEach((node, i) => {
      for (const name of node.outputs) {
        if (name === '') continue;
        if (this.producers.has(name) || this.initializers.has(name) || inputs.has(name)) {
          throw new ModelFormatError(this.file, `tensor "${name}" is written twice, last by ${nameOf(node, i)}`);
        }
        this.producers.set(name, i);
      }
    });
  }

  private wantedOutputs(): { name: string; tensor: string }[] {
    const own = this.graph.outputs.map(({ name }) => name);
    const wanted = this.options.outputs ?? own;
    if (wanted.length === 0) throw new ModelFormatError(this.file, 'has no outputs');
    const inputs = new Set(this.graph.inputs.map(({ name }) => name));
    return [...new Set(wanted)].map((name) => {
      if (this.producers.has(name) || inputs.has(name)) return { name, tensor: name };
      if (!this.options.outputs) throw new ModelFormatError(this.file, `output "${name}" is written by no node`);
      const tensor = this.graph.nodes.find((node) => node.name === name)?.outputs[0];
      if (tensor !== undefined && name !== '') return { name, tensor };
      throw new UsageError(`${this.file} has no tensor or node "${name}" to cut at; its outputs are: ${listed(own)}`);
    });
  }

  /** The nodes that `tensors` depend on, producers first, and the inputs among what they read. */
  private schedule(tensors: readonly string[]): { order: number[]; inputs: Set<string> } {
    const known = new Set(this.graph.inputs.map(({ name }) => name));
    const inputs = new Set<string>();
    const writers = (names: readonly string[], reader: number | null) =>
      names.flatMap((name) => this.source(name, reader, known, inputs) ?? []);
    const order = schedule(
      writers(tensors, null),
      (index) => writers(this.reads(index), index),
      (index) => {
        const node = nameOf(this.graph.nodes[index]!, index);
        throw new ModelFormatError(this.file, `has a cycle: ${node} depends on its own output`);
      },
    );
    return { order, inputs };
  }

  /** The node that writes `name`, or null for an input (noted in `inputs`) or an initializer. */
  private source(name: string, reader: number | null, known: Set<string>, inputs: Set<string>): number | null {
    const producer = this.producers.get(name);
    if (producer !== undefined) return producer;
    if (this.initializers.has(name)) return null;
    if (known.has(name)) {
      inputs.add(name);
      return null;
    }
    const by = reader === null ? 'an output' : nameOf(this.graph.nodes[reader]!, reader);
    throw new ModelFormatError(this.file, `${by} reads tensor "${name}", which nothing writes`);
  }

  /** Tensors that a node reads, those that its bodies take from around them included. */
  private reads(index: number): string[] {
    const node = this.graph.nodes[index]!;
    const names = node.inputs.filter((name) => name !== '');
    for (const { graph } of node.attributes) for (const name of graph ? freeNames(graph) : []) names.push(name);
    return names;
  }

  private addInputs(wanted: ReadonlySet<string>): void {
    const names = this.graph.inputs.map(({ name }) => name).filter((name) => !this.initializers.has(name));
    checkInputShapes(this.file, this.options, names);
    if (wanted.size > maxInputs) {
      throw new ModelFormatError(this.file, `has ${wanted.size} inputs, expected at most ${maxInputs}`);
    }
    for (const { name, type } of this.graph.inputs) {
      if (!wanted.has(name)) continue;
      const { elementType, shape: stated } = type?.tensor ?? { elementType: 0, shape: null };
      const dims = this.withChannels(name, stated?.dims.map(({ value }) => (value > 0 ? value : null)) ?? null);
      if (!isNumeric(elementType)) {
        throw new UnsupportedOpError(this.file, name, 'input', `holds ${typeName(elementType)}, expected numbers`);
      }
      const given = Object.hasOwn(this.options.inputShapes ?? {}, name);
      if (!given && dims?.length === 4 && dims.slice(1).includes(null)) throw new OpenSizes(name, dims);
      const shape = inputShapeOf(this.file, name, [name], dims, this.options, [1, 3, 224, 224]);
      this.values.set(name, this.builder.input(name, shape, this.inputOrder(name, shape)));
    }
  }

  /** Where the file leaves a picture's channels open (Optimum does), those that the first convolution reads. */
  private withChannels(name: string, dims: (number | null)[] | null): (number | null)[] | null {
    if (dims?.length !== 4) return dims;
    const at = this.inputOrder(name, dims).indexOf(3);
    if (dims[at] !== null) return dims;
    const node = this.firstOf(name, (op) => !elementwise.has(op) && op !== 'Transpose');
    const weights = node && this.dimsOf(node.inputs[node.op === 'QLinearConv' ? 3 : 1] ?? '', 8);
    if (!node || !/^(QLinear)?Conv(Integer)?$/.test(node.op) || weights?.length !== 4) return dims;
    const channels = weights[1]! * intOf(node, 'group', 1);
    return dims.map((d, i) => (i === at && channels > 0 ? channels : d));
  }

  /** Dimensions of an initializer, through what changes its type. */
  private dimsOf(name: string, hops: number): readonly number[] | undefined {
    const tensor = this.initializers.get(name);
    if (tensor) return tensor.dims;
    const node = this.graph.nodes[this.producers.get(name) ?? -1];
    if (node?.op === 'Constant') return attribute(node, 'value')?.tensor?.dims;
    const keeps = node && ['DequantizeLinear', 'Cast', 'Identity'].includes(node.op);
    return keeps && hops > 0 ? this.dimsOf(node.inputs[0] ?? '', hops - 1) : undefined;
  }

  private inputOrder(name: string, dims: readonly unknown[]): readonly Axis[] {
    switch (dims.length) {
      case 4:
        return this.isTransposedFromNhwc(name) ? nhwc : nchw;
      case 3:
        return [0, 3, 2];
      case 2:
        return [0, 3];
      case 1:
        return [3];
      case 0:
        return [];
    }
    throw new UnsupportedOpError(this.file, name, 'input', `has ${dims.length} dimensions, expected at most 4`);
  }

  /** Whether the first operation that cares for layout is a transposition from NHWC to NCHW. */
  private isTransposedFromNhwc(input: string): boolean {
    const node = this.firstOf(input, (op) => !elementwise.has(op));
    return node?.op === 'Transpose' && intsOf(node, 'perm')?.join() === nchw.join();
  }

  /** The first node that an input reaches through others, and that `wanted` takes. */
  private firstOf(input: string, wanted: (op: string) => boolean): NodeProto | undefined {
    const seen = new Set([input]);
    for (const name of seen) {
      for (const node of this.readers().get(name) ?? []) {
        if (node.op === 'Shape') continue;
        if (wanted(node.op)) return node;
        for (const output of node.outputs) seen.add(output);
      }
    }
    return undefined;
  }

  private readersByName: Map<string, NodeProto[]> | undefined;

  private readers(): ReadonlyMap<string, readonly NodeProto[]> {
    if (this.readersByName) return this.readersByName;
    const readers = new Map<string, NodeProto[]>();
    for (const node of this.graph.nodes) {
      for (const name of new Set(node.inputs)) {
        const known = readers.get(name);
        if (known) known.push(node);
        else readers.set(name, [node]);
      }
    }
    this.readersByName = readers;
    return readers;
  }

  private find(name: string): Held | undefined {
    const known = this.values.get(name);
    if (known) return known;
    const tensor = this.initializers.get(name);
    if (!tensor) return undefined;
    const value = this.decode(tensor);
    this.budget.takeFor(value.type, value.data.length);
    this.values.set(name, value);
    return value;
  }

  private convert(index: number): void {
    const node = this.graph.nodes[index]!;
    const place: Place = {
      node: node.name || node.outputs[0] || `#${index}`,
      op: node.domain && node.domain !== 'ai.onnx' ? `${node.domain}.${node.op}` : node.op,
      where: `node ${index} of ${this.graph.nodes.length}, inputs: ${listed(node.inputs)}`,
      output: node.outputs[0] || `#${index}`,
    };
    try {
      const results = this.results(index, node, place);
      results.forEach((value, i) => {
        const name = node.outputs[i];
        if (name) this.values.set(name, value);
      });
    } catch (error) {
      if (!(error instanceof FoldError)) throw error;
      if (error.unsupported) this.builder.unsupported(place, error.message);
      this.builder.damaged(place, error.message);
    }
  }

  /** Whether all that a node reads is constant, what its bodies take from around them included. */
  private isConstant(index: number): boolean {
    return this.reads(index).every((name) => isFolded(this.find(name)));
  }

  private needsFolder(index: number): boolean {
    const { op } = this.graph.nodes[index]!;
    return op !== 'Constant' && op !== 'DequantizeLinear' && this.isConstant(index);
  }

  private results(index: number, node: NodeProto, place: Place): readonly Held[] {
    const inputs = node.inputs.map((name) => (name === '' ? undefined : this.read(name, place)));
    const extended = this.extend(node, place, inputs);
    if (extended) return extended;
    if (place.op === 'Constant') return [constantOf(node, this.decode)];
    if (this.folder && inputs.every(isFolded) && this.isConstant(index)) {
      const outer = (name: string) => {
        const value = this.find(name);
        return isFolded(value) ? value : undefined;
      };
      const results = this.folder.fold(node, inputs, outer);
      return results ?? this.builder.unsupported(place, 'the operation is not one that this engine evaluates');
    }
    return [this.run(place.op, node, inputs, place)];
  }

  private run(
    op: string,
    node: NodeProto,
    inputs: readonly (Held | undefined)[],
    place: Place,
    opset = this.opset,
  ): Value {
    const operation = this.handlers.get(op);
    if (!operation) return this.builder.unsupported(place, 'the operation is not one that this engine runs');
    const find = (i: number): Value | undefined => {
      const value = inputs[i];
      if (!value || value.kind === 'constant' || value.kind === 'variable') return value;
      return this.builder.damaged(place, `input ${i} is a ${value.kind}, expected a tensor`);
    };
    const { builder, budget } = this;
    const result = operation({ ...operandsOf(builder, place, inputs.length, find), node, opset, budget });
    this.rounding?.note(
      builder,
      place,
      result,
      inputs.map((input) => (input?.kind === 'constant' ? input : undefined)),
      op === 'ConvTranspose' ? intOf(node, 'group', 1) : 1,
    );
    return result;
  }

  private extend(node: NodeProto, place: Place, inputs: readonly (Held | undefined)[]): readonly Held[] | null {
    const isTensor = (value: Held | undefined) => value?.kind !== 'sequence';
    if (!inputs.every(isTensor)) return null;
    const { builder, budget, opset, rounding } = this;
    const run: QuantisedCall['run'] = (op, real, at, version) => this.run(op, node, real, at, version);
    for (const extension of this.extensions) {
      const results = extension({ node, place, builder, budget, opset, rounding, inputs, run });
      if (results) return results;
    }
    return null;
  }

  private read(name: string, place: Place): Held {
    const value = this.find(name);
    if (value) return value;
    return this.builder.unsupported(place, `reads tensor "${name}", a secondary output that this engine does not make`);
  }
}

const isFolded = (value: Held | undefined): value is Folded | undefined =>
  value?.kind !== 'variable' && value?.kind !== 'quantised' && value?.kind !== 'dynamic';

const nameOf = (node: NodeProto, index: number): string =>
  `node ${index}${node.name ? ` "${node.name}"` : ''} (${node.op})`;

/** Names that a body reads and does not define. */
function freeNames(graph: GraphProto): string[] {
  const own = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.map(({ name }) => name)]);
  for (const node of graph.nodes) for (const name of node.outputs) own.add(name);
  const free = new Set<string>();
  const note = (name: string) => {
    if (name !== '' && !own.has(name)) free.add(name);
  };
  for (const node of graph.nodes) {
    node.inputs.forEach(note);
    for (const { graph } of node.attributes) if (graph) freeNames(graph).forEach(note);
  }
  for (const { name } of graph.outputs) note(name);
  return [...free];
}
