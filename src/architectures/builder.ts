import type { Graph } from '../graph/graph.ts';
import type { Activation, Node, Padding, Pair, Shape } from '../graph/ops.ts';
import { inferShapes, samePadding } from '../graph/shapes.ts';
import { Random } from './random.ts';

export interface ArchitectureOptions {
  readonly seed: number;
  readonly classes: number;
  readonly inputChannels: number;
  readonly batch: number;
}

export interface ConvOptions {
  readonly kernel?: number;
  readonly stride?: number;
  readonly activation?: Activation;
  /** A bias and no batch-norm. */
  readonly bias?: boolean;
}

/** Where the origin of a family pads: TensorFlow's SAME, or PyTorch's (k − 1) / 2 on every side. */
export type PaddingRule = 'same' | 'symmetric';

/**
 * Writes a network as its framework would: convolution, batch-norm, activation, each a node. Weights are random with
 * a variance that keeps that of the activations (He et al. 2015, "Delving Deep into Rectifiers", section 2.2), and
 * batch-norm statistics are those of the convolution's own output, with some spread. A convolution without activation
 * has half of it, so that sums over residual connections stay in range.
 */
export class GraphBuilder {
  readonly #name: string;
  readonly #nodes: Node[] = [];
  readonly #shapes: Map<string, Shape>;
  readonly #random: Random;
  readonly #padding: PaddingRule;
  readonly #epsilon: number;
  readonly #input: { readonly name: string; readonly shape: Shape };
  /** The tensor that the next node reads. */
  current: string;

  constructor(name: string, size: number, options: ArchitectureOptions, padding: PaddingRule, epsilon: number) {
    this.#name = name;
    this.#random = new Random(options.seed);
    this.#padding = padding;
    this.#epsilon = epsilon;
    this.#input = { name: 'input', shape: [options.batch, size, size, options.inputChannels] };
    this.#shapes = new Map([['input', this.#input.shape]]);
    this.current = 'input';
  }

  get channels(): number {
    return this.#shapes.get(this.current)![3];
  }

  conv(name: string, outChannels: number, options: ConvOptions = {}): this {
    return this.#convolution(name, outChannels, 1, options);
  }

  depthwise(name: string, options: ConvOptions = {}): this {
    return this.#convolution(name, this.channels, this.channels, { kernel: 3, ...options });
  }

  #convolution(
    name: string,
    outChannels: number,
    groups: number,
    { kernel = 1, stride = 1, activation = 'none', bias = false }: ConvOptions,
  ): this {
    const input = this.#shapes.get(this.current)!;
    const taps = kernel * kernel * (input[3] / groups);
    const deviation = Math.sqrt((activation === 'none' ? 0.5 : 2) / taps);
    this.#push({
      op: 'conv2d',
      name,
      inputs: [this.current],
      output: name,
      weights: this.#random.normal(taps * outChannels, 0, deviation),
      bias: bias ? this.#random.normal(outChannels, 0, 0.1) : null,
      kernel: [kernel, kernel],
      stride: [stride, stride],
      dilation: [1, 1],
      padding: this.#pad([input[1], input[2]], kernel, stride),
      groups,
      outChannels,
      activation: 'none',
    });
    if (!bias) this.#batchNorm(`${name}/batch-norm`);
    return activation === 'none' ? this : this.activation(`${name}/${activation}`, activation);
  }

  #pad(input: Pair, kernel: number, stride: number): Padding {
    if (this.#padding === 'same') return samePadding(input, [kernel, kernel], [stride, stride]);
    const side = (kernel - 1) / 2;
    return { top: side, left: side, bottom: side, right: side };
  }

  #batchNorm(name: string): void {
    const channels = this.channels;
    const variance = this.#random.normal(channels, 0, 0.2).map((value) => Math.exp(value));
    this.#push({
      op: 'batch-norm',
      name,
      inputs: [this.current],
      output: name,
      scale: this.#random.normal(channels, 1, 0.1),
      shift: this.#random.normal(channels, 0, 0.1),
      mean: this.#random.normal(channels, 0, 0.1),
      variance,
      epsilon: this.#epsilon,
    });
  }

  activation(name: string, activation: Activation): this {
    return this.#push({ op: 'activation', name, inputs: [this.current], output: name, activation });
  }

  add(name: string, other: string): this {
    return this.#push({ op: 'add', name, inputs: [this.current, other], output: name, activation: 'none' });
  }

  /** Squeeze-and-excitation (Hu et al. 2018) as MobileNetV3 has it: two biased 1×1 convolutions, relu and hard-sigmoid. */
  squeezeExcite(name: string, squeezed: number): this {
    const source = this.current;
    const channels = this.channels;
    this.globalAveragePool(`${name}/pool`);
    this.conv(`${name}/reduce`, squeezed, { bias: true, activation: 'relu' });
    this.conv(`${name}/expand`, channels, { bias: true, activation: 'hard-sigmoid' });
    return this.#push({
      op: 'multiply',
      name: `${name}/scale`,
      inputs: [source, this.current],
      output: `${name}/scale`,
      activation: 'none',
    });
  }

  globalAveragePool(name: string): this {
    return this.#push({ op: 'global-average-pool', name, inputs: [this.current], output: name });
  }

  fullyConnected(name: string, outFeatures: number): this {
    const features = this.channels;
    return this.#push({
      op: 'fully-connected',
      name,
      inputs: [this.current],
      output: name,
      weights: this.#random.normal(features * outFeatures, 0, Math.sqrt(1 / features)),
      bias: this.#random.normal(outFeatures, 0, 0.1),
      outFeatures,
      activation: 'none',
    });
  }

  /** The network up to here, with the logits as its output. */
  build(): Graph {
    return {
      name: this.#name,
      inputs: [this.#input],
      outputs: [{ name: 'logits', tensor: this.current }],
      nodes: this.#nodes,
    };
  }

  #push(node: Node): this {
    const inputs = node.inputs.map((name) => ({ name, shape: this.#shapes.get(name)! }));
    const shapes = inferShapes({ name: this.#name, inputs, outputs: [], nodes: [node] });
    this.#shapes.set(node.output, shapes.get(node.output)!);
    this.#nodes.push(node);
    this.current = node.output;
    return this;
  }
}

/**
 * The nearest multiple of 8, at least 8 and not less than 0.9 of the value ("make_divisible" of TensorFlow's
 * MobileNetV2 and V3).
 */
export function divisibleBy8(value: number): number {
  const rounded = Math.max(8, Math.floor((value + 4) / 8) * 8);
  return rounded < 0.9 * value ? rounded + 8 : rounded;
}
