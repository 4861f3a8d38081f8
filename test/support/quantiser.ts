/**
 * Quantised TensorFlow Lite files out of float graphs, as TensorFlow's converter makes them after training: ranges of
 * tensors from runs on example inputs, int8 with a scale for each output channel of the weights, or uint8 with one scale
 * a tensor (TensorFlow Lite 8-bit quantization specification).
 */

import type { Graph } from '../../src/graph/graph.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { tfliteModelOf } from '../../src/writers/tflite.ts';
import type { TfliteModel, TfliteOperator, TfliteQuantisation, TfliteTensor } from '../../src/writers/tflite-file.ts';
import { encodeTflite } from '../../src/writers/tflite-file.ts';

export type QuantisedType = 'int8' | 'uint8';

export interface Range {
  readonly low: number;
  readonly high: number;
}

export interface QuantiserOptions {
  readonly type: QuantisedType;
  /**
   * Where ReLU and ReLU6 stand: `ranges`: in nothing but the range of the tensor that they would give (ReLU6: 0 to 6), as
   * files of networks that were trained with quantisation have them; `operators`: stated by the operators too.
   */
  readonly activations: 'ranges' | 'operators';
  /** What callers feed and get: the network's integers, or real numbers, with a QUANTIZE and DEQUANTIZE in the file. */
  readonly ends: 'integers' | 'floats';
}

const limits = { int8: [-128, 127], uint8: [0, 255] } as const;

/** Operators whose output holds the numbers of its input, on its scale. */
const passesOn: ReadonlySet<string> = new Set([
  ...['RESHAPE', 'PAD', 'MAX_POOL_2D', 'AVERAGE_POOL_2D', 'RESIZE_BILINEAR', 'RESIZE_NEAREST_NEIGHBOR'],
]);

/** Operators whose output has a scale of its own. */
const rescales: ReadonlySet<string> = new Set([
  ...['CONV_2D', 'DEPTHWISE_CONV_2D', 'FULLY_CONNECTED', 'ADD', 'MUL', 'MEAN', 'HARD_SWISH', 'RELU', 'RELU6', 'PRELU'],
  'CONCATENATION',
]);

/** Operators whose integers stand for fixed numbers: those from 0 to 1 in 256 steps. */
const ofUnitRange: ReadonlySet<string> = new Set(['LOGISTIC', 'SOFTMAX']);

/** Versions of operators that take integers of 8 bits, where it is not the second. */
const versions: Readonly<Record<string, number>> = {
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 3,
  FULLY_CONNECTED: 4,
  RESHAPE: 1,
  HARD_SWISH: 1,
  PRELU: 1,
};

/** The file as plain data, and its bytes. */
export interface QuantisedFile {
  readonly model: TfliteModel;
  readonly bytes: Uint8Array;
}

/**
 * Calibrates a graph (after its passes) on values of its only input and writes it once for each of `variants`. Every
 * tensor of the network holds integers.
 */
export async function quantised(
  graph: Graph,
  examples: readonly Float32Array[],
  variants: readonly QuantiserOptions[],
): Promise<QuantisedFile[]> {
  const float = tfliteModelOf(graph);
  const ranges = await calibrated(float, examples);
  return variants.map((options) => {
    const integers = quantise(float, ranges, options);
    const model = options.ends === 'floats' ? withFloatEnds(integers) : integers;
    return { model, bytes: encodeTflite(model) };
  });
}

