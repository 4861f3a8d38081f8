import { UnsupportedOpError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { Activation, Conv2d, Node, NodeOf, Padding, Pair, Shape } from '../graph/ops.ts';
import { inferShapes, samePadding, sizeOf } from '../graph/shapes.ts';
import { fileNames, Names, plainNodes } from './nodes.ts';
import {
  encodeTflite,
  fusedActivations,
  paddings,
  type TfliteModel,
  type TfliteOperator,
  type TfliteOperatorName,
  type TfliteTensor,
} from './tflite-file.ts';

/** How a tensor lies in the file: `[n, h, w, c]`, or `flat`, `[n, c]`, which fully connected layers read and write. */
type Layout = 'nhwc' | 'flat';

const LOWEST_FLOAT = -3.4028234663852886e38;

/**
 * The graph as a TensorFlow Lite file, operation by operation as TensorFlow's converter writes them: relu and relu6 fused
 * into the operation before; SAME or VALID where the padding is one of them, else PAD and VALID. Inputs and outputs keep
 * their names. Outputs are `[n, h, w, c]`, or `[n, c]` behind a fully connected layer. Throws `GraphError` where the
 * graph is inconsistent, `UnsupportedOpError` where no operator does what a node does.
 */
export const writeTflite = (graph: Graph): Uint8Array => encodeTflite(tfliteModelOf(graph));

/** The file as plain data. */
export const tfliteModelOf = (graph: Graph): TfliteModel => new TfliteWriter(graph).write();

class TfliteWriter {
  readonly #graph: Graph;
  readonly #shapes: Map<string, Shape>;
  readonly #names: Names;
  readonly #fileNames: Map<string, string>;
  readonly #tensors: TfliteTensor[] = [];
  readonly #operators: TfliteOperator[] = [];
  /** Indices in the file and layouts of the graph's tensors. */
  readonly #places = new Map<string, { readonly index: number; readonly layout: Layout }>();

  constructor(graph: Graph) {
    this.#graph = { ...graph, nodes: plainNodes(graph) };
    this.#shapes = inferShapes(this.#graph);
    this.#names = new Names(graph);
    this.#fileNames = fileNames(graph, this.#names);
  }

  write(): TfliteModel {
    const { name, inputs, nodes, outputs } = this.#graph;
    const read = inputs.map((input) => [input.name, this.#declare(input.name, 'nhwc')] as const);
    for (const node of nodes) this.#node(node);
    const written = outputs.map((output) => {
      const { index } = this.#places.get(output.tensor)!;
      if (this.#tensors[index]!.name === output.name) return [output.name, index] as const;
      const copy = this.#tensor(this.#names.unique(output.name), this.#tensors[index]!.shape);
      this.#copy(index, copy);
      return [output.name, copy] as const;
    });
    return { name, tensors: this.#tensors, operators: this.#operators, inputs: read, outputs: written };
  }

  #tensor(name: string, shape: readonly number[], data: TfliteTensor['data'] = null): number {
    return this.#tensors.push({ name, shape, data }) - 1;
  }

  /** A tensor of the graph, in this layout. */
  #declare(tensor: string, layout: Layout): number {
    const shape = this.#shapes.get(tensor)!;
    const index = this.#tensor(this.#fileNames.get(tensor) ?? tensor, dims(shape, layout));
    this.#places.set(tensor, { index, layout });
    return index;
  }

  /** A tensor between the operators that one node becomes. */
  #between(name: string, shape: readonly number[]): number {
    return this.#tensor(this.#names.unique(name), shape);
  }

  #floats(name: string, shape: readonly number[], values: Float32Array): number {
    return this.#tensor(this.#names.unique(name), shape, values);
  }

  #integers(name: string, shape: readonly number[], values: readonly number[]): number {
    return this.#tensor(this.#names.unique(name), shape, Int32Array.from(values));
  }

  #emit(
    op: TfliteOperatorName,
    inputs: readonly number[],
    output: number,
    options?: TfliteOperator['options'],
    version = 1,
  ): void {
    this.#operators.push({ op, version, inputs, outputs: [output], ...(options ? { options } : {}) });
  }

  #reshape(source: number, target: number): void {
    const { name, shape } = this.#tensors[target]!;
    const constant = this.#integers(`${name}/shape`, [shape.length], shape);
    this.#emit('RESHAPE', [source, constant], target, ['ReshapeOptions', { newShape: shape }]);
  }

  /** There is no identity: a reshape to the same shape. */
  #copy(source: number, target: number): void {
    this.#reshape(source, target);
  }

  /** A tensor of the graph in this layout; reshaped where it lies in the other. */
  #read(tensor: string, layout: Layout): number {
    const place = this.#places.get(tensor)!;
    if (place.layout === layout) return place.index;
    const target = this.#between(
      `${this.#tensors[place.index]!.name}/${layout}`,
      dims(this.#shapes.get(tensor)!, layout),
    );
    this.#reshape(place.index, target);
    return target;
  }

  #node(node: Node): void {
    const first = node.inputs[0]!;
    const { layout, index: source } = this.#places.get(first)!;
    switch (node.op) {
      case 'conv2d':
        this.#convolution(node);
        return;
      case 'fully-connected': {
        const features = node.weights.length / node.outFeatures;
        const flat = this.#read(first, 'flat');
        const weights = transposed(node.weights, features, node.outFeatures);
        const inputs = [
          flat,
          this.#floats(`${node.name}/weights`, [node.outFeatures, features], weights),
          this.#floats(`${node.name}/bias`, [node.outFeatures], node.bias ?? new Float32Array(node.outFeatures)),
        ];
        this.#activated(node, this.#declare(node.output, 'flat'), (to, activation) => {
          this.#emit('FULLY_CONNECTED', inputs, to, ['FullyConnectedOptions', { activation }]);
        });
        return;
      }
      case 'global-average-pool': {
        const flat = this.#onlyReadByClassifiers(node.output);
        const axes = this.#integers(`${node.name}/axes`, [2], [1, 2]);
        const target = this.#declare(node.output, flat ? 'flat' : 'nhwc');
        this.#emit('MEAN', [this.#read(first, 'nhwc'), axes], target, ['ReducerOptions', { keepDims: Number(!flat) }]);
        return;
      }
      case 'batch-norm': {
        const scale = Float64Array.from(node.scale, (value, c) => value / Math.sqrt(node.variance[c]! + node.epsilon));
        const shift = node.shift.map((value, c) => value - node.mean[c]! * scale[c]!);
        this.#affine(node, Float32Array.from(scale), shift, source, layout);
        return;
      }
      case 'affine':
        this.#affine(node, node.scale, node.shift, source, layout);
        return;
      case 'activation':
        this.#activation(node.name, node.activation, source, this.#declare(node.output, layout));
        return;
      case 'clip':
        this.#clip(node, source, this.#declare(node.output, layout));
        return;
      case 'prelu': {
        const dims = layout === 'flat' ? [node.slope.length] : [1, 1, node.slope.length];
        const slope = this.#floats(`${node.name}/slope`, dims, node.slope);
        this.#emit('PRELU', [source, slope], this.#declare(node.output, layout));
        return;
      }
      case 'l2-normalize':
        this.#emit('L2_NORMALIZATION', [source], this.#declare(node.output, layout), [
          'L2NormOptions',
          { activation: 0 },
        ]);
        return;
      case 'softmax':
        this.#emit('SOFTMAX', [source], this.#declare(node.output, layout), ['SoftmaxOptions', { beta: 1 }]);
        return;
      case 'add':
      case 'multiply': {
        const flat = node.inputs.every((name) => this.#places.get(name)!.layout === 'flat');
        const common: Layout = flat ? 'flat' : 'nhwc';
        const operands = node.inputs.map((name) => this.#read(name, common));
        this.#activated(node, this.#declare(node.output, common), (to, activation) => {
          if (node.op === 'add') this.#emit('ADD', operands, to, ['AddOptions', { activation }]);
          else this.#emit('MUL', operands, to, ['MulOptions', { activation }]);
        });
        return;
      }
      case 'pool':
        this.#pool(node);
        return;
      case 'pad': {
        const image = this.#read(first, 'nhwc');
        this.#padInto(node.name, image, node.padding, this.#declare(node.output, 'nhwc'), null);
        return;
      }
      case 'concat': {
        const parts = node.inputs.map((name) => this.#read(name, 'nhwc'));
        const { axis = 3 } = node;
        this.#emit('CONCATENATION', parts, this.#declare(node.output, 'nhwc'), ['ConcatenationOptions', { axis }]);
        return;
      }
      case 'resize': {
        const image = this.#read(first, 'nhwc');
        const size = this.#integers(`${node.name}/size`, [2], node.size);
        const fields = {
          alignCorners: Number(node.corners === 'align'),
          halfPixelCenters: Number(node.corners === 'half-pixel'),
        };
        const version = node.corners === 'half-pixel' ? 3 : 1;
        const target = this.#declare(node.output, 'nhwc');
        if (node.mode === 'bilinear') {
          this.#emit('RESIZE_BILINEAR', [image, size], target, ['ResizeBilinearOptions', fields], version);
        } else {
          this.#emit(
            'RESIZE_NEAREST_NEIGHBOR',
            [image, size],
            target,
            ['ResizeNearestNeighborOptions', fields],
            version,
          );
        }
        return;
      }
      case 'reshape':
        this.#reshape(source, this.#declare(node.output, 'nhwc'));
        return;
      case 'transpose': {
        const axes = this.#integers(`${node.name}/axes`, [4], node.permutation);
        const image = this.#read(first, 'nhwc');
        this.#emit('TRANSPOSE', [image, axes], this.#declare(node.output, 'nhwc'), ['TransposeOptions', {}]);
        return;
      }
      case 'conv-transpose2d':
        this.#transposed(node);
        return;
      default:
        this.#refuse(node, 'this writer does not know it');
    }
  }

  #convolution(node: Conv2d): void {
    const { name, kernel, stride, dilation, groups, outChannels } = node;
    const shape = this.#shapes.get(node.inputs[0]!)!;
    const channels = shape[3];
    const source = this.#read(node.inputs[0]!, 'nhwc');
    const same = isSame(node.padding, [shape[1], shape[2]], kernel, stride, dilation);
    const padded = same || isNone(node.padding) ? source : this.#padded(name, source, node.padding, null);
    const depthwise = groups > 1 && groups === channels;
    const perGroup = channels / groups;
    const weights = depthwise
      ? this.#floats(`${name}/weights`, [1, ...kernel, outChannels], node.weights)
      : this.#floats(
          `${name}/weights`,
          [outChannels, ...kernel, perGroup],
          transposed(node.weights, kernel[0] * kernel[1] * perGroup, outChannels),
        );
    const bias = this.#floats(`${name}/bias`, [outChannels], node.bias ?? new Float32Array(outChannels));
    const fields = {
      padding: same ? paddings.SAME : paddings.VALID,
      strideW: stride[1],
      strideH: stride[0],
      dilationW: dilation[1],
      dilationH: dilation[0],
    };
    const residual = node.inputs[1] === undefined ? null : this.#read(node.inputs[1], 'nhwc');
    const output = this.#declare(node.output, 'nhwc');
    const sum = residual === null ? output : this.#between(`${name}/sum`, this.#tensors[output]!.shape);
    this.#activated(node, sum, (to, activation) => {
      if (depthwise) {
        const dilated = dilation[0] > 1 || dilation[1] > 1;
        const options = { ...fields, activation, depthMultiplier: outChannels / groups };
        this.#emit(
          'DEPTHWISE_CONV_2D',
          [padded, weights, bias],
          to,
          ['DepthwiseConv2DOptions', options],
          dilated ? 2 : 1,
        );
      } else {
        const options = { ...fields, activation };
        this.#emit('CONV_2D', [padded, weights, bias], to, ['Conv2DOptions', options], groups > 1 ? 6 : 1);
      }
    });
    if (residual !== null) this.#emit('ADD', [sum, residual], output, ['AddOptions', { activation: 0 }]);
  }

  /** TRANSPOSE_CONV crops as the convolution of these sizes pads, with SAME or VALID. */
  #transposed(node: NodeOf<'conv-transpose2d'>): void {
    const { name, kernel, stride, crop, size, outChannels } = node;
    const [batch, height, width, channels] = this.#shapes.get(node.inputs[0]!)!;
    const crops = (same: boolean) =>
      ([height, width] as const).every((input, axis) => {
        const [k, s, out] = [kernel[axis]!, stride[axis]!, size[axis]!];
        const expected = Math.ceil((same ? out : out - k + 1) / s);
        const before = Math.max(0, (input - 1) * s + k - out) >> 1;
        return input === expected && crop[axis] === before;
      });
    const padding = crops(true) ? paddings.SAME : crops(false) ? paddings.VALID : null;
    if (padding === null || node.dilation.some((step) => step !== 1)) {
      this.#refuse(
        node,
        `crops [${crop}] of [${size}] with dilation [${node.dilation}], expected SAME or VALID without`,
      );
    }
    const inputs = [
      this.#integers(`${name}/size`, [4], [batch, ...size, outChannels]),
      this.#floats(
        `${name}/weights`,
        [outChannels, ...kernel, channels],
        transposed(node.weights, kernel[0] * kernel[1] * channels, outChannels),
      ),
      this.#read(node.inputs[0]!, 'nhwc'),
      this.#floats(`${name}/bias`, [outChannels], node.bias ?? new Float32Array(outChannels)),
    ];
    const fields = { padding: padding!, strideW: stride[1], strideH: stride[0] };
    this.#activated(node, this.#declare(node.output, 'nhwc'), (to, activation) => {
      this.#emit('TRANSPOSE_CONV', inputs, to, ['TransposeConvOptions', { ...fields, activation }], 4);
    });
  }

  #refuse({ name, op }: Node, message: string): never {
    throw new UnsupportedOpError(this.#graph.name, name, op, `cannot be written as TensorFlow Lite: ${message}`);
  }

  /** Padding that is not SAME is laid around before; an average is then corrected where padding must not count. */
  #pool(node: NodeOf<'pool'>): void {
    const { name, kind, kernel, stride, padding, countPadding } = node;
    const shape = this.#shapes.get(node.inputs[0]!)!;
    const source = this.#read(node.inputs[0]!, 'nhwc');
    const bare = isNone(padding);
    const same = isSame(padding, [shape[1], shape[2]], kernel, stride) && (bare || kind === 'max' || !countPadding);
    const border = kind === 'max' ? LOWEST_FLOAT : null;
    const padded = same || bare ? source : this.#padded(name, source, padding, border);
    const output = this.#declare(node.output, 'nhwc');
    const corrected = kind === 'average' && !countPadding && !same && !bare;
    const mean = corrected ? this.#between(`${name}/mean`, this.#tensors[output]!.shape) : output;
    this.#emit(kind === 'max' ? 'MAX_POOL_2D' : 'AVERAGE_POOL_2D', [padded], mean, [
      'Pool2DOptions',
      {
        padding: same ? paddings.SAME : paddings.VALID,
        strideW: stride[1],
        strideH: stride[0],
        filterWidth: kernel[1],
        filterHeight: kernel[0],
      },
    ]);
    if (!corrected) return;
    const [, height, width] = this.#shapes.get(node.output)!;
    const rows = insideCounts(height, shape[1], kernel[0], stride[0], padding.top);
    const columns = insideCounts(width, shape[2], kernel[1], stride[1], padding.left);
    const area = kernel[0] * kernel[1];
    const factors = Float32Array.from(rows.flatMap((row) => columns.map((column) => area / (row * column))));
    const factor = this.#floats(`${name}/inside`, [1, height, width, 1], factors);
    this.#emit('MUL', [mean, factor], output, ['MulOptions', { activation: 0 }]);
  }

  #padded(name: string, source: number, padding: Padding, border: number | null): number {
    const [n, h, w, c] = this.#tensors[source]!.shape as unknown as Shape;
    const { top, left, bottom, right } = padding;
    const target = this.#between(`${name}/padded`, [n, h + top + bottom, w + left + right, c]);
    this.#padInto(name, source, padding, target, border);
    return target;
  }

  /** `border` null: zeros. */
  #padInto(name: string, source: number, padding: Padding, target: number, border: number | null): void {
    const { top, left, bottom, right } = padding;
    const amounts = this.#integers(`${name}/paddings`, [4, 2], [0, 0, top, bottom, left, right, 0, 0]);
    if (border === null) this.#emit('PAD', [source, amounts], target, ['PadOptions', {}]);
    else {
      const value = this.#floats(`${name}/border`, [], Float32Array.of(border));
      this.#emit('PADV2', [source, amounts, value], target, ['PadV2Options', {}]);
    }
  }

  #affine(node: Node, scale: Float32Array, shift: Float32Array, source: number, layout: Layout): void {
    const output = this.#declare(node.output, layout);
    const scaled = scale.some((value) => value !== 1);
    const shifted = shift.some((value) => value !== 0);
    if (!scaled && !shifted) {
      this.#copy(source, output);
      return;
    }
    const product = scaled && shifted ? this.#between(`${node.name}/product`, this.#tensors[output]!.shape) : output;
    if (scaled) {
      const factor = this.#floats(`${node.name}/scale`, [scale.length], scale);
      this.#emit('MUL', [source, factor], product, ['MulOptions', { activation: 0 }]);
    }
    if (shifted) {
      const summand = this.#floats(`${node.name}/shift`, [shift.length], shift);
      this.#emit('ADD', [scaled ? product : source, summand], output, ['AddOptions', { activation: 0 }]);
    }
  }

  #clip({ name, min, max }: NodeOf<'clip'>, source: number, output: number): void {
    const fused = ranges.find((range) => range.min === min && range.max === max);
    if (fused) {
      this.#emit(fused.op, [source], output);
      return;
    }
    const [low, high] = [Number.isFinite(min), Number.isFinite(max)];
    if (!low && !high) {
      this.#copy(source, output);
      return;
    }
    const raised = low && high ? this.#between(`${name}/raised`, this.#tensors[output]!.shape) : output;
    if (low) {
      const bound = this.#floats(`${name}/min`, [], Float32Array.of(min));
      this.#emit('MAXIMUM', [source, bound], raised, ['MaximumMinimumOptions', {}]);
    }
    if (high) {
      const bound = this.#floats(`${name}/max`, [], Float32Array.of(max));
      this.#emit('MINIMUM', [low ? raised : source, bound], output, ['MaximumMinimumOptions', {}]);
    }
  }

  /** `write` puts a node's result into the tensor that it is given, with an activation that it can fuse. */
  #activated(
    { name, activation }: { readonly name: string; readonly activation: Activation },
    output: number,
    write: (to: number, activation: number) => void,
  ): void {
    if (activation in fusedActivations) {
      write(output, fusedActivations[activation as keyof typeof fusedActivations]);
      return;
    }
    const linear = this.#between(`${name}/linear`, this.#tensors[output]!.shape);
    write(linear, fusedActivations.none);
    this.#activation(name, activation, linear, output);
  }

  #activation(name: string, activation: Activation, source: number, output: number): void {
    switch (activation) {
      case 'none':
        this.#copy(source, output);
        return;
      case 'relu':
        this.#emit('RELU', [source], output);
        return;
      case 'relu6':
        this.#emit('RELU6', [source], output);
        return;
      case 'sigmoid':
        this.#emit('LOGISTIC', [source], output);
        return;
      case 'hard-swish':
        this.#emit('HARD_SWISH', [source], output);
        return;
      case 'hard-sigmoid': {
        // relu6(x + 3) / 6, as the converter leaves it.
        const shifted = this.#between(`${name}/shifted`, this.#tensors[output]!.shape);
        const three = this.#floats(`${name}/three`, [], Float32Array.of(3));
        this.#emit('ADD', [source, three], shifted, ['AddOptions', { activation: fusedActivations.relu6 }]);
        const sixth = this.#floats(`${name}/sixth`, [], Float32Array.of(1 / 6));
        this.#emit('MUL', [shifted, sixth], output, ['MulOptions', { activation: 0 }]);
        return;
      }
    }
  }

  #onlyReadByClassifiers(tensor: string): boolean {
    const { nodes, outputs } = this.#graph;
    const readers = nodes.filter(({ inputs }) => inputs.includes(tensor));
    if (readers.length === 0 || outputs.some((output) => output.tensor === tensor)) return false;
    return readers.every(({ op }) => op === 'fully-connected');
  }
}

