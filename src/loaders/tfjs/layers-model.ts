/** TensorFlow.js layers models: a Keras topology, and weights by the names of layers. */
import { ModelFormatError, UsageError } from '../../errors.ts';
import type { Graph, ImageRule } from '../../graph/graph.ts';
import { FoldError } from '../core/constants.ts';
import { type Axis, ImportBuilder, listed, nchw, nhwc, type Variable } from '../core/import-builder.ts';
import { checkInputShapes, inputShapeOf } from '../core/inputs.ts';
import { field, isRecord, listOf, shown } from '../core/json.ts';
import { layouts } from '../core/layouts.ts';
import { schedule } from '../core/schedule.ts';
import type { LoadGraphOptions, ModelFiles } from '../model-files.ts';
import { readTeachableMachine } from '../sidecars/teachable-machine.ts';
import { LayerConfig } from './layer-config.ts';
import { layers as operations } from './layer-operations.ts';
import { TfjsWeights } from './weights.ts';

/** Calls of layers, those inside models that are called again counted again: what a small file may unfold to. */
const maxCalls = 20_000;
const maxDepth = 16;

/** A layer of a topology. */
interface Layer {
  readonly name: string;
  readonly kind: string;
  readonly config: unknown;
  readonly inboundNodes: unknown;
}

/** The tensor `tensor` of call `node` of a layer. */
interface Reference {
  readonly layer: string;
  readonly node: number;
  readonly tensor: number;
}

/** Thrown where everything that the caller asked for is there. */
class Complete {}

/**
 * A TensorFlow.js layers model: `Sequential` or `Functional`, nested, as Keras 2, Keras 3 and TensorFlow.js write them.
 * Inputs are named by their InputLayer (`layer_input` where a Sequential has none), outputs by their layers; with
 * `options.outputs` the network is cut at the layers of those names. A dynamic batch is 1. A Teachable Machine export has
 * its labels and its image rule from metadata.json beside it.
 *
 * `model` is the parsed model.json. Throws `ModelFormatError`, `UnsupportedOpError`, or `UsageError` for names and shapes
 * in `options`.
 */
export async function loadTfjsLayers(files: ModelFiles, model: unknown, options: LoadGraphOptions): Promise<Graph> {
  const given = field(model, 'modelTopology');
  const topology = field(given, 'model_config') ?? given;
  const version = field(given, 'keras_version') ?? field(topology, 'keras_version');
  const weights = await TfjsWeights.read(files, field(model, 'weightsManifest'), options);
  const keras3 = typeof version === 'string' && /^3\./.test(version);
  const loader = new LayersLoader(files.name, topology, weights, keras3, options);
  const graph = loader.load(topology);
  const { labels, image } = await readTeachableMachine(files, model, graph, options);
  const whole = { ...graph, ...(labels ? { labels } : {}), ...(image ? { image: image satisfies ImageRule } : {}) };
  return image ? whole : (await import('../sidecars/families.ts')).withFamily(files, whole, loader.names());
}

class LayersLoader {
  private readonly file: string;
  private readonly weights: TfjsWeights;
  private readonly keras3: boolean;
  private readonly options: LoadGraphOptions;
  private readonly builder: ImportBuilder;
  /** Names of weights by their last two parts, `layer/weight`. */
  private readonly weightNames = new Map<string, string[]>();
  private readonly inputNames: string[] = [];
  private readonly made = new Map<string, Variable>();
  private readonly inputOrder: readonly Axis[];
  private calls = 0;
  private root = '';

  constructor(file: string, topology: unknown, weights: TfjsWeights, keras3: boolean, options: LoadGraphOptions) {
    this.file = file;
    this.inputOrder = hasChannelsFirst(topology) ? nchw : nhwc;
    this.weights = weights;
    this.keras3 = keras3;
    this.options = options;
    this.builder = new ImportBuilder(file, weights.budget, layouts);
    for (const name of weights.names()) {
      const key = lastParts(name);
      const same = this.weightNames.get(key);
      if (same) same.push(name);
      else this.weightNames.set(key, [name]);
    }
  }

  /** Of the model, of its layers and of those of models in it. */
  names(): readonly string[] {
    return [this.root, ...this.made.keys()];
  }

  load(topology: unknown): Graph {
    const root = this.layer(topology, 'modelTopology');
    this.root = root.name;
    if (!isModel(root.kind)) {
      throw new ModelFormatError(
        this.file,
        `modelTopology is of the class ${JSON.stringify(root.kind)}, expected Sequential or Functional`,
      );
    }
    const ends = this.guarded(() => this.run(root, null, []));
    const { outputs } = this.options;
    checkInputShapes(this.file, this.options, this.inputNames);
    if (!outputs) return this.builder.finish(uniquelyNamed(ends));
    return this.builder.finish(
      [...new Set(outputs)].map((name) => {
        const value = this.made.get(name);
        if (value) return { name, value };
        const own = listed(ends.map((end) => end.name));
        throw new UsageError(`${this.file} has no layer "${name}" to cut at; its outputs are: ${own}`);
      }),
    );
  }

