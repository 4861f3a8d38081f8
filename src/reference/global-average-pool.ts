import type { Shape } from '../graph/ops.ts';
import type { Tensor } from './tensor.ts';

/** Mean over height and width. */
export function globalAveragePool(input: Tensor, shape: Shape): Tensor {
  const [batch, height, width, channels] = input.shape;
  const pixels = height * width;
  const data = new Float32Array(batch * channels);
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let pixel = 0; pixel < pixels; pixel++) sum += input.data[(n * pixels + pixel) * channels + c]!;
      data[n * channels + c] = sum / pixels;
    }
  }
  return { shape, data };
}
