/** TensorFlow Lite files: one subgraph, float32, float16 or quantised weights. */
import { ModelFormatError, UnsupportedOpError } from '../../errors.ts';
import { classesOf } from '../../graph/classes.ts';
import { withoutDeadNodes } from '../../graph/dead-nodes.ts';
import type { Graph } from '../../graph/graph.ts';
import { FoldBudget, FoldError } from '../core/constants.ts';
import {
  type Axis,
  ImportBuilder,
  type Layouts,
  LayoutsNeeded,
  listed,
  nchw,
  nhwc,
  type Place,
  type Value,
} from '../core/import-builder.ts';
import { operandsOf } from '../core/operands.ts';
import type { LoadGraphOptions, ModelFiles } from '../model-files.ts';
import type { ends as Ends } from './ends.ts';
import { FlatTable } from './flat-table.ts';
import type { isTransposedFromNchw as IsTransposedFromNchw } from './input-order.ts';
import { type Handler, type Operators, operators, type TfliteOperation } from './operations.ts';
import { CUSTOM, type FileNetwork, type Operator, type OperatorCode, type Wanted } from './operator.ts';
import type * as Quantised from './quantised.ts';
import type { TfliteRounding } from './rounding.ts';
import { decodeConstant, readTensor, type TfliteTensor } from './tensors.ts';

// For whoever runs such a file as it is: in the chunk that has been fetched by then.
export { FlatTable, readTensor };

/** Tensors, operators, buffers, kinds of operators: of each. */
const mostTables = 50_000;
/** Of the model, and of one operator. */
const mostInputs = 100;
const mostOutputs = 1000;
const mostOperands = 4096;

/** ADD, MUL, SUB, DIV. */
const arithmeticOperators: ReadonlySet<number> = new Set([0, 18, 41, 42]);
const concatenation = 2;
/** RESHAPE, SQUEEZE, EXPAND_DIMS. The file states what they give, whatever computes a second input. */
const statesShape: ReadonlySet<number> = new Set([22, 43, 70]);

/** BuiltinOperator. The byte came first; operators past 127 are in the other field only. */
const operatorNumber = (code: FlatTable): number => Math.max(code.byte(0), code.int(3));

/** What the metadata's entry is called. */
const METADATA = 'TFLITE_METADATA';

/** The end of a ZIP archive has a record of 22 bytes, and a comment of at most 65,535 after it. */
function hasArchive(bytes: Uint8Array): boolean {
  const least = Math.max(0, bytes.length - 22 - 65_535);
  for (let i = bytes.length - 22; i >= least; i--) {
    if (bytes[i] === 0x50 && bytes[i + 1] === 0x4b && bytes[i + 2] === 5 && bytes[i + 3] === 6) return true;
  }
  return false;
}

/**
 * A TensorFlow Lite model. Quantised weights become the real numbers that they stand for, and so do quantised inputs
 * and outputs: the graph computes in real numbers throughout. `image` says how pixels become the input, from the file's
 * metadata, or from the quantisation of a uint8 input, whose stored values are pixels; labels come from the associated
 * files, where a list there has a line for each class. Where outputs come from operators that decode (`TFLite_Detection_PostProcess`,
 * `PosenetDecoderOp`, `ARG_MAX` and the like, without learnt weights) and `options.outputs` is not given, the graph ends at
 * what they read, with `decoding` where it is known how.
 *
 * Throws `ModelFormatError`, `UnsupportedOpError`, or `UsageError` for names in `options`.
 */
export async function loadTflite(files: ModelFiles, options: LoadGraphOptions): Promise<Graph> {
  try {
    return await loadWith(null, files, options);
  } catch (error) {
    if (!(error instanceof LayoutsNeeded)) throw error;
    return loadWith((await import('../core/layouts.ts')).layouts, files, options);
  }
}