  /** Runs `work`, and turns what constants refuse into an error of the file. Ends early when `Complete` is thrown. */
  private guarded(work: () => readonly Named[]): readonly Named[] {
    try {
      return work();
    } catch (error) {
      if (error instanceof Complete) return [];
      if (error instanceof FoldError)
        throw new ModelFormatError(this.file, `a layer ${error.message}`, { cause: error });
      throw error;
    }
  }

  private layer(entry: unknown, where: string): Layer {
    const config = field(entry, 'config');
    const kind = field(entry, 'class_name');
    const name = field(entry, 'name') ?? field(config, 'name') ?? (Array.isArray(config) ? 'sequential' : undefined);
    if (typeof kind !== 'string' || typeof name !== 'string' || name === '') {
      throw new ModelFormatError(this.file, `${where} has no class_name or no name`);
    }
    return { name, kind, config, inboundNodes: field(entry, 'inbound_nodes') };
  }

  private layersOf(model: Layer): Layer[] {
    const list = Array.isArray(model.config) ? model.config : field(model.config, 'layers');
    if (!Array.isArray(list) || list.length === 0) {
      throw new ModelFormatError(this.file, `model "${model.name}" (${model.kind}) has no layers`);
    }
    return list.map((entry, i) => this.layer(entry, `layer ${i} of "${model.name}"`));
  }

  /** What a model makes of `inputs`; of inputs of the graph where that is null. `path`: the models around it. */
  private run(model: Layer, inputs: readonly Variable[] | null, path: readonly string[]): readonly Named[] {
    this.checkDepth(path.length);
    return model.kind === 'Sequential' ? this.sequential(model, inputs, path) : this.functional(model, inputs, path);
  }

  private checkDepth(depth: number): void {
    if (depth >= maxDepth) throw new ModelFormatError(this.file, `nests models more than ${maxDepth} deep`);
  }

  private sequential(model: Layer, given: readonly Variable[] | null, path: readonly string[]): readonly Named[] {
    const list = this.layersOf(model);
    const inside = [...path, model.name];
    let values: readonly Variable[];
    if (given) values = given;
    else {
      const { name, dims } = this.sequentialInput(model, 0);
      values = [this.input(name, dims)];
    }
    let last = model.name;
    for (const [i, layer] of list.entries()) {
      if (layer.kind === 'InputLayer') continue;
      values = this.call(layer, values, inside, `layer ${i} of ${list.length} in "${model.name}"`);
      last = layer.name;
    }
    return values.map((value) => ({ name: last, value }));
  }

  /** The name and the shape that the first layer states, inside nested models too. */
  private sequentialInput(model: Layer, depth: number): { name: string; dims: unknown } {
    const first = this.layersOf(model)[0]!;
    const own = field(model.config, 'build_input_shape');
    if (first.kind === 'Sequential') {
      this.checkDepth(depth);
      const inner = this.sequentialInput(first, depth + 1);
      return { ...inner, dims: inner.dims ?? own };
    }
    if (isModel(first.kind)) {
      const name = references(field(first.config, 'input_layers'))?.[0]?.layer;
      const layer = this.layersOf(first).find((candidate) => candidate.name === name);
      if (layer) return { name: layer.name, dims: shapeIn(layer.config) ?? own };
    }
    const name = first.kind === 'InputLayer' ? first.name : `${first.name}_input`;
    return { name, dims: shapeIn(first.config) ?? own };
  }

