import { inferShapes, sizeOf } from '../../src/graph/shapes.ts';
import type { Activation, Conv2d, Graph, Node, NodeOf, Padding, Shape } from '../../src/index.ts';
import { toFloat16 } from '../../src/kernels/pack.ts';
import { fileNames, Names, plainNodes } from '../../src/writers/nodes.ts';
import {
  dataType,
  encodeOnnx,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from './onnx-file.ts';

/** HardSwish came with 14; Softmax over one axis, Reshape without zero copying and Pad with an input are older. */
const OPSET = 17;

/**
 * How a tensor lies in the file: `nchw`, or `flat`, `[batch, channels]`, which fully connected layers write. Both keep
 * the elements of a vector in their order.
 */
type Layout = 'nchw' | 'flat';

/**
 * The graph as an ONNX file, operation by operation as exporters write them: NCHW; relu6 as Clip; bias in Conv and Gemm.
 * Nodes, inputs and outputs keep their names. Inputs are `[n, c, h, w]`; an output is that, or `[n, c]` behind a fully
 * connected layer. `half`: weights and arithmetic in float16 between inputs and outputs of float32, as converters write it.
 * Throws `GraphError` where the graph is inconsistent.
 */
export const writeOnnx = (graph: Graph, { half = false }: { readonly half?: boolean } = {}): Uint8Array =>
  new OnnxWriter(graph, half).write();

class OnnxWriter {
  readonly #graph: Graph;
  readonly #shapes: Map<string, Shape>;
  readonly #layouts = new Map<string, Layout>();
  readonly #names: Names;
  readonly #fileNames: Map<string, string>;
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxTensor[] = [];
  readonly #nodeNames = new Set<string>();

  readonly #half: boolean;
  /** What inputs are called in float16. */
  readonly #halves = new Map<string, string>();

  constructor(graph: Graph, half: boolean) {
    this.#half = half;
    this.#graph = { ...graph, nodes: plainNodes(graph) };
    this.#shapes = inferShapes(this.#graph);
    this.#names = new Names(graph);
    this.#fileNames = half
      ? new Map(graph.outputs.map(({ tensor }) => [tensor, this.#names.unique(`${tensor}/half`)]))
      : fileNames(graph, this.#names);
  }

  write(): Uint8Array {
    const { name, inputs, nodes, outputs } = this.#graph;
    for (const input of inputs) {
      this.#layouts.set(input.name, 'nchw');
      if (this.#half)
        this.#halves.set(input.name, this.#cast(input.name, 'float16', this.#names.unique(`${input.name}/half`)));
    }
    for (const node of nodes) this.#node(node);
    const written = outputs.map((output): OnnxValue => {
      let tensor = this.#nameOf(output.tensor);
      if (this.#half) {
        const { name } = output;
        tensor = this.#cast(tensor, 'float', name === output.tensor ? name : this.#names.unique(name));
      } else if (tensor !== output.name) {
        tensor = this.#emit('Identity', output.name, [tensor], this.#names.unique(output.name));
      }
      return { name: tensor, dims: this.#dims(output.tensor) };
    });
    return encodeOnnx({
      name,
      opset: OPSET,
      nodes: this.#nodes,
      initializers: this.#initializers,
      inputs: inputs.map((input) => ({ name: input.name, dims: nchw(input.shape) })),
      outputs: written,
    });
  }

  #nameOf(tensor: string): string {
    return this.#halves.get(tensor) ?? this.#fileNames.get(tensor) ?? tensor;
  }

  #cast(tensor: string, to: keyof typeof dataType, output: string): string {
    return this.#emit('Cast', `${tensor}/${to}`, [tensor], output, { to: { int: dataType[to] } });
  }

  #dims(tensor: string): number[] {
    const shape = this.#shapes.get(tensor)!;
    return this.#layouts.get(tensor) === 'flat' ? [shape[0], shape[3]] : nchw(shape);
  }

  /** Adds a node under a name that no other has; returns the tensor that it writes. */
  #emit(
    op: string,
    name: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    let unique = name;
    for (let i = 2; this.#nodeNames.has(unique); i++) unique = `${name}/${i}`;
    this.#nodeNames.add(unique);
    this.#nodes.push({ name: unique, op, inputs, outputs: [output], attributes });
    return output;
  }

  #constant(name: string, dims: readonly number[], data: OnnxTensor['data']): string {
    const unique = this.#names.unique(name);
    const halves = this.#half && data instanceof Float32Array;
    this.#initializers.push({ name: unique, dims, data: halves ? toFloat16(data) : data });
    return unique;
  }

  #integers(name: string, values: readonly number[]): string {
    return this.#constant(name, [values.length], BigInt64Array.from(values, BigInt));
  }

  /** A tensor of the graph as NCHW, reshaped where it lies flat. */
  #image(tensor: string): string {
    const name = this.#nameOf(tensor);
    if (this.#layouts.get(tensor) === 'nchw') return name;
    const shape = this.#integers(`${name}/shape`, nchw(this.#shapes.get(tensor)!));
    return this.#emit('Reshape', `${name}/image`, [name, shape], this.#names.unique(`${name}/image`));
  }

  /** A tensor of the graph as `[batch, features]`, its elements in the order of NHWC. */
  #flat(tensor: string): string {
    const name = this.#nameOf(tensor);
    if (this.#layouts.get(tensor) === 'flat') return name;
    const shape = this.#shapes.get(tensor)!;
    const plain = isVector(shape) ? name : this.#transpose(name, [0, 2, 3, 1]);
    return this.#emit('Flatten', `${name}/flat`, [plain], this.#names.unique(`${name}/flat`), { axis: { int: 1 } });
  }

  #transpose(name: string, permutation: readonly number[], output?: string): string {
    return this.#emit('Transpose', `${name}/transpose`, [name], output ?? this.#names.unique(`${name}/transposed`), {
      perm: { ints: permutation },
    });
  }

  #node(node: Node): void {
    const output = this.#nameOf(node.output);
    const [first] = node.inputs;
    const layout = this.#layouts.get(first!)!;
    this.#layouts.set(node.output, 'nchw');
    switch (node.op) {
      case 'conv2d':
        this.#convolution(node, output);
        return;
      case 'fully-connected': {
        this.#layouts.set(node.output, 'flat');
        const features = node.weights.length / node.outFeatures;
        const weights = this.#constant(`${node.name}/weights`, [features, node.outFeatures], node.weights);
        const bias = node.bias ? [this.#constant(`${node.name}/bias`, [node.outFeatures], node.bias)] : [];
        const flat = this.#flat(first!);
        this.#activated(node.name, node.activation, output, (to) => {
          this.#emit('Gemm', node.name, [flat, weights, ...bias], to);
        });
        return;
      }
      case 'batch-norm': {
        this.#layouts.set(node.output, layout);
        const constants = (['scale', 'shift', 'mean', 'variance'] as const).map((key) =>
          this.#constant(`${node.name}/${key}`, [node[key].length], node[key]),
        );
        this.#emit('BatchNormalization', node.name, [this.#nameOf(first!), ...constants], output, {
          epsilon: { float: node.epsilon },
        });
        return;
      }
      case 'affine':
        this.#layouts.set(node.output, layout);
        this.#affine(node, layout, output);
        return;
      case 'activation':
        this.#layouts.set(node.output, layout);
        this.#activation(node.name, node.activation, this.#nameOf(first!), output);
        return;
      case 'clip':
        this.#layouts.set(node.output, layout);
        this.#clip(node.name, node.min, node.max, this.#nameOf(first!), output);
        return;
      case 'prelu': {
        this.#layouts.set(node.output, layout);
        const dims = layout === 'flat' ? [node.slope.length] : [node.slope.length, 1, 1];
        const slope = this.#constant(`${node.name}/slope`, dims, node.slope);
        this.#emit('PRelu', node.name, [this.#nameOf(first!), slope], output);
        return;
      }
      case 'l2-normalize':
        this.#layouts.set(node.output, layout);
        this.#emit('LpNormalization', node.name, [this.#nameOf(first!)], output, { axis: { int: 1 }, p: { int: 2 } });
        return;
      case 'softmax':
        this.#layouts.set(node.output, layout);
        this.#emit('Softmax', node.name, [this.#nameOf(first!)], output, { axis: { int: 1 } });
        return;
      case 'add':
      case 'multiply': {
        const flat = node.inputs.every((name) => this.#layouts.get(name) === 'flat');
        this.#layouts.set(node.output, flat ? 'flat' : 'nchw');
        const operands = node.inputs.map((name) => (flat ? this.#nameOf(name) : this.#image(name)));
        this.#activated(node.name, node.activation, output, (to) => {
          this.#emit(node.op === 'add' ? 'Add' : 'Mul', node.name, operands, to);
        });
        return;
      }
      case 'global-average-pool':
        this.#emit('GlobalAveragePool', node.name, [this.#image(first!)], output);
        return;
      case 'pool':
        this.#emit(node.kind === 'max' ? 'MaxPool' : 'AveragePool', node.name, [this.#image(first!)], output, {
          kernel_shape: { ints: node.kernel },
          strides: { ints: node.stride },
          pads: { ints: pads(node.padding) },
          ...(node.kind === 'average' ? { count_include_pad: { int: Number(node.countPadding) } } : {}),
        });
        return;
      case 'pad': {
        const { top, left, bottom, right } = node.padding;
        const amounts = this.#integers(`${node.name}/pads`, [0, 0, top, left, 0, 0, bottom, right]);
        this.#emit('Pad', node.name, [this.#image(first!), amounts], output, { mode: { string: 'constant' } });
        return;
      }
      case 'concat':
        this.#emit(
          'Concat',
          node.name,
          node.inputs.map((name) => this.#image(name)),
          output,
          { axis: { int: 1 } },
        );
        return;
      case 'resize':
        this.#resize(node, output);
        return;
      case 'reshape':
        this.#reshape(node, output);
        return;
    }
  }

  #affine({ name, inputs, scale, shift }: NodeOf<'affine'>, layout: Layout, output: string): void {
    const dims = (values: Float32Array) =>
      values.length === 1 ? [] : layout === 'flat' ? [values.length] : [1, values.length, 1, 1];
    const scaled = scale.some((value) => value !== 1);
    const shifted = shift.some((value) => value !== 0);
    let current = this.#nameOf(inputs[0]!);
    if (scaled) {
      const factor = this.#constant(`${name}/scale`, dims(scale), scale);
      const product = shifted ? this.#names.unique(`${name}/product`) : output;
      current = this.#emit('Mul', name, [current, factor], product);
    }
    if (shifted) {
      const summand = this.#constant(`${name}/shift`, dims(shift), shift);
      this.#emit('Add', scaled ? `${name}/shifted` : name, [current, summand], output);
    }
    if (!scaled && !shifted) this.#emit('Identity', name, [current], output);
  }

  #convolution(node: Conv2d, output: string): void {
    const { kernel, groups, outChannels } = node;
    const perGroup = node.weights.length / (kernel[0] * kernel[1] * outChannels);
    const weights = this.#constant(
      `${node.name}/weights`,
      [outChannels, perGroup, kernel[0], kernel[1]],
      outputsFirst(node.weights, kernel[0] * kernel[1], perGroup, outChannels),
    );
    const bias = node.bias ? [this.#constant(`${node.name}/bias`, [outChannels], node.bias)] : [];
    const [source, residual] = node.inputs.map((name) => this.#image(name));
    const sum = residual === undefined ? output : this.#names.unique(`${node.name}/sum`);
    this.#activated(node.name, node.activation, sum, (to) => {
      this.#emit('Conv', node.name, [source!, weights, ...bias], to, {
        kernel_shape: { ints: kernel },
        strides: { ints: node.stride },
        dilations: { ints: node.dilation },
        pads: { ints: pads(node.padding) },
        group: { int: groups },
      });
    });
    if (residual !== undefined) this.#emit('Add', `${node.name}/residual`, [sum, residual], output);
  }

  #resize(node: NodeOf<'resize'>, output: string): void {
    const [batch, , , channels] = this.#shapes.get(node.output)!;
    const sizes = this.#integers(`${node.name}/sizes`, [batch, channels, ...node.size]);
    this.#emit('Resize', node.name, [this.#image(node.inputs[0]!), '', '', sizes], output, {
      coordinate_transformation_mode: { string: coordinates[node.corners] },
      mode: { string: node.mode === 'nearest' ? 'nearest' : 'linear' },
      ...(node.mode === 'nearest'
        ? { nearest_mode: { string: node.corners === 'asymmetric' ? 'floor' : 'round_prefer_ceil' } }
        : {}),
    });
  }

  /** Row-major over NHWC: through that order, where it is another than NCHW's. */
  #reshape(node: NodeOf<'reshape'>, output: string): void {
    const from = this.#shapes.get(node.inputs[0]!)!;
    const to = node.shape;
    const source = this.#image(node.inputs[0]!);
    const straightTo = sameOrder(to);
    const plain = sameOrder(from) ? source : this.#transpose(source, [0, 2, 3, 1]);
    const shape = this.#integers(`${node.name}/shape`, straightTo ? nchw(to) : to);
    const reshaped = straightTo ? output : this.#names.unique(`${node.name}/nhwc`);
    this.#emit('Reshape', node.name, [plain, shape], reshaped);
    if (!straightTo) this.#transpose(reshaped, [0, 3, 1, 2], output);
  }

  /** What `write` leaves in the tensor that it is given, activated, in `output`. */
  #activated(name: string, activation: Activation, output: string, write: (to: string) => void): void {
    if (activation === 'none') {
      write(output);
      return;
    }
    const before = this.#names.unique(`${name}/linear`);
    write(before);
    this.#activation(`${name}/${activation}`, activation, before, output);
  }

  #activation(name: string, activation: Activation, input: string, output: string): void {
    switch (activation) {
      case 'none':
        this.#emit('Identity', name, [input], output);
        return;
      case 'relu':
        this.#emit('Relu', name, [input], output);
        return;
      case 'relu6':
        this.#clip(name, 0, 6, input, output);
        return;
      case 'hard-swish':
        this.#emit('HardSwish', name, [input], output);
        return;
      case 'hard-sigmoid':
        this.#emit('HardSigmoid', name, [input], output, { alpha: { float: 1 / 6 }, beta: { float: 0.5 } });
        return;
      case 'sigmoid':
        this.#emit('Sigmoid', name, [input], output);
        return;
    }
  }

  #clip(name: string, min: number, max: number, input: string, output: string): void {
    const end = (key: string, value: number) =>
      Number.isFinite(value) ? this.#constant(`${name}/${key}`, [], Float32Array.of(value)) : '';
    const upper = end('max', max);
    const ends = [end('min', min), ...(upper ? [upper] : [])];
    this.#emit('Clip', name, [input, ...(ends.join('') ? ends : [])], output);
  }
}

const coordinates = { align: 'align_corners', 'half-pixel': 'half_pixel', asymmetric: 'asymmetric' } as const;

const nchw = ([n, h, w, c]: Shape): number[] => [n, c, h, w];

const isVector = (shape: Shape): boolean => shape[1] === 1 && shape[2] === 1;

/** Whether NHWC and NCHW are the same sequence of elements. */
const sameOrder = (shape: Shape): boolean => isVector(shape) || shape[3] === 1 || sizeOf(shape) === shape[0];

const pads = ({ top, left, bottom, right }: Padding): number[] => [top, left, bottom, right];

/** `[taps][inputs][outputs]` as `[outputs][inputs][taps]`. */
function outputsFirst(weights: Float32Array, taps: number, inputs: number, outputs: number): Float32Array {
  const result = new Float32Array(weights.length);
  let from = 0;
  for (let t = 0; t < taps; t++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) result[(o * inputs + i) * taps + t] = weights[from++]!;
    }
  }
  return result;
}
