/**
 * Quantised ONNX out of float graphs, as ONNX Runtime's quantiser makes it: activations uint8 by the ranges that an example
 * calibrates, weights int8 with a scale a channel, bias int32. With QuantizeLinear and DequantizeLinear around operations (`qdq`), or
 * in operations on quantised tensors (`qlinear`).
 */
import type { Activation, Node } from '../../src/graph/ops.ts';
import { inferShapes } from '../../src/graph/shapes.ts';
import type { Graph, Shape } from '../../src/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { type NodeSpec, type TensorSpec, writeOnnx } from './onnx-writer.ts';

export type QuantisedForm = 'qdq' | 'qlinear';

type Attributes = NonNullable<NodeSpec['attributes']>;

interface Weights {
  /** Outputs last. */
  readonly values: Float32Array;
  readonly outputs: number;
  /** Dimensions after that of the outputs, in the file. */
  readonly rest: readonly number[];
  readonly bias: Float32Array | null;
}

const activations: Readonly<Partial<Record<Activation, string>>> = {
  relu: 'Relu',
  relu6: 'Clip',
  'hard-swish': 'HardSwish',
  'hard-sigmoid': 'HardSigmoid',
  sigmoid: 'Sigmoid',
};

/** Names of operations on quantised tensors and where the output's scale stands among their inputs; others have none. */
const onQuantised: Readonly<Record<string, readonly [op: string, domain: string]>> = {
  Conv: ['QLinearConv', ''],
  Gemm: ['QGemm', 'com.microsoft'],
  Add: ['QLinearAdd', 'com.microsoft'],
  Mul: ['QLinearMul', 'com.microsoft'],
  GlobalAveragePool: ['QLinearGlobalAveragePool', 'com.microsoft'],
};

/** Activations and sums that are no cut at 0 and 6 as nodes of their own: they have a range each. */
function spread(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node): Node[] => {
    if (!('activation' in node) || node.op === 'activation') return [node];
    const parts: Node[] = [];
    let last: Node = node;
    const then = (next: Node) => {
      const own = `${last.output}/${parts.length}`;
      parts.push({ ...last, output: own } as Node);
      last = { ...next, inputs: [own, ...next.inputs] } as Node;
    };
    const { activation, name, output } = node;
    if (!['none', 'relu', 'relu6'].includes(activation)) {
      last = { ...node, activation: 'none' };
      then({ op: 'activation', name: `${name}/act`, inputs: [], output, activation });
    }
    if (node.op === 'conv2d' && node.inputs[1]) {
      const residual = node.inputs[1];
      if (parts[0]) parts[0] = { ...parts[0], inputs: [node.inputs[0]!] } as Node;
      else last = { ...last, inputs: [node.inputs[0]!] } as Node;
      then({ op: 'add', name: `${name}/sum`, inputs: [residual], output, activation: 'none' });
    }
    return [...parts, last];
  });
}

const nchw = ([n, h, w, c]: Shape): number[] => [n, c, h, w];

