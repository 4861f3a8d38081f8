/** Quantised tensors of TensorFlow Lite files as real numbers: fetched where a file has one. */
import { ModelFormatError } from '../../errors.ts';
import { type Constant, floats } from '../core/constants.ts';
import type { ImportBuilder, Interval, Place, Value } from '../core/import-builder.ts';
import { rangeOf, type UniformScale } from '../core/intervals.ts';
import { saturated as saturate } from '../core/saturation.ts';
import { type TfliteTensor, typeRanges } from './tensors.ts';

interface ActivationRange {
  readonly range: Interval;
  readonly step: UniformScale;
}

/**
 * The range of a tensor that the network computes and the file holds as integers of 8 or 16 bits, where an activation may
 * be left to it: where all that it holds is of one sign. Null for others: what a linear layer gives beyond the range that
 * its calibration saw is cut by the quantisation as it is rounded by it, and the graph has neither error. Throws
 * `ModelFormatError` where it has a scale for each channel.
 */
export function activationRange(file: string, { name, type, quantisation }: TfliteTensor): ActivationRange | null {
  const limits = type === 'INT32' ? undefined : typeRanges[type];
  if (!limits || !quantisation) return null;
  const [scale, ...others] = quantisation.scales;
  if (others.length > 0) {
    throw new ModelFormatError(
      file,
      `tensor "${name}" is computed and has ${others.length + 1} scales, expected one for all of it`,
    );
  }
  const step = { scale: scale!, zeroPoint: quantisation.zeroPoints[0] ?? 0 };
  const range = rangeOf(step, ...limits);
  return range.low >= 0 || range.high <= 0 ? { range, step } : null;
}

/**
 * `value` cut to its range. That of an input is its caller's to keep. Where the end at zero cuts nothing, or a step at most, no
 * activation is hidden in the range.
 */
export function saturated(builder: ImportBuilder, place: Place, value: Value, { range, step }: ActivationRange): Value {
  if (value.kind === 'constant' || !builder.producer(value.tensor)) return value;
  const after = { ...place, node: `${place.node}/range`, output: `${place.output}/range` };
  const positive = range.low >= 0;
  const accepted = {
    low: positive ? range.low - step.scale : -Infinity,
    high: positive ? Infinity : range.high + step.scale,
  };
  return saturate(builder, after, value, range, accepted);
}

/** What stored integers stand for. Throws `ModelFormatError` where there are not as many scales as channels. */
export function realNumbers(
  file: string,
  { name, dims, quantisation }: TfliteTensor,
  stored: ArrayLike<number>,
): Constant {
  const { scales, zeroPoints, dimension } = quantisation!;
  if (scales.length > 1 && dims[dimension] !== scales.length) {
    throw new ModelFormatError(
      file,
      `tensor "${name}" is [${dims}] and has ${scales.length} scales along dimension ${dimension}`,
    );
  }
  const count = stored.length;
  // Elements between two neighbours along the quantised dimension.
  const stride = scales.length > 1 ? dims.slice(dimension + 1).reduce((product, d) => product * d, 1) : count;
  const values = new Float32Array(count);
  for (let from = 0, channel = 0; from < count; from += stride, channel = (channel + 1) % scales.length) {
    const scale = scales[channel]!;
    const zeroPoint = zeroPoints[channel] ?? 0;
    for (let i = from; i < from + stride; i++) values[i] = (stored[i]! - zeroPoint) * scale;
  }
  return floats(dims, values);
}
