/** Operations on integers of 8 bits, from their definitions in src/graph/integers.ts: int32 sums in plain loops. */
import type {
  Dequantise,
  Integer,
  IntegerAdd,
  IntegerConcat,
  IntegerConv2d,
  IntegerConvTranspose2d,
  IntegerFullyConnected,
  IntegerMean,
  IntegerMultiply,
  IntegerPad,
  IntegerPool,
  IntegerResize,
  Quantise,
  Requantisation,
} from '../graph/integers.ts';
import type { Shape } from '../graph/ops.ts';
import { realNode } from '../graph/real-node.ts';
import { resizePlaces } from '../graph/resize-places.ts';
import { sizeOf } from '../graph/shapes.ts';
import { partner } from './binary.ts';
import { concat, pad, reshape, transpose } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** One operation; tensors of integers hold stored ones, from −128 to 127. */
export function runInteger(node: Integer, inputs: readonly Tensor[], shape: Shape): Tensor {
  const { body } = node;
  const input = inputs[0]!;
  const result = (data: Float32Array): Tensor => ({ shape, data });
  switch (body.kind) {
    case 'conv2d':
      return result(conv2d(body, input, shape));
    case 'conv-transpose2d':
      return result(convTranspose2d(body, input, shape));
    case 'fully-connected':
      return result(fullyConnected(body, input));
    case 'add':
      return result(add(body, input, inputs[1]!));
    case 'multiply':
      return result(multiply(body, input, inputs[1]!));
    case 'pairs': {
      const other = inputs[1]!;
      const at = partner(input, other);
      return result(input.data.map((a, i) => body.table[256 * (a + 128) + other.data[at(i)]! + 128]!));
    }
    case 'lookup':
      return result(lookup(input, body.table));
    case 'pool':
      return result(pool(body, input, shape));
    case 'mean':
      return result(mean(body, input));
    case 'resize':
      return result(resize(body, input, shape));
    case 'concat':
      return concat(realNode(node) as never, tabled(body, inputs), shape);
    case 'reshape':
      return reshape(input, shape);
    case 'transpose':
      return transpose(realNode(node) as never, input, shape);
    case 'pad':
      return result(padded(body, node, input, shape));
    case 'quantise':
      return result(input.data.map((x) => quantise(x, body)));
    case 'dequantise':
      return result(input.data.map((q) => dequantise(q, body)));
  }
}

/** To the nearest whole number, halves to the even one. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);

/** `channel` of the output. */
export function requantise(sum: number, { multipliers, zeroPoint, range }: Requantisation, channel: number): number {
  const multiplier = multipliers[multipliers.length === 1 ? 0 : channel]!;
  const scaled = Math.fround(Math.fround(sum) * multiplier);
  return roundHalfEven(clamp(scaled, range[0] - zeroPoint, range[1] - zeroPoint)) + zeroPoint;
}

export const quantise = (x: number, { scale, zeroPoint }: Pick<Quantise, 'scale' | 'zeroPoint'>): number =>
  clamp(roundHalfEven(Math.fround(x * Math.fround(1 / scale))) + zeroPoint, -128, 127);

export const dequantise = (q: number, { scale, zeroPoint }: Pick<Dequantise, 'scale' | 'zeroPoint'>): number =>
  Math.fround((q - zeroPoint) * scale);

function conv2d(body: IntegerConv2d, input: Tensor, shape: Shape): Float32Array {
  const { weights, weightZeroPoint, inputZeroPoint, bias, kernel, stride, dilation, padding, groups, to } = body;
  const [, inHeight, inWidth, inChannels] = input.shape;
  const [batch, height, width, outChannels] = shape;
  const groupInputs = inChannels / groups;
  const groupOutputs = outChannels / groups;
  const out = new Float32Array(sizeOf(shape));
  const sums = new Int32Array(outChannels);
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let k = 0; k < outChannels; k++) sums[k] = bias ? bias[k]! : 0;
        for (let ky = 0; ky < kernel[0]; ky++) {
          for (let kx = 0; kx < kernel[1]; kx++) {
            const inY = y * stride[0] + ky * dilation[0] - padding.top;
            const inX = x * stride[1] + kx * dilation[1] - padding.left;
            if (inY < 0 || inY >= inHeight || inX < 0 || inX >= inWidth) continue;
            const pixel = ((n * inHeight + inY) * inWidth + inX) * inChannels;
            for (let c = 0; c < groupInputs; c++) {
              const row = ((ky * kernel[1] + kx) * groupInputs + c) * outChannels;
              for (let g = 0; g < groups; g++) {
                const value = input.data[pixel + g * groupInputs + c]! - inputZeroPoint;
                for (let k = g * groupOutputs; k < (g + 1) * groupOutputs; k++) {
                  sums[k]! += value * (weights[row + k]! - weightZeroPoint);
                }
              }
            }
          }
        }
        const at = ((n * height + y) * width + x) * outChannels;
        for (let k = 0; k < outChannels; k++) out[at + k] = requantise(sums[k]!, to, k);
      }
    }
  }
  return out;
}