/** The file of a graph after its passes, from its only input to an output "y" of floats, and the scale of that. */
export function quantisedOnnx(given: Graph, example: Float32Array, form: QuantisedForm) {
  const graph = { ...given, nodes: spread(given.nodes) };
  const input = graph.inputs[0]!;
  const everything = graph.nodes.map(({ output }) => ({ name: output, tensor: output }));
  const samples = runGraph({ ...graph, outputs: everything }, { [input.name]: example });
  const shapes = inferShapes(graph);
  const nodes: NodeSpec[] = [];
  const initializers: Record<string, TensorSpec> = { zero: { dims: [], values: [0] }, six: { dims: [], values: [6] } };
  const scales = new Map<string, number>();

  const emit = (op: string, inputs: readonly string[], output: string, attributes: Attributes = {}, domain = '') => {
    nodes.push({ op, inputs, outputs: [output], attributes, ...(domain ? { domain } : {}) });
    return output;
  };
  const grid = (name: string) => [`${name}/s`, `${name}/z`];
  const stored = (name: string) => [`${name}/q`, ...grid(name)];
  const rangeTo = (name: string, values: Float32Array) => {
    let [low, high] = [0, 0];
    for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
    const scale = Math.fround((high - low) / 255);
    initializers[`${name}/s`] = { dims: [], values: [scale] };
    initializers[`${name}/z`] = { dims: [], type: 'uint8', values: [Math.round(-low / scale)] };
    scales.set(name, scale);
  };
  const real = (name: string) => {
    if (!nodes.some(({ outputs }) => outputs[0] === `${name}/real`)) {
      emit('DequantizeLinear', stored(name), `${name}/real`);
    }
    return `${name}/real`;
  };
  const constant = (name: string, spec: TensorSpec, own: readonly number[]) => {
    initializers[`${name}/q`] = spec;
    initializers[`${name}/s`] = { dims: [own.length], values: own };
    initializers[`${name}/z`] = { dims: [own.length], type: spec.type!, values: own.map(() => 0) };
  };
  const weigh = (name: string, from: string, { values, outputs, rest, bias }: Weights) => {
    const perOutput = values.length / outputs;
    const at = (o: number, k: number) => values[k * outputs + o]!;
    const own = Array.from({ length: outputs }, (_, o) => {
      let largest = 1e-6;
      for (let k = 0; k < perOutput; k++) largest = Math.max(largest, Math.abs(at(o, k)));
      return Math.fround(largest / 127);
    });
    // [height][width][inputs] to [inputs][height][width].
    const [inputs, taps] = [rest[0]!, perOutput / rest[0]!];
    const turned = Array.from({ length: values.length }, (_, i) => {
      const [o, c, tap] = [Math.floor(i / perOutput), Math.floor((i % perOutput) / taps), i % taps];
      return Math.round(at(o, tap * inputs + c) / own[o]!);
    });
    constant(`${name}/w`, { dims: [outputs, ...rest], type: 'int8', values: turned }, own);
    const products = own.map((scale) => Math.fround(scale * scales.get(from)!));
    const integers = products.map((scale, o) => Math.round((bias?.[o] ?? 0) / scale));
    constant(`${name}/b`, { dims: [outputs], type: 'int32', values: integers }, products);
  };

  /** An operation on quantised tensors, whose result is rounded to `name`. */
  const compute = (
    name: string,
    op: string,
    from: readonly string[],
    attributes: Attributes = {},
    weights?: Weights,
    more: readonly string[] = [],
  ) => {
    if (weights) weigh(name, from[0]!, weights);
    const whole = form === 'qlinear' ? onQuantised[op] : undefined;
    if (whole) {
      const all = from.flatMap(stored);
      const [w, b] = weights ? [stored(`${name}/w`), `${name}/b/q`] : [[], ''];
      const inputs =
        op === 'Gemm' ? [...all, ...w, b, ...grid(name)] : [...all, ...w, ...grid(name), ...(b ? [b] : [])];
      emit(whole[0], inputs, `${name}/q`, attributes, whole[1]);
      return;
    }
    const parameters = weights
      ? ['w', 'b'].map((key) =>
          emit('DequantizeLinear', stored(`${name}/${key}`), `${name}/${key}/real`, { axis: { int: 0 } }),
        )
      : more;
    const result = emit(op, [...from.map(real), ...parameters], `${name}/result`, attributes);
    emit('QuantizeLinear', [result, ...grid(name)], `${name}/q`);
  };

  rangeTo(input.name, example);
  emit('QuantizeLinear', [input.name, ...grid(input.name)], `${input.name}/q`);
  for (const node of graph.nodes) {
    const { output, inputs } = node;
    const from = inputs[0]!;
    const [, , , channels] = shapes.get(from)!;
    rangeTo(output, samples[output]!.data);
    if (node.op === 'conv2d') {
      const { top, left, bottom, right } = node.padding;
      const attributes = {
        strides: { ints: node.stride },
        pads: { ints: [top, left, bottom, right] },
        group: { int: node.groups },
      };
      // A cut at 0 and 6 stands in the range: quantisers leave it out.
      const rest = [channels / node.groups, ...node.kernel];
      compute(output, 'Conv', [from], attributes, {
        values: node.weights,
        outputs: node.outChannels,
        rest,
        bias: node.bias,
      });
    } else if (node.op === 'fully-connected') {
      const features = node.weights.length / node.outFeatures;
      // What is one pixel is a row.
      initializers.row = { dims: [2], type: 'int64', values: [1, -1] };
      const flat = `${from}/flat`;
      emit('Reshape', [`${from}/q`, 'row'], `${flat}/q`);
      scales.set(flat, scales.get(from)!);
      for (const key of ['s', 'z']) initializers[`${flat}/${key}`] = initializers[`${from}/${key}`]!;
      const weights = { values: node.weights, outputs: node.outFeatures, rest: [features], bias: node.bias };
      compute(output, 'Gemm', [flat], { transB: { int: 1 } }, weights);
    } else if (node.op === 'add' || node.op === 'multiply') {
      if (node.activation !== 'none') throw new Error(`${node.name} has the activation ${node.activation}`);
      compute(output, node.op === 'add' ? 'Add' : 'Mul', inputs);
    } else if (node.op === 'global-average-pool') {
      compute(output, 'GlobalAveragePool', inputs);
    } else if (node.op === 'activation') {
      const op = activations[node.activation]!;
      const alpha = op === 'HardSigmoid' ? { alpha: { float: 1 / 6 } } : {};
      compute(output, op, inputs, alpha, undefined, op === 'Clip' ? ['zero', 'six'] : []);
    } else throw new Error(`${node.name} is a ${node.op}, which is not quantised here`);
  }
  const last = graph.outputs[0]!.tensor;
  emit('DequantizeLinear', stored(last), 'y');
  const bytes = writeOnnx({
    nodes,
    inputs: [{ name: input.name, type: 'float', dims: nchw(input.shape) }],
    outputs: [{ name: 'y', type: 'float' }],
    initializers,
  });
  return {
    bytes,
    step: scales.get(last)!,
    first: { scale: scales.get(input.name)!, zeroPoint: initializers[`${input.name}/z`]!.values![0]! },
  };
}