async function loadWith(layouts: Layouts | null, files: ModelFiles, options: LoadGraphOptions): Promise<Graph> {
  const loader = (rounding: TfliteRounding | null) => {
    const model = FlatTable.root(files.name, files.bytes);
    const version = model.int(0);
    if (version !== 3) throw new ModelFormatError(files.name, `has the schema version ${version}, expected 3`);
    const subgraphs = model.tables(2, mostTables, 'subgraphs');
    if (subgraphs.length !== 1)
      throw new ModelFormatError(files.name, `has ${subgraphs.length} subgraphs, expected one`);
    return new TfliteLoader(files, model, subgraphs[0]!, options, layouts, rounding);
  };
  const first = loader(null);
  let graph = await first.load();
  if (options.quantisation && first.hasIntegers) {
    const { withTfliteQuantisation } = await import('./rounding.ts');
    graph = await withTfliteQuantisation(graph, (rounding) => loader(rounding).load());
  }
  const classes = classesOf(graph);
  if (classes === null || !hasArchive(files.bytes)) return graph;
  const { archivedLabels } = await import('../sidecars/archived-labels.ts');
  const labels = archivedLabels(files.name, files.bytes, classes);
  return labels ? { ...graph, labels } : graph;
}

class TfliteLoader {
  readonly #file: string;
  readonly #model: FlatTable;
  readonly #subgraph: FlatTable;
  readonly #options: LoadGraphOptions;
  readonly #layouts: Layouts | null;
  readonly #builder: ImportBuilder;
  readonly #buffers: readonly FlatTable[];
  readonly #tensors: readonly TfliteTensor[];
  readonly #budget: FoldBudget;
  readonly #values = new Map<number, Value>();
  /** Those that the file may have; the rare ones where it has one that is not usual. */
  #operators: Operators = operators;
  #customOperators: ReadonlyMap<string, Handler> = new Map();
  #ends: typeof Ends | null = null;
  /** Where tensors are quantised. */
  #quantised: typeof Quantised | null = null;
  /** Tensors that operators make which are not run. */
  readonly #unmade = new Set<number>();
  /** Where the file may have a transposition. */
  #isTransposedFromNchw: typeof IsTransposedFromNchw | null = null;
  /** Where integers are to be kept. */
  readonly #rounding: TfliteRounding | null;

