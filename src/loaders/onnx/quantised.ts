/**
 * Quantised ONNX: QuantizeLinear and DequantizeLinear around operations, and operations on quantised tensors. The graph
 * computes with the real numbers (q − zero point) · scale that the integers stand for. Rounding is left out; the range
 * of the integers stays, as a clip where it can act.
 */

import type { StoredTensor } from '../../graph/quantisation.ts';
import { type Constant, elementCount, type FoldBudget, floats, integers } from '../core/constants.ts';
import { axisOf, stridesOf } from '../core/dims.ts';
import type { ImportBuilder, Place, Value, Variable } from '../core/import-builder.ts';
import { rangeOf } from '../core/intervals.ts';
import type { Rounding } from '../core/rounding.ts';
import { saturated } from '../core/saturation.ts';
import { floatOf, intOf } from './attributes.ts';
import type { NodeProto } from './proto.ts';

/** A tensor of the network that the file holds as integers. */
export interface Quantised {
  readonly kind: 'quantised';
  /** The real numbers that the integers stand for. */
  readonly real: Variable;
  readonly scale: number;
  readonly zeroPoint: number;
  /** As the file states both. */
  readonly scaling: Scale;
}

/** A node with its inputs, of which `Held` are what the file holds as integers. */
export interface QuantisedCall<Held extends { readonly kind: string } = Quantised> {
  readonly node: NodeProto;
  readonly place: Place;
  readonly builder: ImportBuilder;
  readonly budget: FoldBudget;
  readonly opset: number;
  /** Where integers are to be kept. */
  readonly rounding: Rounding | null;
  /** `undefined` where an input is left out. */
  readonly inputs: readonly (Value | Held | undefined)[];
  /** The operation of the default domain on tensors of real numbers. */
  readonly run: (op: string, inputs: readonly (Value | undefined)[], place: Place, opset: number) => Value;
}

type Handler = (call: QuantisedCall) => Value | Quantised;

/** Where a quantised operation keeps its tensors (each with scale and zero point after it), bias and output scale. */
interface Layout {
  readonly op: string;
  readonly tensors: readonly number[];
  readonly bias?: number;
  readonly output: number;
}

const layouts: Readonly<Record<string, Layout>> = {
  QLinearConv: { op: 'Conv', tensors: [0, 3], bias: 8, output: 6 },
  QLinearMatMul: { op: 'MatMul', tensors: [0, 3], output: 6 },
  'com.microsoft.QGemm': { op: 'Gemm', tensors: [0, 3], bias: 6, output: 7 },
  'com.microsoft.QLinearAdd': { op: 'Add', tensors: [0, 3], output: 6 },
  'com.microsoft.QLinearMul': { op: 'Mul', tensors: [0, 3], output: 6 },
  'com.microsoft.QLinearSigmoid': { op: 'Sigmoid', tensors: [0], output: 3 },
  'com.microsoft.QLinearSoftmax': { op: 'Softmax', tensors: [0], output: 3 },
  'com.microsoft.QLinearGlobalAveragePool': { op: 'GlobalAveragePool', tensors: [0], output: 3 },
  'com.microsoft.QLinearAveragePool': { op: 'AveragePool', tensors: [0], output: 3 },
  'com.microsoft.QLinearReduceMean': { op: 'ReduceMean', tensors: [0], output: 3 },
};

const handlers = new Map<string, Handler>([
  ['QuantizeLinear', quantizeLinear],
  ['com.microsoft.QuantizeLinear', quantizeLinear],
  ['DequantizeLinear', dequantizeLinear],
  ['com.microsoft.DequantizeLinear', dequantizeLinear],
  ['com.microsoft.QLinearConcat', qLinearConcat],
  ...Object.entries(layouts).map(([name, layout]): [string, Handler] => [name, (call) => qLinear(call, layout)]),
]);

