/** Writes whole networks as TensorFlow.js graph models. */

import { inferShapes, samePadding, sizeOf } from '../../src/graph/shapes.ts';
import type { Activation, Conv2d, Graph, Node, NodeOf, Padding, Shape } from '../../src/index.ts';
import { plainNodes } from '../../src/writers/nodes.ts';
import {
  type TfjsAttribute,
  type TfjsModel,
  type TfjsNodeSpec,
  type TfjsWeightSpec,
  writeTfjs,
} from './tfjs-writer.ts';

/**
 * The graph, which has been through the passes, as TensorFlow.js's converter writes it: bias, relu and relu6 fused into
 * the layer before, hard-swish and hard-sigmoid spelled out as Keras has them. A padding that is not SAME becomes Pad.
 * Outputs are `[n, h, w, c]`, or `[n, c]` of a fully connected layer. Throws for operations that no MobileNet holds.
 */
export const writeTfjsNetwork = (graph: Graph): TfjsModel => new NetworkWriter(graph).write();

class NetworkWriter {
  readonly #graph: Graph;
  readonly #shapes: Map<string, Shape>;
  readonly #nodes: TfjsNodeSpec[] = [];
  readonly #weights: Record<string, TfjsWeightSpec> = {};

  constructor(graph: Graph) {
    this.#graph = { ...graph, nodes: plainNodes(graph) };
    this.#shapes = inferShapes(this.#graph);
  }

  write(): TfjsModel {
    const { inputs, outputs, nodes } = this.#graph;
    for (const node of nodes) this.#node(node);
    const signature = { outputs: Object.fromEntries(outputs.map(({ name, tensor }) => [name, { name: tensor }])) };
    return writeTfjs({
      inputs: Object.fromEntries(inputs.map(({ name, shape }) => [name, { shape }])),
      nodes: this.#nodes,
      weights: this.#weights,
      signature,
    });
  }

