import type { Graph } from '../graph/graph.ts';
import type { Activation, Node, Padding, Pair, Shape } from '../graph/ops.ts';
import { inferShapes, samePadding } from '../graph/shapes.ts';
import { type PaddingRule, randomWeights, type WeightSource } from './weights.ts';

export interface ArchitectureOptions {
  readonly seed: number;
  readonly classes: number;
  readonly inputChannels: number;
  readonly batch: number;
  /** In place of random ones; widths and classes are then those of the weights. */
  readonly weights?: WeightSource;
}

export interface ConvOptions {
  readonly kernel?: number;
  readonly stride?: number;
  readonly activation?: Activation;
  /** A bias and no batch-norm. */
  readonly bias?: boolean;
}

/** Writes a network as its framework would: convolution, batch-norm, activation, each a node. */
export class NetworkBuilder {
  readonly #name: string;
  readonly #nodes: Node[] = [];
  readonly #shapes: Map<string, Shape>;
  readonly #weights: WeightSource;
  readonly #padding: PaddingRule;
  readonly #epsilon: number;
  readonly #input: { readonly name: string; readonly shape: Shape };
  /** The tensor that the next node reads. */
  current: string;

  constructor(name: string, size: number, options: ArchitectureOptions, padding: PaddingRule, epsilon: number) {
    this.#name = name;
    this.#weights = options.weights ?? randomWeights(options.seed);
    this.#padding = this.#weights.padding ?? padding;
    this.#epsilon = this.#weights.epsilon ?? epsilon;
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
    const inChannels = input[3];
    const values = this.#weights.convolution(name, { kernel, inChannels, outChannels, groups, bias, activation });
    this.#push({
      op: 'conv2d',
      name,
      inputs: [this.current],
      output: name,
      kernel: [kernel, kernel],
      stride: [stride, stride],
      dilation: [1, 1],
      padding: this.#pad([input[1], input[2]], kernel, stride),
      groups,
      activation: 'none',
      ...values,
    });
    if (!bias) this.#batchNorm(name);
    return activation === 'none' ? this : this.activation(`${name}/${activation}`, activation);
  }

  #pad(input: Pair, kernel: number, stride: number): Padding {
    if (this.#padding === 'same') return samePadding(input, [kernel, kernel], [stride, stride]);
    const side = (kernel - 1) / 2;
    return { top: side, left: side, bottom: side, right: side };
  }

  /** The batch-norm after the convolution of this name. */
  #batchNorm(convolution: string): void {
    const name = `${convolution}/batch-norm`;
    this.#push({
      op: 'batch-norm',
      name,
      inputs: [this.current],
      output: name,
      ...this.#weights.batchNorm(convolution, this.channels),
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
    return this.#push({
      op: 'fully-connected',
      name,
      inputs: [this.current],
      output: name,
      ...this.#weights.fullyConnected(name, this.channels, outFeatures),
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
