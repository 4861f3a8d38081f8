/** ONNX's ConvTranspose, of one group or several: fetched where a file has one. */

import { transposedOutput } from '../../graph/shapes.ts';
import type { FoldBudget } from '../core/constants.ts';
import { transpose } from '../core/fold.ts';
import { nchw, type Value } from '../core/import-builder.ts';
import { floatData } from '../core/operations.ts';
import * as rarer from '../core/rarer-layers.ts';
import { vector } from '../core/rarer-operations.ts';
import { intOf, intsOf, stringOf } from './attributes.ts';
import { image, kernelOf, type Operation, paddingOf, pairOf } from './operations.ts';

export function convTranspose(operation: Operation): Value {
  const { builder, place, node, optional, budget } = operation;
  const { x, size: from } = image(operation);
  const weights = optional(1) ?? builder.damaged(place, 'has no weights');
  const { dims } = weights;
  const [inputs, perGroup, height, width] = dims as [number, number, number, number];
  const groups = intOf(node, 'group', 1);
  if (dims.length !== 4 || inputs !== x.dims[1] || !(groups >= 1 && inputs % groups === 0)) {
    builder.damaged(place, `has ${groups} groups and weights of [${dims}] for an input of [${x.dims}]`);
  }
  const outChannels = perGroup * groups;
  const kernel = kernelOf(operation, weights, [height, width]);
  const stride = pairOf(operation, 'strides', [1, 1]);
  const dilation = pairOf(operation, 'dilations', [1, 1]);
  const extra = intsOf(node, 'output_padding') ?? [0, 0];
  const stated = intsOf(node, 'output_shape');
  const sound = (sizes: readonly number[]) =>
    sizes.length === 2 && sizes.every((d) => Number.isSafeInteger(d) && d >= 0);
  if (!sound(extra) || (stated && !sound(stated))) {
    builder.damaged(
      place,
      `output_padding is [${extra}], output_shape [${stated ?? 'not stated'}], expected two whole numbers ≥ 0 each`,
    );
  }
  const auto = stringOf(node, 'auto_pad', 'NOTSET') || 'NOTSET';
  const { top, left, bottom, right } = paddingOf(operation, from, kernel, stride, dilation);
  const along = (axis: 0 | 1, before: number, after: number) => {
    const whole = transposedOutput(from[axis], kernel[axis], stride[axis], dilation[axis]) + extra[axis]!;
    const size = stated?.[axis] ?? (auto.startsWith('SAME') ? from[axis] * stride[axis] : null);
    if (size === null) return { size: whole - before - after, crop: before };
    const cut = Math.max(0, whole - size);
    return { size, crop: auto === 'SAME_UPPER' ? Math.floor(cut / 2) : Math.ceil(cut / 2) };
  };
  const [y, z] = [along(0, top, bottom), along(1, left, right)];
  const bias = optional(2);
  return rarer.convTranspose(builder, place, x, nchw, {
    weights: ofOneGroup(floatData(transpose(weights, [2, 3, 0, 1], budget)), inputs, perGroup, groups, budget),
    bias: bias ? vector(operation, bias, 'bias', outChannels) : null,
    kernel,
    stride,
    dilation,
    crop: [y.crop, z.crop],
    size: [y.size, z.size],
    outChannels,
    activation: 'none',
  });
}

/** `[kH][kW][inputs][perGroup]` of several groups as `[kH][kW][inputs][perGroup · groups]` of one: zeros between groups. */
function ofOneGroup(weights: Float32Array, inputs: number, perGroup: number, groups: number, budget: FoldBudget) {
  if (groups === 1) return weights;
  budget.take(weights.length * groups);
  const whole = new Float32Array(weights.length * groups);
  for (let row = 0; row * perGroup < weights.length; row++) {
    const group = Math.floor(((row % inputs) * groups) / inputs);
    whole.set(weights.subarray(row * perGroup, (row + 1) * perGroup), (row * groups + group) * perGroup);
  }
  return whole;
}