  #emit(op: string, name: string, input: readonly string[], attr: TfjsNodeSpec['attr'] = {}): string {
    this.#nodes.push({ name, op, input, attr: { T: { type: 'DT_FLOAT' }, ...attr } });
    return name;
  }

  #floats(name: string, shape: readonly number[], values: ArrayLike<number>): string {
    this.#weights[name] = { shape, values };
    return name;
  }

  #integers(name: string, shape: readonly number[], values: readonly number[]): string {
    this.#weights[name] = { shape, values, dtype: 'int32' };
    return name;
  }

  #node(node: Node): void {
    const { name, output } = node;
    const [first, second] = node.inputs as [string, string];
    switch (node.op) {
      case 'conv2d':
        this.#convolution(node);
        return;
      case 'fully-connected':
        this.#fullyConnected(node);
        return;
      case 'global-average-pool':
        this.#emit('Mean', output, [first, this.#integers(`${name}/axes`, [2], [1, 2])], { keep_dims: { b: true } });
        return;
      case 'add':
      case 'multiply': {
        const plain = node.activation === 'none';
        this.#emit(node.op === 'add' ? 'AddV2' : 'Mul', plain ? output : `${name}/linear`, [first, second]);
        if (!plain) this.#activation(name, node.activation, `${name}/linear`, output);
        return;
      }
      case 'activation':
        this.#activation(name, node.activation, first, output);
        return;
      default:
        throw new Error(`node "${name}" is ${node.op}, which this writer does not write`);
    }
  }

  #convolution(node: Conv2d): void {
    const { name, kernel, stride, dilation, padding, groups, outChannels, output } = node;
    const [source, residual] = node.inputs as [string, string | undefined];
    const [, height, width, channels] = this.#shapes.get(source)!;
    const depthwise = groups > 1 && groups === channels;
    const same = sides.every((side) => padding[side] === samePadding([height, width], kernel, stride, dilation)[side]);
    const bare = sides.every((side) => padding[side] === 0);
    const image = same || bare ? source : this.#padded(name, source, padding);
    const weights = depthwise ? [...kernel, groups, outChannels / groups] : [...kernel, channels / groups, outChannels];
    const inputs = [
      image,
      this.#floats(`${name}/weights`, weights, node.weights),
      this.#floats(`${name}/bias`, [outChannels], node.bias ?? new Float32Array(outChannels)),
    ];
    const attributes = {
      strides: { ints: [1, ...stride, 1] },
      dilations: { ints: [1, ...dilation, 1] },
      padding: { s: same ? 'SAME' : 'VALID' },
      data_format: { s: 'NHWC' },
    };
    const sum = residual === undefined ? output : `${name}/sum`;
    this.#activated(name, node.activation, sum, (to, fused) => {
      const op = depthwise ? 'FusedDepthwiseConv2dNative' : '_FusedConv2D';
      this.#emit(op, to, inputs, { ...attributes, ...fused });
    });
    if (residual !== undefined) this.#emit('AddV2', output, [sum, residual]);
  }

  #padded(name: string, source: string, { top, bottom, left, right }: Padding): string {
    const amounts = this.#integers(`${name}/paddings`, [4, 2], [0, 0, top, bottom, left, right, 0, 0]);
    return this.#emit('Pad', `${name}/padded`, [source, amounts]);
  }

  #fullyConnected(node: NodeOf<'fully-connected'>): void {
    const { name, outFeatures, output } = node;
    const source = this.#shapes.get(node.inputs[0]!)!;
    const features = sizeOf(source) / source[0];
    const flat = this.#reshaped(`${name}/flat`, node.inputs[0]!, [source[0], features]);
    const inputs = [
      flat,
      this.#floats(`${name}/weights`, [features, outFeatures], node.weights),
      this.#floats(`${name}/bias`, [outFeatures], node.bias ?? new Float32Array(outFeatures)),
    ];
    const last = this.#graph.outputs.some(({ tensor }) => tensor === output);
    const rows = last ? output : `${name}/rows`;
    this.#activated(name, node.activation, rows, (to, fused) => {
      this.#emit('_FusedMatMul', to, inputs, { transpose_a: { b: false }, transpose_b: { b: false }, ...fused });
    });
    if (!last) this.#reshaped(output, rows, this.#shapes.get(output)!);
  }

  #reshaped(name: string, source: string, shape: readonly number[]): string {
    return this.#emit('Reshape', name, [source, this.#integers(`${name}/shape`, [shape.length], shape)]);
  }

  /** `write` puts a layer's result into the tensor that it is given, with the fused operations that it is given. */
  #activated(
    name: string,
    activation: Activation,
    output: string,
    write: (to: string, fused: Readonly<Record<string, TfjsAttribute>>) => void,
  ): void {
    const fusable = activation === 'none' || activation in fusedOperations;
    const steps =
      activation in fusedOperations
        ? ['BiasAdd', fusedOperations[activation as keyof typeof fusedOperations]]
        : ['BiasAdd'];
    write(fusable ? output : `${name}/linear`, { fused_ops: { strings: steps }, num_args: { i: 1 } });
    if (!fusable) this.#activation(name, activation, `${name}/linear`, output);
  }

  #activation(name: string, activation: Activation, source: string, output: string): void {
    if (activation in plainOperations) {
      this.#emit(plainOperations[activation as keyof typeof plainOperations], output, [source]);
      return;
    }
    const shifted = this.#emit('AddV2', `${name}/shifted`, [source, this.#floats(`${name}/three`, [], [3])]);
    const clipped = this.#emit('Relu6', `${name}/clipped`, [shifted]);
    const sixth = this.#floats(`${name}/sixth`, [], [1 / 6]);
    if (activation === 'hard-sigmoid') this.#emit('Mul', output, [clipped, sixth]);
    else this.#emit('Mul', output, [source, this.#emit('Mul', `${name}/gate`, [clipped, sixth])]);
  }
}

const fusedOperations = { relu: 'Relu', relu6: 'Relu6' } as const;
const plainOperations = { ...fusedOperations, none: 'Identity', sigmoid: 'Sigmoid' } as const;
const sides = ['top', 'bottom', 'left', 'right'] as const;