  private functional(model: Layer, given: readonly Variable[] | null, path: readonly string[]): readonly Named[] {
    const fail = (message: string): never => {
      throw new ModelFormatError(this.file, `model "${model.name}" (${model.kind}) ${message}`);
    };
    const list = this.layersOf(model);
    const inputs = references(field(model.config, 'input_layers')) ?? fail('has no sound input_layers');
    const outputs = references(field(model.config, 'output_layers')) ?? fail('has no sound output_layers');
    if (outputs.length === 0) fail('has no outputs');
    if (given && given.length !== inputs.length) fail(`is given ${given.length} tensors, expected ${inputs.length}`);

    interface Call {
      readonly layer: Layer;
      readonly position: number;
      /** Among the calls of the layer. */
      readonly index: number;
      readonly from: readonly Reference[];
    }
    const calls: Call[] = [];
    const indices = new Map<string, number>();
    const names = new Set<string>();
    for (const [position, layer] of list.entries()) {
      if (names.has(layer.name)) fail(`has two layers named "${layer.name}"`);
      names.add(layer.name);
      const nodes = layer.kind === 'InputLayer' ? [[]] : listOf(layer.inboundNodes);
      for (const [i, node] of nodes.entries()) {
        const from = inboundReferences(node) ?? fail(`has a layer "${layer.name}" whose inbound_nodes are damaged`);
        calls.push({ layer, position, index: i, from });
      }
    }
    // A model has a call of its own, by which it was made: files count it, and do not list it.
    const last = new Map<string, number>();
    for (const { layer, node } of [...outputs, ...calls.flatMap(({ from }) => from)]) {
      last.set(layer, Math.max(node, last.get(layer) ?? 0));
    }
    calls.forEach(({ layer, index }, i) => {
      const first = isModel(layer.kind) && last.get(layer.name) === listOf(layer.inboundNodes).length ? 1 : 0;
      indices.set(`${layer.name}:${index + first}`, i);
    });
    const indexOf = ({ layer, node }: Reference, reader: string): number => {
      const index = indices.get(`${layer}:${node}`);
      if (index !== undefined) return index;
      return fail(`has ${reader} that reads call ${node} of the layer "${layer}", which is not there`);
    };
    const values = new Map<number, readonly Variable[]>();
    inputs.forEach((reference, i) => {
      const index = indexOf(reference, 'an input');
      const { layer } = calls[index]!;
      if (layer.kind !== 'InputLayer') fail(`has the input "${layer.name}", which is a ${layer.kind}`);
      values.set(index, [given ? given[i]! : this.input(layer.name, shapeIn(layer.config))]);
    });
    const order = schedule(
      outputs.map((reference) => indexOf(reference, 'an output')),
      (index) => calls[index]!.from.map((reference) => indexOf(reference, `a layer "${calls[index]!.layer.name}"`)),
      (index) => fail(`has a cycle: layer "${calls[index]!.layer.name}" depends on its own output`),
    );
    const tensorOf = (reference: Reference, reader: string): Variable =>
      values.get(indexOf(reference, reader))?.[reference.tensor] ??
      fail(`has ${reader} that reads tensor ${reference.tensor} of "${reference.layer}", which is not there`);
    const inside = [...path, model.name];
    for (const index of order) {
      if (values.has(index)) continue;
      const { layer, position, from } = calls[index]!;
      if (layer.kind === 'InputLayer') fail(`reads the InputLayer "${layer.name}", which is none of its input_layers`);
      const read = from.map((reference) => tensorOf(reference, `a layer "${layer.name}"`));
      values.set(index, this.call(layer, read, inside, `layer ${position} of ${list.length} in "${model.name}"`));
    }
    return outputs.map((reference) => ({ name: reference.layer, value: tensorOf(reference, 'an output') }));
  }

  private call(layer: Layer, inputs: readonly Variable[], path: readonly string[], where: string): Variable[] {
    this.options.signal?.throwIfAborted();
    if (++this.calls > maxCalls) throw new ModelFormatError(this.file, `unfolds to more than ${maxCalls} layers`);
    const results = isModel(layer.kind)
      ? this.run(layer, inputs, path).map(({ value }) => value)
      : [this.convert(layer, inputs, path, where)];
    if (!this.made.has(layer.name)) this.made.set(layer.name, results[0]!);
    if (this.options.outputs?.every((name) => this.made.has(name))) throw new Complete();
    return results;
  }

  private convert(layer: Layer, inputs: readonly Variable[], path: readonly string[], where: string): Variable {
    const { builder } = this;
    const { name, kind } = layer;
    const place = { node: name, op: kind, where, output: name };
    const operation = operations.get(kind);
    if (!operation) return builder.unsupported(place, 'the layer is not one that this engine runs');
    const input = inputs[0] ?? builder.damaged(place, 'has no input');
    const merges = ['Add', 'Subtract', 'Multiply', 'Concatenate'].includes(kind);
    if (inputs.length > 1 && !merges) builder.damaged(place, `has ${inputs.length} inputs, expected one`);
    try {
      return operation({
        place,
        builder,
        config: new LayerConfig(this.file, name, layer.config),
        inputs,
        input,
        weight: (weight, dims) => this.weight([...path, name], weight, dims),
        keras3: this.keras3,
      });
    } catch (error) {
      if (!(error instanceof FoldError)) throw error;
      return builder.damaged(place, error.message);
    }
  }