function convTranspose2d(body: IntegerConvTranspose2d, input: Tensor, shape: Shape): Float32Array {
  const { weights, weightZeroPoint, inputZeroPoint, bias, kernel, stride, dilation, crop, to } = body;
  const [batch, inHeight, inWidth, inChannels] = input.shape;
  const [, height, width, outChannels] = shape;
  const sums = new Int32Array(sizeOf(shape));
  if (bias) for (let i = 0; i < sums.length; i++) sums[i] = bias[i % outChannels]!;
  for (let n = 0; n < batch; n++) {
    for (let inY = 0; inY < inHeight; inY++) {
      for (let inX = 0; inX < inWidth; inX++) {
        for (let ky = 0; ky < kernel[0]; ky++) {
          for (let kx = 0; kx < kernel[1]; kx++) {
            const y = inY * stride[0] + ky * dilation[0] - crop[0];
            const x = inX * stride[1] + kx * dilation[1] - crop[1];
            if (y < 0 || y >= height || x < 0 || x >= width) continue;
            const at = ((n * height + y) * width + x) * outChannels;
            const pixel = ((n * inHeight + inY) * inWidth + inX) * inChannels;
            for (let c = 0; c < inChannels; c++) {
              const value = input.data[pixel + c]! - inputZeroPoint;
              const row = ((ky * kernel[1] + kx) * inChannels + c) * outChannels;
              for (let k = 0; k < outChannels; k++) sums[at + k]! += value * (weights[row + k]! - weightZeroPoint);
            }
          }
        }
      }
    }
  }
  return Float32Array.from(sums, (sum, i) => requantise(sum, to, i % outChannels));
}

function fullyConnected(body: IntegerFullyConnected, { shape, data }: Tensor): Float32Array {
  const { weights, weightZeroPoint, inputZeroPoint, bias, outFeatures, to } = body;
  const features = sizeOf(shape) / shape[0];
  const out = new Float32Array(shape[0] * outFeatures);
  const sums = new Int32Array(outFeatures);
  for (let n = 0; n < shape[0]; n++) {
    for (let k = 0; k < outFeatures; k++) sums[k] = bias ? bias[k]! : 0;
    for (let i = 0; i < features; i++) {
      const value = data[n * features + i]! - inputZeroPoint;
      for (let k = 0; k < outFeatures; k++) sums[k]! += value * (weights[i * outFeatures + k]! - weightZeroPoint);
    }
    for (let k = 0; k < outFeatures; k++) out[n * outFeatures + k] = requantise(sums[k]!, to, k);
  }
  return out;
}

function add({ factors, zeroPoints, shift, zeroPoint, range }: IntegerAdd, a: Tensor, b: Tensor): Float32Array {
  const at = partner(a, b);
  return a.data.map((value, i) => {
    const products =
      Math.imul(factors[0], value - zeroPoints[0]) + Math.imul(factors[1], b.data[at(i)]! - zeroPoints[1]);
    return clamp(((2 ** (shift - 1) + products) >> shift) + zeroPoint, range[0], range[1]);
  });
}

function multiply({ zeroPoints, to }: IntegerMultiply, a: Tensor, b: Tensor): Float32Array {
  const at = partner(a, b);
  return a.data.map((value, i) => requantise((value - zeroPoints[0]) * (b.data[at(i)]! - zeroPoints[1]), to, 0));
}

