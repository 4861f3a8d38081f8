/**
 * Dynamically quantised ONNX: activations that DynamicQuantizeLinear quantises by the range that it finds, products of
 * integers, and the scales that bring them back. The scale is known only when the network runs, but it cancels out:
 * tensors are followed as real numbers times a power of it.
 */
import type { FoldBudget } from '../core/constants.ts';
import { combine } from '../core/fold.ts';
import type { Value } from '../core/import-builder.ts';
import { dequantised, type Quantised, type QuantisedCall } from './quantised.ts';

/** `value` · scale^`power`, where the scale is the one that DynamicQuantizeLinear writes to the tensor `scale`. */
export interface Dynamic {
  readonly kind: 'dynamic';
  readonly value: Value;
  readonly scale: string;
  /** −1: integers; 1: a scale; 0: a zero point. */
  readonly power: -1 | 0 | 1;
}

type Call = QuantisedCall<Quantised | Dynamic>;
type Result = Value | Dynamic;

/** Operations on integers and the ones on real numbers that they stand for. */
const products: ReadonlyMap<string, string> = new Map([
  ['ConvInteger', 'Conv'],
  ['MatMulInteger', 'MatMul'],
]);

/** What the node becomes, or null where it has nothing to do with dynamic quantisation. */
export function runDynamic(call: Call): readonly Result[] | null {
  const { place, builder, inputs, run, opset } = call;
  if (place.op === 'DynamicQuantizeLinear') return quantise(call);
  const product = products.get(place.op);
  if (product) return [integerProduct(call, product)];
  const dynamic = inputs.find((input) => input?.kind === 'dynamic');
  if (!dynamic) return null;
  switch (place.op) {
    case 'Cast':
    case 'Identity':
      return [dynamic];
    case 'Mul':
      return [multiply(call)];
    case 'Reshape':
    case 'Flatten':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Transpose': {
      const [, ...more] = inputs as readonly (Value | undefined)[];
      if (dynamic !== inputs[0] || dynamic.power !== -1) break;
      return [{ ...dynamic, value: run(place.op, [dynamic.value, ...more], place, opset) }];
    }
  }
  return builder.unsupported(place, 'computes with integers whose scale is known only when the network runs');
}

function quantise({ node, place, builder, inputs }: Call): readonly Dynamic[] {
  const [x] = inputs;
  if (x?.kind !== 'variable') return builder.unsupported(place, 'quantises what is no tensor of real numbers');
  const scale = node.outputs[1] || place.output;
  const constant = (value: number): Value => ({
    kind: 'constant',
    dims: [],
    type: 'float',
    data: Float32Array.of(value),
  });
  return [
    { kind: 'dynamic', value: x, scale, power: -1 },
    { kind: 'dynamic', value: constant(1), scale, power: 1 },
    { kind: 'dynamic', value: constant(0), scale, power: 0 },
  ];
}

function integerProduct(call: Call, op: string): Dynamic {
  const { place, builder, inputs, run, opset } = call;
  const [x, weights, zeroPoint, weightsZero] = inputs;
  if (x?.kind !== 'dynamic' || x.power !== -1 || x.value.kind !== 'variable') {
    return builder.unsupported(place, 'multiplies integers that DynamicQuantizeLinear did not make');
  }
  if (zeroPoint?.kind !== 'dynamic' || zeroPoint.scale !== x.scale || zeroPoint.power !== 0) {
    return builder.unsupported(place, 'takes another zero point than that of its input');
  }
  if (weights?.kind !== 'constant' || (weightsZero && weightsZero.kind !== 'constant')) {
    return builder.unsupported(place, 'multiplies with weights that the network computes');
  }
  const zeroPoints = [...(weightsZero?.data ?? [0])];
  const scale = { scales: zeroPoints.map(() => 1), zeroPoints, limits: undefined };
  const real = dequantised(call, weights, scale, op === 'Conv' ? 0 : -1);
  return { ...x, value: run(op, [x.value, real], place, opset) };
}

function multiply({ place, builder, inputs, run, opset, budget }: Call): Result {
  const [a, b] = inputs;
  if (!a || !b || a.kind === 'quantised' || b.kind === 'quantised') {
    return builder.unsupported(place, 'multiplies integers with integers');
  }
  const part = (input: Result): Value => (input.kind === 'dynamic' ? input.value : input);
  const power = (input: Result) => (input.kind === 'dynamic' ? input.power : 0);
  const scales = new Set([a, b].flatMap((input) => (input.kind === 'dynamic' ? [input.scale] : [])));
  const total = power(a) + power(b);
  const zero = [a, b].some((input) => input.kind === 'dynamic' && input.power === 0);
  if (scales.size !== 1 || Math.abs(total) > 1 || zero) {
    return builder.unsupported(place, 'multiplies with the scale of another tensor');
  }
  const value = times(part(a), part(b), budget) ?? run('Mul', [part(a), part(b)], place, opset);
  const [scale] = scales as Set<string>;
  return total === 0 ? value : { kind: 'dynamic', value, scale: scale!, power: total as -1 | 1 };
}

/** The product of constants, or null where one is a tensor of the network. */
const times = (a: Value, b: Value, budget: FoldBudget): Value | null =>
  a.kind === 'constant' && b.kind === 'constant' ? combine(a, b, budget, (x, y) => x * y) : null;
