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
