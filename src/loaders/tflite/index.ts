/** TensorFlow Lite files: one subgraph, float32, float16 or quantised weights. */
import { ModelFormatError, UnsupportedOpError, UsageError } from '../../errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { inferShapes } from '../../graph/shapes.ts';
import { FoldBudget, FoldError } from '../core/constants.ts';
import { type Axis, ImportBuilder, listed, nchw, nhwc, type Place, type Value } from '../core/import-builder.ts';
import { checkInputShapes, inputShapeOf } from '../core/inputs.ts';
import { operandsOf } from '../core/operands.ts';
import { saturated } from '../core/saturation.ts';
import type { LoadGraphOptions, ModelFiles } from '../model-files.ts';
import { imageRuleOf } from '../sidecars/tflite-metadata.ts';
import { FlatTable } from './flat-table.ts';
import { operators, type TfliteOperation } from './operations.ts';
import { type ActivationRange, activationRange, decodeConstant, readTensor, type TfliteTensor } from './tensors.ts';

/** Tensors, operators, buffers, kinds of operators: of each. */
const mostTables = 50_000;
/** Of the model, and of one operator. */
const mostInputs = 100;
const mostOutputs = 1000;
const mostOperands = 4096;

const transposeOperator = 39;
/** ADD, DEQUANTIZE, MUL, RELU, RELU6, PAD, SUB, DIV, CAST, PADV2, QUANTIZE: what may stand before a picture is transposed. */
const layoutFree: ReadonlySet<number> = new Set([0, 6, 18, 19, 21, 34, 41, 42, 53, 60, 114]);
/** RESHAPE, SQUEEZE, EXPAND_DIMS. The file states what they give, whatever computes a second input. */
const statesShape: ReadonlySet<number> = new Set([22, 43, 70]);

interface Operator {
  readonly table: FlatTable;
  /** Of BuiltinOperator; -1 where the file has no such code. */
  readonly number: number;
  /** Indices of tensors. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

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
 * files, where a list there has a line for each class.
 *
 * Throws `ModelFormatError`, `UnsupportedOpError`, or `UsageError` for names in `options`.
 */
export async function loadTflite(files: ModelFiles, options: LoadGraphOptions): Promise<Graph> {
  const model = FlatTable.root(files.name, files.bytes);
  const version = model.int(0);
  if (version !== 3) throw new ModelFormatError(files.name, `has the schema version ${version}, expected 3`);
  const subgraphs = model.tables(2, mostTables, 'subgraphs');
  if (subgraphs.length !== 1) throw new ModelFormatError(files.name, `has ${subgraphs.length} subgraphs, expected one`);
  const graph = await new TfliteLoader(files, model, subgraphs[0]!, options).load();
  const [output, ...others] = graph.outputs;
  if (!output || others.length > 0 || !hasArchive(files.bytes)) return graph;
  const { archivedLabels } = await import('../sidecars/archived-labels.ts');
  const labels = archivedLabels(files.name, files.bytes, inferShapes(graph).get(output.tensor)![3]);
  return labels ? { ...graph, labels } : graph;
}

class TfliteLoader {
  readonly #file: string;
  readonly #model: FlatTable;
  readonly #subgraph: FlatTable;
  readonly #options: LoadGraphOptions;
  readonly #builder: ImportBuilder;
  readonly #buffers: readonly FlatTable[];
  readonly #tensors: readonly TfliteTensor[];
  readonly #budget: FoldBudget;
  readonly #values = new Map<number, Value>();

