/** A whole MobileNetV2, quantised as exporters do it, against ONNX Runtime, which computes with integers. */
import { expect, test } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { inferShapes } from '../../src/graph/shapes.ts';
import type { Graph, Shape } from '../../src/index.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { type NodeSpec, type TensorSpec, writeOnnx } from '../support/onnx-writer.ts';
import { normalisedMeanSquareError, onnxRuntimeOutputs, randomValues, toNchw } from '../support/oracles.ts';

interface Range {
  readonly low: number;
  readonly high: number;
}

function rangeOf(values: Float32Array): Range {
  let [low, high] = [0, 0];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return { low, high };
}

const nchw = ([n, h, w, c]: Shape) => [n, c, h, w];
const pair = (ints: readonly number[]) => ({ ints });

/**
 * The graph of convolutions, means and products with QuantizeLinear and DequantizeLinear behind each: activations uint8
 * by the ranges that `sample` calibrates, weights int8 with a scale a channel, bias int32.
 */
function quantise(graph: Graph, sample: Float32Array) {
  const everything = graph.nodes.map(({ output }) => ({ name: output, tensor: output }));
  const [input] = graph.inputs;
  const samples = runGraph({ ...graph, outputs: everything }, { [input!.name]: sample });
  const shapes = inferShapes(graph);
  const nodes: NodeSpec[] = [];
  const initializers: Record<string, TensorSpec> = {};
  const node = (op: string, inputs: string[], output: string, attributes: NonNullable<NodeSpec['attributes']> = {}) => {
    nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  };
  const scales = new Map<string, number>();
  /** Quantised and dequantised: the name of the real tensor. */
  const cut = (from: string, name: string, { low, high }: Range): string => {
    const scale = Math.fround((high - low) / 255);
    initializers[`${name}/s`] = { dims: [], values: [scale] };
    initializers[`${name}/z`] = { dims: [], type: 'uint8', values: [Math.round(-low / scale)] };
    node('QuantizeLinear', [from, `${name}/s`, `${name}/z`], `${name}/q`);
    scales.set(name, scale);
    return node('DequantizeLinear', [`${name}/q`, `${name}/s`, `${name}/z`], `${name}/real`);
  };
  const constant = (name: string, spec: TensorSpec, channelScales: readonly number[]): string => {
    initializers[name] = spec;
    initializers[`${name}/s`] = { dims: [channelScales.length], values: channelScales };
    const type = spec.type!;
    initializers[`${name}/z`] = { dims: [channelScales.length], type, values: channelScales.map(() => 0) };
    return node('DequantizeLinear', [name, `${name}/s`, `${name}/z`], `${name}/real`, { axis: { int: 0 } });
  };
  /** `weights` with outputs last become int8 with outputs first. */
  const layer = (
    name: string,
    weights: Float32Array,
    outputs: number,
    rest: readonly number[],
    bias: Float32Array | null,
    from: string,
  ) => {
    const perOutput = weights.length / outputs;
    const at = (o: number, k: number) => weights[k * outputs + o]!;
    const own = Array.from({ length: outputs }, (_, o) => {
      let largest = 1e-6;
      for (let k = 0; k < perOutput; k++) largest = Math.max(largest, Math.abs(at(o, k)));
      return Math.fround(largest / 127);
    });
    // [height][width][inputs] to [inputs][height][width].
    const [inputs, taps] = [rest[0]!, perOutput / rest[0]!];
    const values = Array.from({ length: weights.length }, (_, i) => {
      const [o, c, tap] = [Math.floor(i / perOutput), Math.floor((i % perOutput) / taps), i % taps];
      return Math.round(at(o, tap * inputs + c) / own[o]!);
    });
    const w = constant(`${name}/w`, { dims: [outputs, ...rest], type: 'int8', values }, own);
    const biasScales = own.map((scale) => Math.fround(scale * scales.get(from)!));
    const integers = biasScales.map((scale, o) => Math.round((bias?.[o] ?? 0) / scale));
    return [w, constant(`${name}/b`, { dims: [outputs], type: 'int32', values: integers }, biasScales)];
  };
  const real = new Map([[input!.name, cut(input!.name, input!.name, rangeOf(sample))]]);
  for (const each of graph.nodes) {
    const from = each.inputs[0]!;
    const x = real.get(from)!;
    const range = rangeOf(samples[each.output]!.data);
    const keep = (name: string) => real.set(each.output, cut(name, each.output, range));
    if (each.op === 'conv2d') {
      const [height, width] = each.kernel;
      const rest = [shapes.get(from)![3] / each.groups, height, width];
      const { top, left, bottom, right } = each.padding;
      const parameters = layer(each.name, each.weights, each.outChannels, rest, each.bias, from);
      const out = node('Conv', [x, ...parameters], `${each.name}/conv`, {
        strides: pair(each.stride),
        pads: pair([top, left, bottom, right]),
        group: { int: each.groups },
      });
      expect(['none', 'relu6']).toContain(each.activation);
      if (each.inputs[1]) {
        const other = rangeOf(samples[each.inputs[1]]!.data);
        const own = { low: range.low - other.high, high: range.high - other.low };
        keep(node('Add', [cut(out, `${each.name}/own`, own), real.get(each.inputs[1])!], `${each.name}/sum`));
      } else keep(each.activation === 'none' ? out : node('Clip', [out, 'zero', 'six'], `${each.name}/relu6`));
    } else if (each.op === 'global-average-pool') {
      keep(node('Flatten', [node('GlobalAveragePool', [x], `${each.name}/mean`)], `${each.name}/flat`));
    } else if (each.op === 'fully-connected') {
      const features = each.weights.length / each.outFeatures;
      const parameters = layer(each.name, each.weights, each.outFeatures, [features], each.bias, from);
      keep(node('Gemm', [x, ...parameters], `${each.name}/product`, { transB: { int: 1 } }));
    } else throw new Error(`${each.name} is a ${each.op}, which this test does not quantise`);
  }
  const last = graph.outputs[0]!.tensor;
  node('Identity', [real.get(last)!], 'y');
  initializers.zero = { dims: [], values: [0] };
  initializers.six = { dims: [], values: [6] };
  const bytes = writeOnnx({
    nodes,
    inputs: [{ name: input!.name, type: 'float', dims: nchw(input!.shape) }],
    outputs: [{ name: 'y', type: 'float' }],
    initializers,
  });
  return { bytes, step: scales.get(last)! };
}

