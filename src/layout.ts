/** Tensors between the layouts of those who call and of the engine. */
import type { Shape } from './graph/ops.ts';

/** Dense NHWC of dense NCHW, of as many values. `shape` is NHWC. */
export function fromChannelsFirst(values: Float32Array, shape: Shape): Float32Array {
  const [batch, height, width, channels] = shape;
  return moved(values, batch, channels, height * width);
}

/** Dense NCHW of dense NHWC. */
export const toChannelsFirst = (values: Float32Array, [batch, height, width, channels]: Shape): Float32Array =>
  moved(values, batch, height * width, channels);

/** Of each image, columns for rows. */
function moved(values: Float32Array, batch: number, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let image = 0, at = 0; image < batch; image++) {
    const first = image * rows * columns;
    for (let column = 0; column < columns; column++) {
      for (let row = 0; row < rows; row++) out[at++] = values[first + row * columns + column]!;
    }
  }
  return out;
}
