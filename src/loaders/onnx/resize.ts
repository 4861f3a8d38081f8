/** ONNX's Resize, and Upsample before it, as the graph's: fetched where a file has one. */
import type { Pair, Resize } from '../../graph/ops.ts';
import { axisOf } from '../core/dims.ts';
import { nchw, type Value } from '../core/import-builder.ts';
import * as rarer from '../core/rarer-layers.ts';
import { floatsOf, intOf, intsOf, stringOf } from './attributes.ts';
import type { Operation } from './operations.ts';
import { nearestCorners, type Rounding } from './resampling.ts';

export function resize({ builder, place, node, variable, optional, opset, budget }: Operation): Value {
  const x = builder.arrange(place, variable(0), nchw);
  const size: Pair = [x.dims[2]!, x.dims[3]!];
  const early = node.op === 'Upsample' || opset < 11;
  const scales = node.op === 'Upsample' && opset < 9 ? floatsOf(node, 'scales') : optional(early ? 1 : 2)?.data;
  const sizes = early ? undefined : optional(3)?.data;
  const axes = intsOf(node, 'axes')?.map((axis) => axisOf(axis, 4)) ?? [0, 1, 2, 3];
  const wanted = [...x.dims];
  const factors = [1, 1, 1, 1];
  if (sizes && sizes.length > 0) {
    const policy = stringOf(node, 'keep_aspect_ratio_policy', 'stretch');
    if (sizes.length !== axes.length || policy !== 'stretch') {
      builder.unsupported(place, `has sizes [${[...sizes]}] and the policy "${policy}", expected one size a dimension`);
    }
    axes.forEach((axis, i) => {
      wanted[axis] = sizes[i]!;
      factors[axis] = sizes[i]! / x.dims[axis]!;
    });
  } else if (scales && scales.length === axes.length) {
    axes.forEach((axis, i) => {
      const exact = x.dims[axis]! * scales[i]!;
      wanted[axis] = Math.floor(exact + 1e-4);
      if (!(Math.abs(exact - wanted[axis]!) <= 1e-4)) {
        builder.unsupported(place, `scales [${x.dims}] by [${[...scales]}], which gives no whole size`);
      }
      factors[axis] = wanted[axis]! / x.dims[axis]!;
    });
  } else builder.unsupported(place, 'has neither constant sizes nor constant scales');
  const sound = wanted.every((d) => Number.isSafeInteger(d) && d > 0 && d <= 65_536);
  if (!sound || wanted[0] !== x.dims[0] || wanted[1] !== x.dims[1]) {
    builder.unsupported(place, `makes [${wanted}] of [${x.dims}]; only height and width can be resized`);
  }
  if (intOf(node, 'antialias', 0) !== 0) builder.unsupported(place, 'is antialiased');
  const target: Pair = [wanted[2]!, wanted[3]!];
  budget.take(target[0] + target[1]);
  const coordinates = early ? 'asymmetric' : stringOf(node, 'coordinate_transformation_mode', 'half_pixel');
  const mode = stringOf(node, 'mode', 'nearest');
  if (mode === 'nearest') {
    const rounding = early ? 'simple' : stringOf(node, 'nearest_mode', 'round_prefer_floor');
    const corners = nearestCorners(coordinates, rounding as Rounding, size, target);
    if (!corners) {
      return builder.unsupported(
        place,
        `picks the nearest pixels of [${size}] for [${target}] by ${coordinates} and ${rounding}`,
      );
    }
    return rarer.resize(builder, place, x, nchw, target, 'nearest', corners);
  }
  if (mode !== 'linear' && mode !== 'bilinear') builder.unsupported(place, `has the mode "${mode}"`);
  const linear: Record<string, Resize['corners'] | undefined> = {
    half_pixel: 'half-pixel',
    half_pixel_symmetric: 'half-pixel',
    pytorch_half_pixel: target[0] > 1 && target[1] > 1 ? 'half-pixel' : undefined,
    align_corners: 'align',
    asymmetric: 'asymmetric',
  };
  const corners = Object.hasOwn(linear, coordinates) ? linear[coordinates] : undefined;
  if (!corners) return builder.unsupported(place, `has the coordinates "${coordinates}" for [${target}]`);
  return rarer.resize(builder, place, x, nchw, target, 'bilinear', corners);
}
