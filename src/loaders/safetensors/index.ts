/**
 * safetensors files → `Graph`: a MobileNet named as timm, torchvision or Hugging Face transformers name theirs. The
 * architecture follows from names, its widths from shapes; config.json beside the file says what tensors cannot.
 */
import type { ArchitectureOptions } from '../../architectures/builder.ts';
import { mobileNetV1 } from '../../architectures/mobilenet-v1.ts';
import { mobileNetV2 } from '../../architectures/mobilenet-v2.ts';
import { mobileNetV3 } from '../../architectures/mobilenet-v3.ts';
import { mobileNetV4 } from '../../architectures/mobilenet-v4.ts';
import type { WeightSource } from '../../architectures/weights.ts';
import { GraphError, ModelFormatError, UsageError } from '../../errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { plainImage } from '../../graph/image-rule.ts';
import type { Node } from '../../graph/ops.ts';
import { inferShapes } from '../../graph/shapes.ts';
import { shown } from '../core/json.ts';
import { outputsLast } from '../core/weights.ts';
import type { LoadGraphOptions, ModelFiles } from '../model-files.ts';
import { openSavedModel, readersFor, SAVED_FORMAT } from '../saved-model/index.ts';
import { readConfig } from '../sidecars/config.ts';
import { readSafetensors, type SafetensorsFile } from './container.ts';
import type { Module, Naming } from './names.ts';
import { timmNaming } from './timm.ts';
import { torchvisionNaming } from './torchvision.ts';
import { transformersNaming } from './transformers.ts';
import { floatsOf } from './values.ts';

const maxSide = 4096;

/**
 * A saved model, or weights: input `input`, `[1, size, size, channels]`, 224² unless config.json or `inputShapes` says
 * otherwise, to `logits`. Throws `ModelFormatError`, `UsageError`.
 */
export async function loadSafetensors(files: ModelFiles, options: LoadGraphOptions): Promise<Graph> {
  const container = readSafetensors(files.name, files.bytes);
  if (container.metadata.format === SAVED_FORMAT) {
    const readers = await readersFor(container.metadata);
    return openSavedModel(files.name, container, options, readers);
  }
  if (options.outputs) {
    throw new UsageError(`the option "outputs" is for files that hold a graph; ${files.name} holds weights alone`);
  }
  const names: ReadonlySet<string> = new Set(container.tensors.keys());
  const naming = timmNaming(names) ?? torchvisionNaming(names) ?? transformersNaming(names);
  if (!naming) {
    const some = [...names].slice(0, 3).map(shown).join(', ') || 'none';
    throw new ModelFormatError(
      files.name,
      `has ${names.size} tensors that are not named as those of a MobileNet V1 to V4 by timm, torchvision or ` +
        `transformers (the first: ${some})`,
    );
  }
  const reader = new WeightReader(files.name, container, naming);
  const [, channels] = reader.shapeOf('stem');
  const config = await readConfig(files, naming, reader.shapeOf('classifier')[0]!, options.signal);
  const { batch, size } = inputSize(files.name, channels!, config.size ?? 224, options.inputShapes);
  const assumptions = [...(config.assumptions ?? [])];
  let { image } = config;
  const said = files.beside?.includes('preprocessor_config.json');
  if (!image && !said && channels === 3 && naming.library !== 'transformers') {
    const { presets } = await import('../../graph/image-presets.ts');
    image = { ...plainImage, ...presets[naming.library] };
    assumptions.push(
      `pictures become the input as ${naming.library} has it by default (image: '${naming.library}'): no file says how`,
    );
  }
  if (!config.size && !options.inputShapes)
    assumptions.push('nothing says how large its pictures are: 224 × 224 is taken');
  const architecture: ArchitectureOptions = {
    seed: 1,
    classes: 1,
    inputChannels: channels!,
    batch,
    weights: reader.source(config),
  };
  try {
    const graph = build(files.name, naming, size, architecture);
    reader.checkAllRead();
    inferShapes(graph);
    return {
      ...graph,
      ...(config.labels ? { labels: config.labels } : {}),
      ...(image ? { image } : {}),
      ...(assumptions.length > 0 ? { assumptions } : {}),
    };
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    throw new ModelFormatError(files.name, error.message.replace(`${files.name}: `, ''), { cause: error });
  }
}

function build(name: string, { library, network }: Naming, size: number, options: ArchitectureOptions): Graph {
  switch (network.version) {
    case 1:
      return mobileNetV1(name, 1, size, options);
    case 2:
      return library === 'transformers'
        ? withoutNode(mobileNetV2(name, 1, size, options), 'block1/add')
        : mobileNetV2(name, 1, size, options, network.depths);
    case 3:
      return mobileNetV3(name, network, 1, size, options);
    case 4:
      return mobileNetV4(name, network.size, 1, size, options);
  }
}

/**
 * What read a node's output reads its first input. In transformers the first block of V2 belongs to the stem, which adds
 * nothing back even where its widths are equal, as at α = 0.25.
 */
function withoutNode(graph: Graph, name: string): Graph {
  const node = graph.nodes.find((candidate) => candidate.name === name);
  if (!node) return graph;
  const nodes = graph.nodes.filter((other) => other !== node);
  const inputsOf = ({ inputs }: Node) => inputs.map((input) => (input === node.output ? node.inputs[0]! : input));
  return { ...graph, nodes: nodes.map((other): Node => ({ ...other, inputs: inputsOf(other) })) };
}