/** The smallest range of each tensor that holds zero and everything that `examples` bring, by the tensor's name. */
export async function calibrated(
  model: TfliteModel,
  examples: readonly Float32Array[],
): Promise<ReadonlyMap<string, Range>> {
  const graph = await loadGraph({ name: model.name, bytes: encodeTflite(model) });
  const ranges = new Map<string, { low: number; high: number }>();
  const see = (name: string, values: Float32Array) => {
    const range = ranges.get(name) ?? { low: 0, high: 0 };
    for (const value of values) {
      if (value < range.low) range.low = value;
      else if (value > range.high) range.high = value;
    }
    ranges.set(name, range);
  };
  // A tensor that takes several nodes is the last of them, which has a number behind the name.
  const last = new Map(graph.nodes.map(({ output }) => [output.replace(/#\d+$/, ''), output]));
  const named = new Map([...last].map(([name, output]) => [output, name]));
  const input = graph.inputs[0]!.name;
  for (const values of examples) {
    see(input, values);
    runGraph(
      graph,
      { [input]: values },
      {
        onNode: ({ output }, { data }) => {
          const name = named.get(output);
          if (name !== undefined) see(name, data);
        },
      },
    );
  }
  return ranges;
}

/** The same network on integers. Throws at operators that it does not know and at tensors that were not calibrated. */
export function quantise(
  model: TfliteModel,
  ranges: ReadonlyMap<string, Range>,
  { type, activations }: Pick<QuantiserOptions, 'type' | 'activations'>,
): TfliteModel {
  const tensors = [...model.tensors];
  const computed = (index: number, range: Range) => {
    tensors[index] = { ...tensors[index]!, type, quantisation: uniform(type, range) };
  };
  const rangeOf = (index: number): Range => {
    const { name } = tensors[index]!;
    const range = ranges.get(name);
    if (!range) throw new Error(`${model.name}: tensor "${name}" was not calibrated`);
    return range;
  };
  for (const [, index] of model.inputs) computed(index, rangeOf(index));
  const rescaled = (index: number, { quantisation }: TfliteTensor): { index: number; by?: TfliteOperator } => {
    const { name, shape } = tensors[index]!;
    const copy = tensors.push({ name: `${name}/rescaled`, shape, data: null, type, quantisation: quantisation! }) - 1;
    return { index: copy, by: conversion('QUANTIZE', index, copy) };
  };
  const operators = model.operators.flatMap((operator): TfliteOperator[] => {
    const { op, inputs, outputs, options } = operator;
    const [output] = outputs as [number];
    const activation = activationOf(operator);
    if (passesOn.has(op)) {
      const { quantisation } = tensors[inputs[0]!]!;
      tensors[output] = { ...tensors[output]!, type, quantisation: quantisation! };
    } else if (ofUnitRange.has(op)) {
      computed(output, { low: 0, high: 255 / 256 });
    } else if (!rescales.has(op)) {
      throw new Error(`${model.name}: tensor "${tensors[output]!.name}" comes from ${op}, which is not quantised here`);
    } else {
      computed(output, activation === 'relu6' ? { low: 0, high: 6 } : rangeOf(output));
    }
    if (linear.has(op)) {
      const dimension = op === 'DEPTHWISE_CONV_2D' ? 3 : 0;
      const [source, weights, bias] = inputs.map((index) => tensors[index]!) as [
        TfliteTensor,
        TfliteTensor,
        TfliteTensor,
      ];
      tensors[inputs[1]!] = type === 'int8' ? perChannel(weights, dimension) : perTensor(weights);
      tensors[inputs[2]!] = biasOf(bias, source.quantisation!, tensors[inputs[1]!]!.quantisation!);
    } else {
      for (const index of inputs) {
        const tensor = tensors[index]!;
        if (tensor.data instanceof Float32Array) tensors[index] = constant(tensor, type);
      }
    }
    const left = activations === 'ranges' && activation !== 'none' && options;
    // Parts that are joined have the scale of what they become.
    const alike = op === 'CONCATENATION' ? inputs.map((index) => rescaled(index, tensors[output]!)) : [];
    return [
      ...alike.flatMap(({ by }) => by ?? []),
      {
        ...operator,
        version: Math.max(operator.version, versions[op] ?? 2),
        ...(alike.length > 0 ? { inputs: alike.map(({ index }) => index) } : {}),
        ...(left ? { options: [left[0], { ...left[1], activation: 0 }] } : {}),
      },
    ];
  });
  return { ...model, tensors, operators };
}

/** The same network between real numbers. */
function withFloatEnds(model: TfliteModel): TfliteModel {
  const tensors = [...model.tensors];
  const real = (index: number): number => {
    const { name, shape } = tensors[index]!;
    tensors[index] = { ...tensors[index]!, name: `${name}/quantised` };
    return tensors.push({ name, shape, data: null }) - 1;
  };
  const inputs = model.inputs.map(([name, index]) => [name, real(index), index] as const);
  const outputs = model.outputs.map(([name, index]) => [name, real(index), index] as const);
  return {
    ...model,
    tensors,
    operators: [
      ...inputs.map(([, float, index]) => conversion('QUANTIZE', float, index)),
      ...model.operators,
      ...outputs.map(([, float, index]) => conversion('DEQUANTIZE', index, float)),
    ],
    inputs: inputs.map(([name, float]) => [name, float] as const),
    outputs: outputs.map(([name, float]) => [name, float] as const),
  };
}

const conversion = (op: 'QUANTIZE' | 'DEQUANTIZE', from: number, to: number): TfliteOperator => ({
  op,
  version: 2,
  inputs: [from],
  outputs: [to],
});

const linear: ReadonlySet<string> = new Set(['CONV_2D', 'DEPTHWISE_CONV_2D', 'FULLY_CONNECTED']);

/** What the operator fuses. */
function activationOf({ options }: TfliteOperator): 'none' | 'relu' | 'relu6' {
  return ({ 1: 'relu', 3: 'relu6' } as const)[Number(options?.[1].activation) as 1 | 3] ?? 'none';
}

/** One scale and zero point that hold `range`, with zero at a whole number. */
export function uniform(type: QuantisedType, { low, high }: Range): TfliteQuantisation {
  const [least, most] = limits[type];
  const scale = high > low ? Math.fround((high - low) / 255) : 1;
  const zeroPoint = Math.min(most, Math.max(least, Math.round(least - low / scale)));
  return { scales: [scale], zeroPoints: [zeroPoint], dimension: 0 };
}

/** A constant that is no weight of a linear layer. */
function constant(tensor: TfliteTensor, type: QuantisedType): TfliteTensor {
  const values = tensor.data as Float32Array;
  const range = { low: Math.min(0, ...values), high: Math.max(0, ...values) };
  const quantisation = uniform(type, range);
  const [[scale], [zeroPoint]] = [quantisation.scales, quantisation.zeroPoints] as [[number], [number]];
  const [least, most] = limits[type];
  const stored = Array.from(values, (v) => Math.min(most, Math.max(least, Math.round(v / scale) + zeroPoint)));
  return { ...tensor, type, quantisation, data: type === 'int8' ? Int8Array.from(stored) : Uint8Array.from(stored) };
}

/** Weights from −127 to 127, with a scale for each index of `dimension`. */
function perChannel(tensor: TfliteTensor, dimension: number): TfliteTensor {
  const values = tensor.data as Float32Array;
  const channels = tensor.shape[dimension]!;
  const stride = tensor.shape.slice(dimension + 1).reduce((a, b) => a * b, 1);
  const channelOf = (i: number) => Math.floor(i / stride) % channels;
  const largest = new Float64Array(channels);
  values.forEach((value, i) => {
    largest[channelOf(i)] = Math.max(largest[channelOf(i)]!, Math.abs(value));
  });
  const scales = Array.from(largest, (most) => Math.fround(most > 0 ? most / 127 : 1));
  const data = Int8Array.from(values, (value, i) =>
    Math.min(127, Math.max(-127, Math.round(value / scales[channelOf(i)]!))),
  );
  return { ...tensor, type: 'int8', quantisation: { scales, zeroPoints: scales.map(() => 0), dimension }, data };
}

/** Weights from 1 to 255: training with quantisation leaves 0 out, so that products of −128 do not occur. */
function perTensor(tensor: TfliteTensor): TfliteTensor {
  const values = tensor.data as Float32Array;
  let [low, high] = [0, 0];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const scale = Math.fround(high > low ? (high - low) / 254 : 1);
  const zeroPoint = Math.min(255, Math.max(1, Math.round(1 - low / scale)));
  const data = Uint8Array.from(values, (value) => Math.min(255, Math.max(1, Math.round(value / scale) + zeroPoint)));
  return { ...tensor, type: 'uint8', quantisation: { scales: [scale], zeroPoints: [zeroPoint], dimension: 0 }, data };
}

/** int32 on the scale of the products. */
function biasOf(tensor: TfliteTensor, input: TfliteQuantisation, weights: TfliteQuantisation): TfliteTensor {
  const values = tensor.data as Float32Array;
  const scales = weights.scales.map((scale) => Math.fround(input.scales[0]! * scale));
  const data = Int32Array.from(values, (value, i) => {
    const stored = Math.round(value / scales[scales.length === 1 ? 0 : i]!);
    return Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), stored));
  });
  return { ...tensor, type: 'int32', quantisation: { scales, zeroPoints: scales.map(() => 0), dimension: 0 }, data };
}
