/** Relatives of MobileNet at a fraction of their widths, with the names that their frameworks give. */
import type { Graph } from '../../src/graph/graph.ts';
import type { Activation, Node, Shape } from '../../src/graph/ops.ts';
import { inferShapes, noPadding, samePadding } from '../../src/graph/shapes.ts';
import type { ModelSpec, NodeSpec, TensorSpec } from './onnx-writer.ts';
import { randomValues } from './random-values.ts';

type OnnxSpec = ModelSpec & Required<Pick<ModelSpec, 'inputs'>>;

interface ConvSpec {
  readonly kernel?: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly dilation?: number;
  readonly groups?: number;
  readonly bias?: boolean;
}

/** Nodes and initializers of an ONNX file; each method returns the name of what it writes. */
class OnnxNetwork {
  readonly nodes: NodeSpec[] = [];
  readonly initializers: Record<string, TensorSpec> = {};
  #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  random(name: string, dims: readonly number[], low: number, high: number): string {
    const count = dims.reduce((a, b) => a * b, 1);
    this.initializers[name] = { dims, values: randomValues(count, this.#seed++, low, high) };
    return name;
  }

  constant(name: string, spec: TensorSpec): string {
    this.initializers[name] = spec;
    return name;
  }

  node(
    op: string,
    name: string,
    inputs: readonly string[],
    output: string,
    attributes: NodeSpec['attributes'] = {},
  ): string {
    this.nodes.push({ op, name, inputs, outputs: [output], attributes });
    return output;
  }

  /** Weights of unit gain (He et al. 2015). `weights`: their name, without `.weight` or `_weight`. */
  conv(
    name: string,
    weights: string,
    input: string,
    output: string,
    [from, to]: readonly [number, number],
    { kernel = 1, stride = 1, pad = 0, dilation = 1, groups = 1, bias = false }: ConvSpec = {},
  ): string {
    const spread = Math.sqrt(6 / ((from / groups) * kernel * kernel));
    const joint = weights.includes('.') ? '.' : '_';
    const inputs = [
      input,
      this.random(`${weights}${joint}weight`, [to, from / groups, kernel, kernel], -spread, spread),
    ];
    if (bias) inputs.push(this.random(`${weights}${joint}bias`, [to], -0.2, 0.2));
    return this.node('Conv', name, inputs, output, {
      kernel_shape: { ints: [kernel, kernel] },
      strides: { ints: [stride, stride] },
      pads: { ints: [pad, pad, pad, pad] },
      dilations: { ints: [dilation, dilation] },
      group: { int: groups },
    });
  }

  batchNorm(name: string, input: string, channels: number): string {
    const parameters = [
      this.random(`${name}_gamma`, [channels], 0.5, 1.5),
      this.random(`${name}_beta`, [channels], -0.3, 0.3),
      this.random(`${name}_moving_mean`, [channels], -0.2, 0.2),
      this.random(`${name}_moving_var`, [channels], 0.5, 1.5),
    ];
    return this.node('BatchNormalization', name, [input, ...parameters], name, { epsilon: { float: 1e-3 } });
  }
}

/** InsightFace's fmobilefacenet as MXNet exports it: (x − 127.5) / 128, conv, batch-norm and PReLU, `fc1`. */
export function mobileFaceNet(): OnnxSpec {
  const net = new OnnxNetwork(100);
  const layer = (name: string, input: string, widths: readonly [number, number], spec: ConvSpec, linear = false) => {
    const conv = net.conv(`${name}_conv2d`, `${name}_conv2d`, input, `${name}_conv2d`, widths, spec);
    const norm = net.batchNorm(`${name}_batchnorm`, conv, widths[1]);
    if (linear) return norm;
    const slope = net.random(`${name}_relu_gamma`, [widths[1], 1, 1], 0.05, 0.4);
    return net.node('PRelu', `${name}_relu`, [norm, slope], `${name}_relu`);
  };
  const shift = net.constant('_minusscalar0_scalar', { dims: [1], values: [127.5] });
  const scale = net.constant('_mulscalar0_scalar', { dims: [1], values: [0.0078125] });
  let x = net.node('Sub', '_minusscalar0', ['data', shift], '_minusscalar0');
  x = net.node('Mul', '_mulscalar0', [x, scale], '_mulscalar0');
  x = layer('conv_1', x, [3, 8], { kernel: 3, stride: 2, pad: 1 });
  x = layer('conv_2_dw', x, [8, 8], { kernel: 3, pad: 1, groups: 8 });
  const separable = (
    name: string,
    input: string,
    [from, hidden, to]: readonly [number, number, number],
    stride: number,
  ) => {
    let y = layer(`${name}_conv_sep`, input, [from, hidden], {});
    y = layer(`${name}_conv_dw`, y, [hidden, hidden], { kernel: 3, stride, pad: 1, groups: hidden });
    return layer(`${name}_conv_proj`, y, [hidden, to], {}, true);
  };
  x = separable('dconv_23', x, [8, 16, 8], 2);
  for (const block of [0, 1]) {
    x = net.node('Add', `_plus${block}`, [separable(`res_3_block${block}`, x, [8, 16, 8], 1), x], `_plus${block}`);
  }
  x = separable('dconv_34', x, [8, 16, 16], 2);
  x = separable('dconv_45', x, [16, 32, 16], 2);
  x = layer('conv_6sep', x, [16, 32], {});
  x = layer('conv_6dw7_7', x, [32, 32], { kernel: 7, groups: 32 }, true);
  x = net.node('Flatten', 'pre_fc1_flatten', [x], 'pre_fc1_flatten');
  const weights = net.random('pre_fc1_weight', [24, 32], -0.4, 0.4);
  const bias = net.random('pre_fc1_bias', [24], -0.1, 0.1);
  net.node('Gemm', 'pre_fc1', [x, weights, bias], 'pre_fc1', { transB: { int: 1 } });
  net.batchNorm('fc1', 'pre_fc1', 24);
  return {
    opset: 11,
    nodes: net.nodes,
    initializers: net.initializers,
    inputs: [{ name: 'data', dims: [1, 3, 112, 112] }],
    outputs: [{ name: 'fc1' }],
  };
}

/** 3DDFA's mobilenet_v1 as PyTorch exports it, batch-norm folded, with its PReLU: 62 numbers. */
export function ddfa(): OnnxSpec {
  const net = new OnnxNetwork(300);
  let [x, count, channels] = ['input', 0, 3];
  const layer = (weights: string, to: number, spec: ConvSpec) => {
    const number = count;
    count += 2;
    x = net.conv(`Conv_${number}`, weights, x, `${weights}_out`, [channels, to], { ...spec, bias: true });
    const slope = net.random(`${weights}.relu.weight`, [to, 1, 1], 0.1, 0.4);
    x = net.node('PRelu', `PRelu_${number + 1}`, [x, slope], `${weights}_act`);
    channels = to;
  };
  layer('module.conv1', 8, { kernel: 3, stride: 2, pad: 1 });
  const blocks = [
    ['dw2_1', 16, 1],
    ['dw2_2', 32, 2],
    ['dw3_1', 32, 1],
    ['dw3_2', 48, 2],
    ['dw4_1', 48, 1],
    ['dw4_2', 64, 2],
  ] as const;
  for (const [name, to, stride] of blocks) {
    layer(`module.${name}.conv_dw`, channels, { kernel: 3, stride, pad: 1, groups: channels });
    layer(`module.${name}.conv_sep`, to, {});
  }
  x = net.node('GlobalAveragePool', `GlobalAveragePool_${count}`, [x], 'pooled');
  x = net.node('Flatten', `Flatten_${count + 1}`, [x], 'flat', { axis: { int: 1 } });
  const weights = net.random('module.fc.weight', [62, channels], -0.3, 0.3);
  const bias = net.random('module.fc.bias', [62], -0.1, 0.1);
  net.node('Gemm', `Gemm_${count + 2}`, [x, weights, bias], 'output', { transB: { int: 1 } });
  return {
    opset: 11,
    nodes: net.nodes,
    initializers: net.initializers,
    inputs: [{ name: 'input', dims: [1, 3, 64, 64] }],
    outputs: [{ name: 'output' }],
  };
}

/** torchvision's lraspp_mobilenet_v3_large: the backbone's last blocks dilated in place of a stride. */
export function lrAspp(): OnnxSpec {
  const net = new OnnxNetwork(500);
  const named = (path: string, op: string) => `/${path}/${op}`;
  const conv = (path: string, input: string, widths: readonly [number, number], spec: ConvSpec = {}) => {
    const node = named(path, 'Conv');
    const weights = path.replaceAll('/', '.');
    return net.conv(node, weights, input, `${node}_output_0`, widths, { bias: true, ...spec });
  };
  const unary = (op: string, path: string, inputs: readonly string[], attributes: NodeSpec['attributes'] = {}) =>
    net.node(op, named(path, op), inputs, `${named(path, op)}_output_0`, attributes);
  const bottleneck = (
    index: number,
    input: string,
    [from, hidden, to]: readonly [number, number, number],
    { squeeze, swish, ...spec }: ConvSpec & { squeeze: boolean; swish: boolean },
  ) => {
    const path = `backbone/${index}/block`;
    const act = swish ? 'HardSwish' : 'Relu';
    let x = unary(act, `${path}/0/0.2`, [conv(`${path}/0/0.0`, input, [from, hidden])]);
    const { kernel = 3, dilation = 1 } = spec;
    const pad = ((kernel - 1) / 2) * dilation;
    x = unary(act, `${path}/1/1.2`, [conv(`${path}/1/1.0`, x, [hidden, hidden], { ...spec, pad, groups: hidden })]);
    if (squeeze) {
      let gate = unary('GlobalAveragePool', `${path}/2/avgpool`, [x]);
      gate = unary('Relu', `${path}/2/activation`, [conv(`${path}/2/fc1`, gate, [hidden, 8])]);
      gate = conv(`${path}/2/fc2`, gate, [8, hidden]);
      gate = unary('HardSigmoid', `${path}/2/scale_activation`, [gate], { alpha: { float: 1 / 6 } });
      x = unary('Mul', `${path}/2`, [gate, x]);
    }
    x = conv(`${path}/${squeeze ? 3 : 2}/${squeeze ? 3 : 2}.0`, x, [hidden, to]);
    return from === to && spec.stride !== 2 ? unary('Add', `backbone/${index}`, [x, input]) : x;
  };
  let x = unary('HardSwish', 'backbone/0/0.2', [
    conv('backbone/0/0.0', 'input', [3, 8], { kernel: 3, stride: 2, pad: 1 }),
  ]);
  x = bottleneck(1, x, [8, 16, 8], { kernel: 3, stride: 2, squeeze: false, swish: false });
  const low = bottleneck(2, x, [8, 24, 12], { kernel: 5, stride: 2, squeeze: true, swish: false });
  x = bottleneck(3, low, [12, 32, 16], { kernel: 3, stride: 2, squeeze: false, swish: true });
  x = bottleneck(4, x, [16, 48, 24], { kernel: 5, dilation: 2, squeeze: true, swish: true });
  x = bottleneck(5, x, [24, 48, 24], { kernel: 5, dilation: 2, squeeze: true, swish: true });
  const high = unary('HardSwish', 'backbone/16/16.2', [conv('backbone/16/16.0', x, [24, 48])]);
  const cbr = unary('Relu', 'classifier/cbr/cbr.2', [conv('classifier/cbr/cbr.0', high, [48, 16])]);
  let scale = unary('GlobalAveragePool', 'classifier/scale/scale.0', [high]);
  scale = unary('Sigmoid', 'classifier/scale/scale.2', [
    conv('classifier/scale/scale.1', scale, [48, 16], { bias: false }),
  ]);
  x = unary('Mul', 'classifier', [cbr, scale]);
  const resize = (path: string, input: string, sizes: readonly number[], output: string) => {
    const wanted = net.constant(`${path}_sizes`, { dims: [4], type: 'int64', values: sizes });
    return net.node('Resize', path, [input, '', '', wanted], output, {
      mode: { string: 'linear' },
      coordinate_transformation_mode: { string: 'pytorch_half_pixel' },
      cubic_coeff_a: { float: -0.75 },
      nearest_mode: { string: 'floor' },
    });
  };
  x = resize('/classifier/Resize', x, [1, 16, 8, 8], '/classifier/Resize_output_0');
  const sum = unary('Add', 'classifier/sum', [
    conv('classifier/low_classifier', low, [12, 21]),
    conv('classifier/high_classifier', x, [16, 21]),
  ]);
  resize('/Resize', sum, [1, 21, 64, 64], 'out');
  return {
    opset: 17,
    nodes: net.nodes,
    initializers: net.initializers,
    inputs: [{ name: 'input', dims: [1, 3, 64, 64] }],
    outputs: [{ name: 'out' }],
  };
}

/** A graph in TensorFlow's manner: SAME padding, names of scopes. */
class TensorflowNetwork {
  readonly #nodes: Node[] = [];
  readonly #input: { readonly name: string; readonly shape: Shape };
  readonly #shapes: Map<string, Shape>;
  #seed: number;
  current: string;