test('a quantised MobileNetV2 gives the logits of ONNX Runtime within six steps of their scale', async () => {
  const graph = runPasses(buildArchitecture('v2-0.35-64'));
  const { name, shape } = graph.inputs[0]!;
  const size = 64 * 64 * 3;
  const { bytes, step } = quantise(graph, randomValues(size, 1, -1, 1));
  // Another input than that of the calibration: some activations leave their ranges.
  const x = randomValues(size, 2, -1.2, 1.2);
  const expected = (await onnxRuntimeOutputs(bytes, { [name]: { dims: nchw(shape), data: toNchw(shape, x) } })).y!;
  const quantised = runPasses(await loadGraph({ name: 'q.onnx', bytes }));
  const found = runGraph(quantised, { [name]: x }).y!;
  const errors = Array.from(found.data, (value, i) => Math.abs(value - expected.data[i]!) / step);
  expect(Math.max(...errors)).toBeLessThan(6);
  expect(errors.reduce((sum, error) => sum + error) / errors.length).toBeLessThan(1);
  const best = (values: Float32Array) => values.indexOf(Math.max(...values));
  expect(best(found.data)).toBe(best(expected.data));
  // The ranges are what keeps it near: without any quantisation the network is several times further away.
  const real = Object.values(runGraph(graph, { [name]: x }))[0]!.data;
  const distance = (values: Float32Array) => normalisedMeanSquareError(values, expected.data);
  expect(distance(found.data)).toBeLessThan(distance(real) / 4);
});