/** Batch and side of the input; `inputShapes` is in PyTorch's order, NCHW. */
function inputSize(file: string, channels: number, side: number, shapes: LoadGraphOptions['inputShapes']) {
  if (!shapes) return { batch: 1, size: side };
  const [name, ...others] = Object.keys(shapes);
  if (name !== 'input' || others.length > 0) {
    throw new UsageError(`${file} has one input, "input"; the option "inputShapes" names ${Object.keys(shapes)}`);
  }
  const [batch, depth, height, width, ...rest] = shapes.input!;
  const whole = (n: number | undefined, most: number) => Number.isSafeInteger(n) && n! >= 1 && n! <= most;
  if (!whole(batch, 1024) || depth !== channels || !whole(height, maxSide) || width !== height || rest.length > 0) {
    throw new UsageError(
      `${file}: input "input" cannot be [${shapes.input}], expected [batch, ${channels}, side, side]`,
    );
  }
  return { batch: batch!, size: height! };
}

/** Deals out the tensors of a file to the layers of an architecture and remembers which were asked for. */
class WeightReader {
  readonly #file: string;
  readonly #container: SafetensorsFile;
  readonly #naming: Naming;
  readonly #read = new Set<string>();

  constructor(file: string, container: SafetensorsFile, naming: Naming) {
    this.#file = file;
    this.#container = container;
    this.#naming = naming;
  }

  /** The shape of a layer's weights, `[outputs, inputs, …]`. */
  shapeOf(layer: string): readonly number[] {
    const name = `${this.#module(layer).weights}.weight`;
    const shape = this.#tensor(name, layer).shape;
    if (shape.length < 2 || !shape.every((d) => d >= 1 && d <= 1 << 20)) {
      this.#fail(name, `has the shape [${shape}], expected [outputs, inputs, …] of layer ${layer}`);
    }
    return shape;
  }

  source({ padding, epsilon }: Pick<WeightSource, 'padding' | 'epsilon'>): WeightSource {
    return {
      ...(padding ? { padding } : {}),
      ...(epsilon !== undefined ? { epsilon } : {}),
      convolution: (layer, { kernel, inChannels, groups, bias }) => {
        const { weights: prefix } = this.#module(layer);
        const outChannels = groups > 1 ? groups : this.shapeOf(layer)[0]!;
        const inputs = inChannels / groups;
        const shape = [outChannels, inputs, kernel, kernel];
        // A fully connected layer stands for a 1×1 convolution in torchvision's V3.
        const linear = kernel === 1 && groups === 1 && this.shapeOf(layer).length === 2;
        const values = this.#values(`${prefix}.weight`, linear ? shape.slice(0, 2) : shape, layer);
        return {
          weights: outputsLast(values, outChannels, inputs, kernel * kernel),
          bias: bias ? this.#values(`${prefix}.bias`, [outChannels], layer) : null,
          outChannels,
        };
      },
      batchNorm: (layer, channels) => {
        const { norm } = this.#module(layer);
        const values = (name: string) => this.#values(`${norm}.${name}`, [channels], layer);
        const variance = values('running_var');
        const bad = variance.findIndex((value) => value < 0);
        if (bad >= 0) this.#fail(`${norm}.running_var`, `[${bad}] is ${variance[bad]}, expected a variance ≥ 0`);
        return { scale: values('weight'), shift: values('bias'), mean: values('running_mean'), variance };
      },
      fullyConnected: (layer, features) => {
        const { weights: prefix } = this.#module(layer);
        const outFeatures = this.shapeOf(layer)[0]!;
        const values = this.#values(`${prefix}.weight`, [outFeatures, features], layer);
        return {
          weights: outputsLast(values, outFeatures, features),
          bias: this.#values(`${prefix}.bias`, [outFeatures], layer),
          outFeatures,
        };
      },
    };
  }

  /** Throws `ModelFormatError` where the file holds a tensor that the network has no place for. */
  checkAllRead(): void {
    for (const [name, { shape }] of this.#container.tensors) {
      // A count of training steps.
      if (this.#read.has(name) || name.endsWith('.num_batches_tracked')) continue;
      const { library, network } = this.#naming;
      this.#fail(
        name,
        `of [${shape}] has no place in the MobileNetV${network.version} of ${library}; expected none such`,
      );
    }
  }

  #module(layer: string): Module {
    const module = this.#naming.moduleOf(layer);
    if (!module) throw new ModelFormatError(this.#file, `has no name for layer ${layer} in ${this.#naming.library}`);
    return module;
  }

  #tensor(name: string, layer: string) {
    const tensor = this.#container.tensors.get(name);
    if (tensor) return tensor;
    const { library, network } = this.#naming;
    throw new ModelFormatError(
      this.#file,
      `lacks the tensor ${shown(name)} (layer ${layer}), which the MobileNetV${network.version} of ${library} has`,
    );
  }

  #values(name: string, expected: readonly number[], layer: string): Float32Array {
    const tensor = this.#tensor(name, layer);
    if (tensor.shape.join() !== expected.join()) {
      this.#fail(name, `has the shape [${tensor.shape}], expected [${expected}] (layer ${layer})`);
    }
    this.#read.add(name);
    return floatsOf(this.#file, name, tensor);
  }

  #fail(name: string, message: string): never {
    throw new ModelFormatError(this.#file, `tensor ${shown(name)} ${message}`);
  }
}