  constructor(input: string, shape: Shape, seed: number) {
    this.#input = { name: input, shape };
    this.#shapes = new Map([[input, shape]]);
    this.#seed = seed;
    this.current = input;
  }

  get channels(): number {
    return this.#shapes.get(this.current)![3];
  }

  push(node: Node): this {
    const inputs = node.inputs.map((name) => ({ name, shape: this.#shapes.get(name)! }));
    this.#shapes.set(node.output, inferShapes({ name: '', inputs, outputs: [], nodes: [node] }).get(node.output)!);
    this.#nodes.push(node);
    this.current = node.output;
    return this;
  }

  /** `groups`: all channels by themselves where it is left out of `depthwise`. */
  conv(
    name: string,
    outChannels: number,
    kernel = 1,
    stride = 1,
    activation: Activation = 'none',
    options: { depthwise?: boolean; valid?: boolean } = {},
  ): this {
    const [, height, width, channels] = this.#shapes.get(this.current)!;
    const groups = options.depthwise ? channels : 1;
    const taps = kernel * kernel * (channels / groups);
    const spread = Math.sqrt((activation === 'none' ? 3 : 6) / taps);
    return this.push({
      op: 'conv2d',
      name,
      inputs: [this.current],
      output: name,
      weights: randomValues(taps * outChannels, this.#seed++, -spread, spread),
      bias: randomValues(outChannels, this.#seed++, -0.2, 0.2),
      kernel: [kernel, kernel],
      stride: [stride, stride],
      dilation: [1, 1],
      padding: options.valid ? noPadding : samePadding([height, width], [kernel, kernel], [stride, stride]),
      groups,
      outChannels,
      activation,
    });
  }

  add(name: string, other: string): this {
    return this.push({ op: 'add', name, inputs: [this.current, other], output: name, activation: 'none' });
  }

  prelu(name: string): this {
    const slope = randomValues(this.channels, this.#seed++, 0.05, 0.4);
    return this.push({ op: 'prelu', name, inputs: [this.current], output: name, slope });
  }

  graph(name: string): Graph {
    return {
      name,
      inputs: [this.#input],
      outputs: [{ name: this.current, tensor: this.current }],
      nodes: this.#nodes,
    };
  }
}

/** TF-slim's MobilenetEdgeTPU: fused bottlenecks (a 3×3 convolution that expands) before depthwise ones, all with ReLU. */
export const edgeTpu: Graph = (() => {
  const net = new TensorflowNetwork('input', [1, 64, 64, 3], 700);
  net.conv('MobilenetEdgeTPU/Conv/Relu', 16, 3, 2, 'relu');
  net.conv('MobilenetEdgeTPU/expanded_conv/project/BatchNorm', 8);
  const blocks = [
    // Fused, kernel, stride, expansion, channels.
    [true, 3, 2, 8, 12],
    [true, 3, 1, 4, 12],
    [true, 3, 2, 8, 16],
    [true, 3, 1, 4, 16],
    [false, 3, 2, 8, 24],
    [false, 3, 1, 4, 24],
    [false, 5, 2, 8, 32],
    [false, 5, 1, 4, 32],
  ] as const;
  blocks.forEach(([fused, kernel, stride, expansion, channels], i) => {
    const scope = `MobilenetEdgeTPU/expanded_conv_${i + 1}`;
    const [source, before] = [net.current, net.channels];
    if (fused) net.conv(`${scope}/expand/Relu`, before * expansion, kernel, stride, 'relu');
    else {
      net.conv(`${scope}/expand/Relu`, before * expansion, 1, 1, 'relu');
      net.conv(`${scope}/depthwise/Relu`, before * expansion, kernel, stride, 'relu', { depthwise: true });
    }
    net.conv(`${scope}/project/BatchNorm`, channels);
    if (before === channels && stride === 1) net.add(`${scope}/add`, source);
  });
  net.conv('MobilenetEdgeTPU/Conv_1/Relu', 64, 1, 1, 'relu');
  const pool = 'MobilenetEdgeTPU/Logits/AvgPool';
  net.push({ op: 'global-average-pool', name: pool, inputs: [net.current], output: pool });
  return net.conv('MobilenetEdgeTPU/Logits/Conv2d_1c_1x1/BiasAdd', 11).graph('mobilenet_edgetpu');
})();

/** MobileFaceNet of TensorFlow: PReLU, a 7×7 depthwise convolution over all pixels, `embeddings` of length 1. */
export const mobileFaceNetTflite: Graph = (() => {
  const net = new TensorflowNetwork('input', [1, 112, 112, 3], 900);
  const scope = 'MobileFaceNet';
  net.conv(`${scope}/Conv2d_0/Conv2D`, 8, 3, 2).prelu(`${scope}/Conv2d_0/PReLU/add`);
  net.conv(`${scope}/Conv2d_1_depthwise/depthwise`, 8, 3, 1, 'none', { depthwise: true });
  net.prelu(`${scope}/Conv2d_1_depthwise/PReLU/add`);
  [2, 2, 2].forEach((stride, i) => {
    const block = `${scope}/expanded_conv_${i}`;
    net.conv(`${block}/expand/Conv2D`, 24).prelu(`${block}/expand/PReLU/add`);
    net.conv(`${block}/depthwise/depthwise`, 24, 3, stride, 'none', { depthwise: true });
    net.prelu(`${block}/depthwise/PReLU/add`).conv(`${block}/project/Conv2D`, 12);
  });
  net.conv(`${scope}/Conv2d_6/Conv2D`, 32).prelu(`${scope}/Conv2d_6/PReLU/add`);
  net.conv(`${scope}/Logits/GDC/depthwise`, 32, 7, 1, 'none', { depthwise: true, valid: true });
  net.conv(`${scope}/Logits/LinearConv1x1/Conv2D`, 24);
  return net
    .push({ op: 'l2-normalize', name: 'embeddings', inputs: [net.current], output: 'embeddings', epsilon: 1e-6 })
    .graph('MobileFaceNet');
})();