const ranges = [
  { min: 0, max: Number.POSITIVE_INFINITY, op: 'RELU' },
  { min: 0, max: 6, op: 'RELU6' },
  { min: -1, max: 1, op: 'RELU_N1_TO_1' },
] as const;

function dims(shape: Shape, layout: Layout): readonly number[] {
  return layout === 'nhwc' ? shape : [shape[0], sizeOf(shape) / shape[0]];
}

const isNone = ({ top, left, bottom, right }: Padding): boolean => top + left + bottom + right === 0;

function isSame(padding: Padding, input: Pair, kernel: Pair, stride: Pair, dilation: Pair = [1, 1]): boolean {
  const same = samePadding(input, kernel, stride, dilation);
  return (['top', 'left', 'bottom', 'right'] as const).every((side) => padding[side] === same[side]);
}

/** How many places of each window along an axis lie inside the input. */
function insideCounts(outputs: number, input: number, kernel: number, stride: number, before: number): number[] {
  return Array.from({ length: outputs }, (_, o) => {
    const start = o * stride - before;
    return Math.min(start + kernel, input) - Math.max(start, 0);
  });
}

/** `[rows][columns]` as `[columns][rows]`. */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  let from = 0;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) result[c * rows + r] = values[from++]!;
  }
  return result;
}