  constructor(
    { name, bytes }: ModelFiles,
    model: FlatTable,
    subgraph: FlatTable,
    options: LoadGraphOptions,
    layouts: Layouts | null,
    rounding: TfliteRounding | null,
  ) {
    this.#rounding = rounding;
    this.#file = name;
    this.#model = model;
    this.#subgraph = subgraph;
    this.#options = options;
    this.#budget = new FoldBudget(bytes.length);
    this.#layouts = layouts;
    this.#builder = new ImportBuilder(name, this.#budget, layouts);
    this.#buffers = model.tables(4, mostTables, 'buffers');
    this.#tensors = subgraph
      .tables(0, mostTables, 'tensors')
      .map((table, i) => readTensor(name, table, i, this.#buffers));
  }

  /** Whether the network has tensors of integers of 8 bits with a scale. */
  get hasIntegers(): boolean {
    return this.#tensors.some(
      ({ type, quantisation, bytes }) => quantisation && bytes.length === 0 && /INT8$/.test(type),
    );
  }

  async load(): Promise<Graph> {
    const inputs = this.#subgraph.ints(1, mostInputs, 'inputs');
    const named = inputs.map((index) => this.#tensor(index, 'an input').name);
    if (this.#options.inputShapes) {
      (await import('../core/inputs.ts')).checkInputShapes(this.#file, this.#options, named);
    }
    const codes = this.#model
      .tables(1, mostTables, 'operator codes')
      .map((table) => ({ number: operatorNumber(table), custom: table.string(1) }));
    const all = this.#subgraph.tables(3, mostTables, 'operators').map((table) => ({
      table,
      number: codes[table.int(0)]?.number ?? -1,
      inputs: table.ints(1, mostOperands, 'inputs of an operator'),
      outputs: table.ints(2, mostOperands, 'outputs of an operator'),
    }));
    const rare = codes.some(({ number }) => !operators.has(number));
    // Others are told of where they are met.
    if (!this.#layouts && (rare || all.some((operator) => this.#addsConstant(operator)))) throw new LayoutsNeeded();
    if (rare) {
      const [{ rareOperators, customOperators, isTransposedFromNchw }, { ends }] = await Promise.all([
        import('./rare-operations.ts'),
        import('./ends.ts'),
      ]);
      this.#ends = ends;
      this.#operators = new Map([...operators, ...rareOperators]);
      this.#customOperators = customOperators;
      this.#isTransposedFromNchw = isTransposedFromNchw;
    }
    if (this.#tensors.some(({ quantisation }) => quantisation)) this.#quantised = await import('./quantised.ts');
    for (const index of inputs) await this.#addInput(index, all);
    const ends = this.#ends;
    const network: FileNetwork = {
      builder: this.#builder,
      all,
      codes,
      outputs: this.#subgraph.ints(2, mostOutputs, 'outputs'),
      tensor: (index, what) => this.#tensor(index, what),
      shortName: (index) => this.#shortName(index),
      opOf: (i) => this.#kind(all[i]!, i, codes).op,
      graphTensor: (index) => this.#graphTensor(index),
      value: (index, what) => this.#value(index, what),
    };
    const names = this.#options.outputs;
    const tail = names ? null : ends?.tailOf(network);
    const wanted = names
      ? (await import('./wanted-outputs.ts')).wantedOutputs(this.#file, this.#tensors, names)
      : tail
        ? this.#named(ends!.headsOf(network, tail))
        : this.#ownOutputs();
    const needed = this.#needed(
      all,
      wanted.map(({ index }) => index),
    );
    const left = new Set<number>();
    let error: UnsupportedOpError | undefined;
    for (const i of needed) {
      this.#options.signal?.throwIfAborted();
      const operator = all[i]!;
      if (operator.inputs.some((index) => this.#unmade.has(index))) left.add(i);
      else {
        try {
          this.#run(operator, i, codes);
          continue;
        } catch (caught) {
          if (!(caught instanceof UnsupportedOpError)) throw caught;
          error ??= caught;
          left.add(i);
        }
      }
      for (const index of operator.outputs) this.#unmade.add(index);
    }
    if (error && (names || !ends)) throw error;
    const outputs = error ? ends!.cutBefore(network, error, wanted, left, needed) : wanted;
    const whole = this.#builder.finish(
      outputs.map(({ name, index }) => ({ name, value: this.#value(index, `output "${name}"`) })),
    );
    const graph = error ? withoutDeadNodes(whole) : whole;
    const image = inputs.length === 1 ? await this.#image(inputs[0]!, graph) : null;
    const decoding = tail && (await ends!.decodingOf(network, tail));
    const loaded = {
      ...graph,
      ...image,
      ...(decoding ? { decoding } : {}),
    };
    const customs = needed.flatMap((i) => (left.has(i) ? [] : this.#kind(all[i]!, i, codes).custom || []));
    if (decoding || (left.size === 0 && customs.length === 0 && outputs.length === 1)) return loaded;
    const decoders = ends?.endsOf(network, [...left], outputs) ?? [];
    return (await import('./decoding.ts')).withDecoding(loaded, decoders, new Set(customs));
  }

  /** Or multiplies by one, and so on. */
  #addsConstant({ number, inputs }: Operator): boolean {
    return arithmeticOperators.has(number) && inputs.some((index) => this.#tensors[index]?.bytes.length);
  }

  /** The tensor of the graph that a tensor of the file is; null where it is none. */
  #graphTensor(index: number): string | null {
    const value = this.#values.get(index);
    return value?.kind === 'variable' ? value.tensor : null;
  }

  /** What the file says of pixels, if anything. */
  async #image(index: number, { inputs: [input] }: Graph): Promise<Pick<Graph, 'image' | 'assumptions'> | null> {
    const tensor = this.#tensor(index, 'an input');
    const entries = this.#model.tables(6, mostTables, 'pieces of metadata');
    if (tensor.type !== 'UINT8' && entries.every((entry) => entry.string(0) !== METADATA)) return null;
    const { imageOf } = await import('../sidecars/tflite-metadata.ts');
    const dims = tensor.dims.length === 4 ? input!.shape : tensor.dims;
    return imageOf(this.#file, this.#model, this.#buffers, { ...tensor, dims });
  }

  #tensor(index: number, what: string): TfliteTensor {
    const tensor = this.#tensors[index];
    if (!tensor)
      throw new ModelFormatError(this.#file, `${what} is tensor ${index}, and there are ${this.#tensors.length}`);
    return tensor;
  }

  /** For a message, which every operator has ready. */
  #shortName(index: number): string {
    const name = this.#tensors[index]?.name ?? String(index);
    return name.length > 100 ? `${name.slice(0, 100)}…` : name;
  }

  async #addInput(index: number, operators: readonly Operator[]): Promise<void> {
    const tensor = this.#tensor(index, 'an input');
    const { name, dims: stated, type, quantisation } = tensor;
    // Bytes that are not quantised are numbers as they are, which the network casts to floats.
    if (type !== 'FLOAT32' && type !== 'UINT8' && !quantisation) {
      throw new UnsupportedOpError(this.#file, name, 'input', `is of ${type} without quantisation, expected floats`);
    }
    const { inputShapes = {} } = this.#options;
    // A file may state 1 for what is dynamic.
    const given = Object.hasOwn(inputShapes, name) ? inputShapes[name] : undefined;
    const open = stated.map((d) => (d === -1 ? null : d));
    const dims =
      given ??
      (stated.includes(-1)
        ? (await import('../core/inputs.ts')).inputShapeOf(this.#file, name, [], open, this.#options)
        : stated);
    if (dims.length < 1 || dims.length > 4) {
      throw new ModelFormatError(this.#file, `input "${name}" has ${dims.length} dimensions, expected one to four`);
    }
    const orderOf = (order: number) => this.#value(order, 'the order of a TRANSPOSE');
    const image = dims.length === 4 && this.#isTransposedFromNchw?.(index, operators, orderOf) ? nchw : nhwc;
    const orders: readonly (readonly Axis[])[] = [[], [0], [0, 3], [0, 2, 3], image];
    const input = this.#builder.input(name, dims, orders[dims.length]!);
    const place = { node: name, op: 'input', where: `tensor ${index}`, output: name };
    this.#values.set(index, this.#rounding?.computed(this.#builder, place, input, tensor) ?? input);
  }

  #ownOutputs(): Wanted[] {
    return this.#named(this.#subgraph.ints(2, mostOutputs, 'outputs'));
  }

  #named(indices: readonly number[]): Wanted[] {
    const outputs = indices.map((index) => ({ name: this.#tensor(index, 'an output').name, index }));
    if (outputs.length === 0) throw new ModelFormatError(this.#file, 'has no outputs');
    const twice = outputs.find(({ name }, i) => outputs.findIndex((other) => other.name === name) < i);
    if (twice) throw new ModelFormatError(this.#file, `has two outputs named "${twice.name}"`);
    return outputs;
  }

  /** The operators that the wanted tensors depend on, in the file's order, which is one that runs. */
  #needed(all: readonly Operator[], wanted: readonly number[]): number[] {
    const tensors = new Set(wanted);
    const result: number[] = [];
    for (let i = all.length - 1; i >= 0; i--) {
      const { number, inputs, outputs } = all[i]!;
      if (!outputs.some((index) => tensors.has(index))) continue;
      result.push(i);
      for (const index of statesShape.has(number) ? inputs.slice(0, 1) : inputs) tensors.add(index);
    }
    return result.reverse();
  }

  /** What an operator is called, and the name of a custom one. */
  #kind({ table, number }: Operator, index: number, codes: readonly OperatorCode[]): { op: string; custom: string } {
    const code = codes[table.int(0)];
    if (!code) {
      throw new ModelFormatError(
        this.#file,
        `operator ${index} has the code ${table.int(0)}, and there are ${codes.length}`,
      );
    }
    const custom = number === CUSTOM ? code.custom : '';
    const op =
      this.#operators.get(number)?.[0] ??
      this.#ends?.decoders.get(number) ??
      (code.custom || `builtin operator ${number}`);
    return { op, custom };
  }

  #run(call: Operator, index: number, codes: readonly OperatorCode[]): void {
    const { table: operator, number, inputs: stated, outputs } = call;
    const { op, custom } = this.#kind(call, index, codes);
    // A last one may be left out, but where each is one of many.
    const inputs = stated.filter((input, i, list) => input !== -1 || i < list.length - 1 || number === concatenation);
    const output = this.#tensor(outputs[0] ?? -1, `the output of operator ${index}`);
    const handler = this.#customOperators.get(custom);
    const known = handler ? ([custom, handler] as const) : this.#operators.get(number);
    const place: Place = {
      node: output.name,
      op,
      where: `operator ${index}, inputs ${listed(inputs.slice(0, 13).map((input) => this.#shortName(input)))}`,
      output: output.name,
    };
    if (!known) this.#builder.unsupported(place, 'this engine does not run it');
    if (outputs.length !== 1) this.#builder.unsupported(place, `has ${outputs.length} outputs, expected one`);
    if (this.#values.has(outputs[0]!) || output.bytes.length > 0) {
      this.#builder.damaged(place, 'writes a tensor that is an input, a constant or written before');
    }
    const value = (i: number): Value => {
      if (!(i < inputs.length)) this.#builder.damaged(place, `has ${inputs.length} inputs, expected more`);
      return this.#value(inputs[i]!, `input ${i} of operator ${index} (${place.op})`);
    };
    const rounding = this.#rounding;
    const quantised = this.#quantised;
    const activation = (!rounding && quantised?.activationRange(this.#file, output)) || null;
    const operation: TfliteOperation = {
      ...operandsOf(this.#builder, place, inputs.length, value),
      options: this.#readOptions(operator, place, known?.[2]),
      range: activation?.range ?? null,
      customOptions: custom ? operator.bytes(5) : new Uint8Array(0),
      budget: this.#budget,
      outputDims: output.dims,
      outputType: output.type,
    };
    try {
      const result = known![1](operation);
      const read = rounding?.result(
        this.#builder,
        place,
        number,
        result,
        inputs.map((i) => this.#values.get(i)),
        output,
      );
      this.#values.set(
        outputs[0]!,
        read ?? (activation ? quantised!.saturated(this.#builder, place, result, activation) : result),
      );
    } catch (error) {
      if (error instanceof FoldError) this.#builder.damaged(place, error.message);
      throw error;
    }
  }

  /** Null where the file has none. Fields of another operator's options would be read for what they are not. */
  #readOptions(operator: FlatTable, place: Place, expected: number | undefined): FlatTable | null {
    const options = expected === undefined ? null : operator.table(4);
    const type = operator.byte(3);
    if (options && type !== expected) {
      this.#builder.damaged(place, `has options of the type ${type} in BuiltinOptions, expected ${expected}`);
    }
    return options;
  }

  #value(index: number, what: string): Value {
    const known = this.#values.get(index);
    if (known) return known;
    const tensor = this.#tensor(index, what);
    if (tensor.bytes.length === 0) {
      throw new ModelFormatError(this.#file, `${what} is tensor "${tensor.name}", which nothing before it computes`);
    }
    const constant = decodeConstant(this.#file, tensor, this.#budget, this.#quantised?.realNumbers ?? null);
    this.#rounding?.constant(constant, tensor);
    this.#values.set(index, constant);
    return constant;
  }
}