  constructor({ name, bytes }: ModelFiles, model: FlatTable, subgraph: FlatTable, options: LoadGraphOptions) {
    this.#file = name;
    this.#model = model;
    this.#subgraph = subgraph;
    this.#options = options;
    this.#budget = new FoldBudget(bytes.length);
    this.#builder = new ImportBuilder(name, this.#budget);
    this.#buffers = model.tables(4, mostTables, 'buffers');
    this.#tensors = subgraph
      .tables(0, mostTables, 'tensors')
      .map((table, i) => readTensor(name, table, i, this.#buffers));
  }

  load(): Graph {
    const inputs = this.#subgraph.ints(1, mostInputs, 'inputs');
    checkInputShapes(
      this.#file,
      this.#options,
      inputs.map((index) => this.#tensor(index, 'an input').name),
    );
    // The byte came first; operators past 127 are in the other field only.
    const codes = this.#model
      .tables(1, mostTables, 'operator codes')
      .map((table) => ({ number: Math.max(table.byte(0), table.int(3)), custom: table.string(1) }));
    const all = this.#subgraph.tables(3, mostTables, 'operators').map((table) => ({
      table,
      number: codes[table.int(0)]?.number ?? -1,
      inputs: table.ints(1, mostOperands, 'inputs of an operator'),
      outputs: table.ints(2, mostOperands, 'outputs of an operator'),
    }));
    for (const index of inputs) this.#addInput(index, all);
    const wanted = this.#wantedOutputs();
    const needed = this.#needed(
      all,
      wanted.map(({ index }) => index),
    );
    all.forEach((operator, i) => {
      this.#options.signal?.throwIfAborted();
      if (needed.has(i)) this.#run(operator, i, codes);
    });
    const graph = this.#builder.finish(
      wanted.map(({ name, index }) => ({ name, value: this.#value(index, `output "${name}"`) })),
    );
    const [index] = inputs;
    if (index === undefined || inputs.length > 1) return graph;
    const input = this.#tensor(index, 'an input');
    const dims = input.dims.length === 4 ? graph.inputs[0]!.shape : input.dims;
    const image = imageRuleOf(this.#file, this.#model, this.#buffers, { ...input, dims });
    return image ? { ...graph, image } : graph;
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

  #addInput(index: number, operators: readonly Operator[]): void {
    const { name, dims: stated, type, quantisation } = this.#tensor(index, 'an input');
    if (type !== 'FLOAT32' && !quantisation) {
      throw new UnsupportedOpError(this.#file, name, 'input', `is of ${type} without quantisation, expected floats`);
    }
    const { inputShapes = {} } = this.#options;
    // A file may state 1 for what is dynamic.
    const dims =
      (Object.hasOwn(inputShapes, name) && inputShapes[name]) ||
      inputShapeOf(
        this.#file,
        name,
        [],
        stated.map((d) => (d === -1 ? null : d)),
        this.#options,
      );
    if (dims.length < 1 || dims.length > 4) {
      throw new ModelFormatError(this.#file, `input "${name}" has ${dims.length} dimensions, expected one to four`);
    }
    const image = dims.length === 4 && this.#isTransposedFromNchw(index, operators) ? nchw : nhwc;
    const orders: readonly (readonly Axis[])[] = [[], [0], [0, 3], [0, 2, 3], image];
    this.#values.set(index, this.#builder.input(name, dims, orders[dims.length]!));
  }

  /** Whether the first operator that cares for layout is a transposition from NCHW to NHWC. */
  #isTransposedFromNchw(input: number, operators: readonly Operator[]): boolean {
    const seen = new Set([input]);
    for (const { number, inputs, outputs } of operators) {
      if (inputs[0] === undefined || !inputs.some((index) => seen.has(index))) continue;
      if (number === transposeOperator) {
        const order = seen.has(inputs[0]) ? this.#value(inputs[1] ?? -1, 'the order of a TRANSPOSE') : null;
        return order?.kind === 'constant' && order.data.join() === '0,2,3,1';
      }
      if (!layoutFree.has(number)) return false;
      for (const index of outputs) seen.add(index);
    }
    return false;
  }

  #wantedOutputs(): { name: string; index: number }[] {
    const names = this.#options.outputs;
    if (!names) return this.#ownOutputs();
    return names.map((name) => {
      const index = this.#tensors.findIndex((tensor) => tensor.name === name);
      if (index < 0) throw new UsageError(`${this.#file} has no tensor "${name}" (option "outputs")`);
      if (this.#tensors.some((tensor, other) => other > index && tensor.name === name)) {
        throw new UsageError(`${this.#file} has two tensors named "${name}" (option "outputs"): name another`);
      }
      return { name, index };
    });
  }

  #ownOutputs(): { name: string; index: number }[] {
    const outputs = this.#subgraph
      .ints(2, mostOutputs, 'outputs')
      .map((index) => ({ name: this.#tensor(index, 'an output').name, index }));
    if (outputs.length === 0) throw new ModelFormatError(this.#file, 'has no outputs');
    const twice = outputs.find(({ name }, i) => outputs.findIndex((other) => other.name === name) < i);
    if (twice) throw new ModelFormatError(this.#file, `has two outputs named "${twice.name}"`);
    return outputs;
  }

  /** The operators that the wanted tensors depend on; a file lists them in an order that runs. */
  #needed(all: readonly Operator[], wanted: readonly number[]): Set<number> {
    const tensors = new Set(wanted);
    const result = new Set<number>();
    for (let i = all.length - 1; i >= 0; i--) {
      const { number, inputs, outputs } = all[i]!;
      if (!outputs.some((index) => tensors.has(index))) continue;
      result.add(i);
      for (const index of statesShape.has(number) ? inputs.slice(0, 1) : inputs) tensors.add(index);
    }
    return result;
  }

  #run(
    { table: operator, number, inputs: stated, outputs }: Operator,
    index: number,
    codes: readonly { readonly custom: string }[],
  ): void {
    const code = codes[operator.int(0)];
    if (!code) {
      throw new ModelFormatError(
        this.#file,
        `operator ${index} has the code ${operator.int(0)}, and there are ${codes.length}`,
      );
    }
    const inputs = stated.filter((input, i, list) => input !== -1 || i < list.length - 1);
    const output = this.#tensor(outputs[0] ?? -1, `the output of operator ${index}`);
    const known = operators.get(number);
    const place: Place = {
      node: output.name,
      op: known?.[0] ?? (code.custom || `builtin operator ${number}`),
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
    const quantised = activationRange(this.#file, output);
    const operation: TfliteOperation = {
      ...operandsOf(this.#builder, place, inputs.length, value),
      options: this.#readOptions(operator, place, known?.[2]),
      range: quantised?.range ?? null,
      budget: this.#budget,
      outputDims: output.dims,
    };
    try {
      const result = known![1](operation);
      this.#values.set(outputs[0]!, quantised ? this.#saturated(result, quantised, place) : result);
    } catch (error) {
      if (error instanceof FoldError) this.#builder.damaged(place, error.message);
      throw error;
    }
  }

  /**
   * The range of an input is its caller's to keep. Where the end at zero cuts nothing, or a step at most, no activation
   * is hidden in the range.
   */
  #saturated(value: Value, { range, step }: ActivationRange, place: Place): Value {
    if (value.kind === 'constant' || !this.#builder.producer(value.tensor)) return value;
    const after = { ...place, node: `${place.node}/range`, output: `${place.output}/range` };
    const positive = range.low >= 0;
    const accepted = {
      low: positive ? range.low - step.scale : -Infinity,
      high: positive ? Infinity : range.high + step.scale,
    };
    return saturated(this.#builder, after, value, range, accepted);
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
    const constant = decodeConstant(this.#file, tensor, this.#budget);
    this.#values.set(index, constant);
    return constant;
  }
}