/** Operations that move integers without arithmetic, so that what they stand for moves with them. */
const moves = new Set([
  ...['Identity', 'Dropout', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Slice', 'Gather', 'Expand'],
  ...['MaxPool', 'GlobalMaxPool', 'ReduceMax', 'Concat', 'Pad'],
]);

/** What the node becomes, or null where it has nothing to do with quantised tensors. */
export function runQuantised(call: QuantisedCall): readonly [Value | Quantised] | null {
  const handler = handlers.get(call.place.op);
  const result = handler ? handler(call) : moved(call);
  return result && [result];
}

function moved(call: QuantisedCall): Value | Quantised | null {
  const { node, place, builder, inputs, run, opset, rounding } = call;
  const quantised = inputs.filter((input) => input?.kind === 'quantised');
  const first = quantised[0];
  if (!first) return null;
  if (node.op === 'Shape' && place.op === node.op) return run('Shape', [first.real], place, opset);
  if (!moves.has(place.op)) return builder.unsupported(place, 'computes with the integers of a quantised tensor');
  for (const { scale, zeroPoint } of quantised) {
    if (scale !== first.scale || zeroPoint !== first.zeroPoint) {
      builder.unsupported(place, 'joins tensors that are quantised with different scales or zero points');
    }
  }
  const real = inputs.map((input) => (input?.kind === 'quantised' ? input.real : input));
  if (place.op === 'Pad') {
    // What it fills with is an integer, too: 0 where it is left out.
    const filler = real[2]?.kind === 'constant' ? (real[2].data[0] ?? 0) : 0;
    real[2] = floats([], Float32Array.of((filler - first.zeroPoint) * first.scale));
  }
  const result = run(node.op, real, place, opset);
  if (result.kind !== 'variable') return result;
  return { ...first, real: rounding ? rounded(call, result, first.scaling, place) : result };
}

// Scales and zero points

/** The constants at `i` and `i + 1`: as many scales as zero points. */
function scaleAt({ builder, place, node, inputs, budget }: QuantisedCall, i: number) {
  const constant = (index: number, what: string) => {
    const value = inputs[index];
    if (value && value.kind !== 'constant') builder.unsupported(place, `has a ${what} that the network computes`);
    return value as Constant | undefined;
  };
  const scale = constant(i, 'scale') ?? builder.damaged(place, 'has no scale');
  const zeroPoint = constant(i + 1, 'zero point');
  const bad = scale.data.findIndex((value) => !(value > 0 && value < Infinity));
  if (bad >= 0 || scale.data.length === 0) {
    builder.damaged(place, `has the scale ${scale.data[bad]}, expected positive numbers`);
  }
  if (zeroPoint && zeroPoint.data.length !== scale.data.length) {
    builder.damaged(place, `has ${scale.data.length} scales and ${zeroPoint.data.length} zero points`);
  }
  budget.take(scale.data.length);
  const zeroPoints = zeroPoint ? [...zeroPoint.data] : new Array<number>(scale.data.length).fill(0);
  const blocks = scale.dims.filter((d) => d > 1).length > 1 || intOf(node, 'block_size', 0) !== 0;
  if (blocks) builder.unsupported(place, `is quantised in blocks, with scales of [${scale.dims}]`);
  return { scales: [...scale.data], zeroPoints, limits: zeroPoint?.limits };
}

type Scale = ReturnType<typeof scaleAt>;

/** One scale and zero point for the whole tensor. */
function single({ builder, place }: QuantisedCall, { scales, zeroPoints }: Scale): [scale: number, zeroPoint: number] {
  if (scales.length !== 1) builder.unsupported(place, 'quantises a tensor of the network with a scale a channel');
  return [scales[0]!, zeroPoints[0]!];
}

type Context = Pick<QuantisedCall, 'builder' | 'place' | 'budget'> & Partial<Pick<QuantisedCall, 'rounding'>>;

/** Applies `f(value, scale, zero point)` to a constant, whose scales lie along `axis`. */
function scaled(
  { builder, place, budget }: Context,
  value: Constant,
  { scales, zeroPoints }: Scale,
  axis: number,
  f: (value: number, scale: number, zeroPoint: number) => number,
): Float64Array {
  const one = scales.length === 1;
  const along = one ? 0 : axisOf(axis, value.dims.length);
  if (!one && value.dims[along] !== scales.length) {
    builder.damaged(place, `has ${scales.length} scales for dimension ${along} of [${value.dims}]`);
  }
  const stride = one ? elementCount(value.dims) || 1 : stridesOf(value.dims)[along]!;
  budget.takeFor('integer', value.data.length);
  const result = new Float64Array(value.data.length);
  for (let i = 0; i < result.length; i++) {
    const k = Math.floor(i / stride) % scales.length;
    result[i] = f(value.data[i]!, scales[k]!, zeroPoints[k]!);
  }
  return result;
}

/** The real numbers behind the integers of a constant. */
export function dequantised(call: Context, value: Constant, scale: Scale, axis: number): Constant {
  const { scales, zeroPoints } = scale;
  const real = floats(value.dims, new Float32Array(scaled(call, value, scale, axis, (q, s, zero) => (q - zero) * s)));
  const shift = value.limits?.[1] === 255 ? 128 : 0;
  call.rounding?.keep(real, {
    name: call.place.output,
    scales,
    zeroPoints: zeroPoints.map((zero) => zero - shift),
    // Integers of 32 bits.
    bias: value.limits ? null : Int32Array.from(value.data),
  });
  return real;
}

/** The tensor of real numbers behind what is at `i`. */
function realAt(call: QuantisedCall, i: number, axis: number): Value {
  const { builder, place, inputs } = call;
  const value = inputs[i] ?? builder.damaged(place, `input ${i} is left out, expected a tensor`);
  const scale = scaleAt(call, i + 1);
  if (value.kind === 'constant') return dequantised(call, value, scale, axis);
  const [factor, zeroPoint] = single(call, scale);
  // An input of the file that holds integers has them in the graph, too.
  const stored = value.kind === 'quantised' ? value : { real: value, scale: 1, zeroPoint: 0 };
  if (stored.scale === factor && stored.zeroPoint === zeroPoint) return stored.real;
  const { rounding } = call;
  if (rounding && value.kind === 'quantised') {
    const own = limitsOf(call, scale)[0] + 128;
    const at = { ...place, output: `${place.output}/read ${i}`, node: `${place.node}/read ${i}` };
    const step = { scale: factor, zeroPoint: zeroPoint - own };
    return (
      rounding.reread(builder, at, stored.real, step) ??
      builder.unsupported(place, 'reads what moved of integers with another scale than their own')
    );
  }
  const read = builder.affine(
    { ...place, output: `${place.output}/dequantised ${i}`, node: `${place.node}/dequantised ${i}` },
    stored.real,
    Float32Array.of(factor / stored.scale),
    Float32Array.of((stored.zeroPoint - zeroPoint) * factor),
  );
  if (!rounding) return read;
  return rounded(call, read, scale, { ...place, output: `${place.output}/input`, node: `${place.node}/input` });
}

/** As the integers of `scale` hold it, which `Graph.quantisation` has. */
function rounded(call: QuantisedCall, real: Variable, scale: Scale, place: Place): Variable {
  const [factor, zeroPoint] = single(call, scale);
  const [least, most] = limitsOf(call, scale);
  if (most - least !== 255)
    call.builder.unsupported(place, `quantises to integers from ${least} to ${most}, expected 8 bits`);
  const type = least === 0 ? 'uint8' : 'int8';
  const tensor: StoredTensor = { name: place.output, type, scale: factor, zeroPoint: zeroPoint - (least + 128) };
  return call.rounding!.rounded(call.builder, place, real, tensor);
}

/** Cut to what the integers can hold. */
function quantised(call: QuantisedCall, real: Variable, scale: Scale, place: Place): Quantised {
  const [factor, zeroPoint] = single(call, scale);
  const step = { scale: factor, zeroPoint };
  if (call.rounding) return { kind: 'quantised', real: rounded(call, real, scale, place), ...step, scaling: scale };
  const range = rangeOf(step, ...limitsOf(call, scale));
  return { kind: 'quantised', real: saturated(call.builder, place, real, range, range), ...step, scaling: scale };
}

function limitsOf({ node, builder, place }: QuantisedCall, { limits }: Scale): readonly [number, number] {
  if (limits) return limits;
  // TensorProto.DataType, or 0: that of the zero point, uint8 where there is none.
  const type = intOf(node, 'output_dtype', 0);
  const known: Readonly<Record<number, readonly [number, number]>> = {
    0: [0, 255],
    2: [0, 255],
    3: [-128, 127],
    4: [0, 65_535],
    5: [-32_768, 32_767],
  };
  return known[type] ?? builder.unsupported(place, `quantises to the type ${type}, expected integers of 8 or 16 bits`);
}

// Operations

function quantizeLinear(call: QuantisedCall): Value | Quantised {
  const { builder, place, node, inputs } = call;
  const x = inputs[0] ?? builder.damaged(place, 'has no input');
  const scale = scaleAt(call, 1);
  if (x.kind === 'quantised') return builder.unsupported(place, 'quantises what is quantised');
  if (x.kind === 'variable') return quantised(call, x, scale, place);
  const [low, high] = limitsOf(call, scale);
  const data = scaled(call, x, scale, intOf(node, 'axis', 1), (value, s, zero) =>
    Math.min(Math.max(roundHalfEven(value / s) + zero, low), high),
  );
  return { ...integers(x.dims, data), limits: [low, high] };
}

function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function dequantizeLinear(call: QuantisedCall): Value {
  return realAt(call, 0, intOf(call.node, 'axis', 1));
}

function qLinear(call: QuantisedCall, { op, tensors, bias, output }: Layout): Value | Quantised {
  const { node, place, builder, inputs, run } = call;
  if (intOf(node, 'channels_last', 0) !== 0) builder.unsupported(place, 'has its channels last (channels_last)');
  if (call.rounding && floatOf(node, 'alpha', 1) !== 1) builder.unsupported(place, 'multiplies by alpha');
  // Filters have a scale for each output; so do columns of a matrix.
  const axis = op === 'Conv' || intOf(node, 'transB', 0) === 1 ? 0 : -1;
  const real: (Value | undefined)[] = tensors.map((i) => realAt(call, i, axis));
  const added = bias === undefined ? undefined : inputs[bias];
  if (added) {
    if (added.kind !== 'constant') builder.unsupported(place, 'has a bias that the network computes');
    const [x, w] = [scaleAt(call, 1), scaleAt(call, 4)];
    // Only the product is scaled by alpha, and its integers have the scale alpha · x · w.
    const factor = single(call, x)[0] * floatOf(node, 'alpha', 1);
    const scale = { ...w, scales: w.scales.map((s) => s * factor), zeroPoints: w.scales.map(() => 0) };
    real.push(dequantised(call, added as Constant, scale, -1));
  }
  const opset = op === 'Softmax' ? intOf(node, 'opset', call.opset) : call.opset;
  if (!inputs[output]) return run(op, real, place, opset);
  const result = run(op, real, place, opset);
  if (result.kind === 'constant') return builder.unsupported(place, 'computes with constants alone');
  return quantised(call, result, scaleAt(call, output), {
    ...place,
    output: `${place.output}/clip`,
    node: `${place.node}/clip`,
  });
}

function qLinearConcat(call: QuantisedCall): Value | Quantised {
  const { place, inputs, run, opset, builder } = call;
  const real = Array.from({ length: Math.floor((inputs.length - 2) / 3) }, (_, i) => realAt(call, 2 + 3 * i, 0));
  const result = run('Concat', real, place, opset);
  if (result.kind === 'constant') return builder.unsupported(place, 'joins constants');
  const clip = { ...place, output: `${place.output}/clip`, node: `${place.node}/clip` };
  return quantised(call, result, scaleAt(call, 0), clip);
}
