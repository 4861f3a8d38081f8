import type { L2Normalize } from '../graph/ops.ts';
import type { Tensor } from './tensor.ts';

/** e^(x − m) / Σ e^(x − m) over the channels of each pixel, m the largest of them, so that nothing overflows. */
export function softmax(input: Tensor): Tensor {
  const channels = input.shape[3];
  const data = new Float32Array(input.data.length);
  for (let pixel = 0; pixel < data.length; pixel += channels) {
    const logits = input.data.subarray(pixel, pixel + channels);
    let maximum = Number.NEGATIVE_INFINITY;
    for (const logit of logits) maximum = Math.max(maximum, logit);
    let sum = 0;
    for (const logit of logits) sum += Math.exp(logit - maximum);
    for (let c = 0; c < channels; c++) data[pixel + c] = Math.exp(logits[c]! - maximum) / sum;
  }
  return { shape: input.shape, data };
}

/** x / max(√Σx², epsilon) over the channels of each pixel. */
export function l2Normalize({ epsilon }: L2Normalize, { shape, data }: Tensor): Tensor {
  const channels = shape[3];
  const result = new Float32Array(data.length);
  for (let pixel = 0; pixel < data.length; pixel += channels) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += data[pixel + c]! ** 2;
    const length = Math.max(Math.sqrt(sum), epsilon);
    for (let c = 0; c < channels; c++) result[pixel + c] = data[pixel + c]! / length;
  }
  return { shape, data: result };
}