  /**
   * The weight of the layer at the end of `path`. Files name it `layer/weight`, or with some of the models around it in
   * front; the longest such name wins.
   */
  private weight(path: readonly string[], weight: string, dims: readonly number[]): Float32Array {
    const layer = path.at(-1)!;
    const fail = (message: string): never => {
      throw new ModelFormatError(this.file, `layer "${layer}": weight "${layer}/${weight}" ${message}`);
    };
    const found = path.map((_, i) => [...path.slice(i), weight].join('/')).find((name) => this.weights.has(name));
    const alike = this.weightNames.get(lastParts(`${layer}/${weight}`)) ?? [];
    if (!found && alike.length > 1) fail(`could be any of ${listed(alike)}`);
    const name = found ?? alike[0] ?? fail('is not in weightsManifest');
    const value = this.weights.get(name, (shape) => {
      if (shape.join() !== dims.join()) fail(`has the shape [${shape}], expected [${dims}]`);
    })!;
    if (value.data instanceof Float32Array) return value.data;
    return fail('holds integers, expected floats');
  }

  private input(name: string, stated: unknown): Variable {
    if (!Array.isArray(stated) || !stated.every((d) => d === null || (Number.isSafeInteger(d) && d > 0))) {
      if (stated !== undefined) {
        throw new ModelFormatError(
          this.file,
          `input "${name}" has the shape ${shown(stated)}, expected a list of sizes ≥ 1 or null`,
        );
      }
    }
    const shape = inputShapeOf(
      this.file,
      name,
      [name],
      (stated as (number | null)[] | undefined) ?? null,
      this.options,
    );
    const orders: readonly (readonly Axis[])[] = [[], [3], [0, 3], [0, 2, 3], this.inputOrder];
    const order = orders[shape.length];
    if (!order) {
      throw new ModelFormatError(this.file, `input "${name}" has ${shape.length} dimensions, expected at most 4`);
    }
    this.inputNames.push(name);
    const value = this.builder.input(name, shape, order);
    this.made.set(name, value);
    return value;
  }
}

interface Named {
  readonly name: string;
  readonly value: Variable;
}

const isModel = (kind: string): boolean => ['Sequential', 'Functional', 'Model'].includes(kind);

const shapeIn = (config: unknown): unknown =>
  field(config, 'batch_input_shape') ?? field(config, 'batch_shape') ?? undefined;

/** Whether a layer anywhere in `topology` has its channels first. */
function hasChannelsFirst(topology: unknown): boolean {
  const waiting = [topology];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (field(value, 'data_format') === 'channels_first') return true;
    if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) waiting.push(item ?? 0);
  }
  return false;
}

/** The last two parts of a weight's name, without `:0`. */
function lastParts(name: string): string {
  const end = name.endsWith(':0') ? name.length - 2 : name.length;
  const slash = name.lastIndexOf('/', end - 1);
  return name.slice(slash > 0 ? name.lastIndexOf('/', slash - 1) + 1 : 0, end);
}

/** Outputs under names of their own: `layer`, `layer:1` for a second tensor of it. */
function uniquelyNamed(outputs: readonly Named[]): Named[] {
  const taken = new Map<string, number>();
  return outputs.map(({ name, value }) => {
    const times = taken.get(name) ?? 0;
    taken.set(name, times + 1);
    return { name: times === 0 ? name : `${name}:${times}`, value };
  });
}

function reference(value: unknown): Reference | null {
  const [layer, node = 0, tensor = 0] = listOf(value);
  const sound = typeof layer === 'string' && Number.isSafeInteger(node) && Number.isSafeInteger(tensor);
  return sound ? { layer, node: node as number, tensor: tensor as number } : null;
}

/** A list of `[layer, node, tensor]`, or one alone; null where it is neither. */
function references(value: unknown): Reference[] | null {
  if (!Array.isArray(value)) return null;
  const found = (typeof value[0] === 'string' ? [value] : value).map(reference);
  return found.every((item) => item !== null) ? (found as Reference[]) : null;
}

/** What one call of a layer reads: a list of references (Keras 2), or arguments with tensors among them (Keras 3). */
function inboundReferences(node: unknown): Reference[] | null {
  if (!isRecord(node)) return references(node);
  const found: (Reference | null)[] = [];
  const visit = (value: unknown, depth: number): void => {
    if (field(value, 'class_name') === '__keras_tensor__') {
      found.push(reference(field(field(value, 'config'), 'keras_history')));
    } else if (Array.isArray(value) && depth < 4) for (const item of value) visit(item, depth + 1);
  };
  visit(field(node, 'args'), 0);
  return found.every((item) => item !== null) ? (found as Reference[]) : null;
}