function lookup({ shape, data }: Tensor, table: Int8Array): Float32Array {
  const tables = table.length / 256;
  return data.map((q, i) => table[256 * (tables === 1 ? 0 : i % shape[3]) + q + 128]!);
}

const tabled = ({ tables }: IntegerConcat, inputs: readonly Tensor[]): Tensor[] =>
  inputs.map((input, i) => ({ shape: input.shape, data: tables[i] ? lookup(input, tables[i]) : input.data }));

function pool(
  { pool, halves, window, stride, padding, range }: IntegerPool,
  input: Tensor,
  shape: Shape,
): Float32Array {
  const [, inHeight, inWidth, channels] = input.shape;
  const [batch, height, width] = shape;
  const out = new Float32Array(sizeOf(shape));
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) {
          let [sum, count, largest] = [0, 0, -128];
          for (let ky = 0; ky < window[0]; ky++) {
            for (let kx = 0; kx < window[1]; kx++) {
              const inY = y * stride[0] + ky - padding.top;
              const inX = x * stride[1] + kx - padding.left;
              if (inY < 0 || inY >= inHeight || inX < 0 || inX >= inWidth) continue;
              const value = input.data[((n * inHeight + inY) * inWidth + inX) * channels + c]!;
              sum += value;
              largest = Math.max(largest, value);
              count++;
            }
          }
          const half = Math.floor(count / 2);
          const away = Math.trunc((sum > 0 ? sum + half : sum - half) / count);
          const average = halves === 'away' ? away : Math.floor((sum + half) / count);
          out[at++] = clamp(pool === 'max' ? largest : average, range[0], range[1]);
        }
      }
    }
  }
  return out;
}

function mean({ inputZeroPoint, to }: IntegerMean, { shape, data }: Tensor): Float32Array {
  const [batch, height, width, channels] = shape;
  const sums = new Int32Array(batch * channels);
  for (let n = 0; n < batch; n++) {
    for (let pixel = 0; pixel < height * width; pixel++) {
      for (let c = 0; c < channels; c++) {
        sums[n * channels + c]! += data[(n * height * width + pixel) * channels + c]! - inputZeroPoint;
      }
    }
  }
  return Float32Array.from(sums, (sum) => requantise(sum, to, 0));
}

function padded({ filler }: IntegerPad, node: Integer, input: Tensor, shape: Shape): Float32Array {
  const real = realNode(node) as never;
  const inside = pad(real, { shape: input.shape, data: new Float32Array(input.data.length).fill(1) }, shape);
  return pad(real, input, shape).data.map((value, i) => (inside.data[i] === 1 ? value : filler));
}

function resize({ mode, corners }: IntegerResize, input: Tensor, shape: Shape): Float32Array {
  const [, inHeight, inWidth, channels] = input.shape;
  const [batch, height, width] = shape;
  const [rows, columns] = [resizePlaces(inHeight, height, corners), resizePlaces(inWidth, width, corners)];
  const out = new Float32Array(sizeOf(shape));
  let at = 0;
  for (let n = 0; n < batch; n++) {
    const value = (y: number, x: number, c: number) => input.data[((n * inHeight + y) * inWidth + x) * channels + c]!;
    for (let y = 0; y < height; y++) {
      const v = rows[y]!;
      for (let x = 0; x < width; x++) {
        const h = columns[x]!;
        for (let c = 0; c < channels; c++) {
          if (mode === 'nearest') {
            out[at++] = value(nearest(y, inHeight, height, corners), nearest(x, inWidth, width, corners), c);
            continue;
          }
          const across = (row: number) => {
            const [left, right] = [value(row, h.first, c), value(row, h.second, c)];
            return 2048 * left + (right - left) * h.weight;
          };
          const top = across(v.first);
          out[at++] = (2048 * top + (across(v.second) - top) * v.weight + 2 ** 21) >> 22;
        }
      }
    }
  }
  return out;
}

function nearest(output: number, input: number, size: number, corners: IntegerResize['corners']): number {
  const scale = Math.fround(corners === 'align' && size > 1 ? (input - 1) / (size - 1) : input / size);
  const offset = corners === 'half-pixel' ? 0.5 : 0;
  const source = Math.fround(Math.fround(output + offset) * scale);
  return Math.max(0, Math.min(corners === 'align' ? Math.round(source) : Math.floor(source), input - 1));
}
