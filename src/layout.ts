/** Tensors between the layouts of those who call and of the engine. */
import type { Shape } from './graph/ops.ts';

type Values = Readonly<Record<string, Float32Array>>;

/** A tensor's shape is NHWC. */
type Tensors = readonly { readonly name: string; readonly shape: Shape }[];

/** Of tensors by name, dense NHWC of dense NCHW, of as many values. */
export const fromChannelsFirst = (values: Values, tensors: Tensors): Record<string, Float32Array> =>
  each(values, tensors, ([batch, height, width, channels], of) => moved(of, batch, channels, height * width));

/** Of tensors by name, dense NCHW of dense NHWC. */
export const toChannelsFirst = (values: Values, tensors: Tensors): Record<string, Float32Array> =>
  each(values, tensors, ([batch, height, width, channels], of) => moved(of, batch, height * width, channels));

/** Of those tensors that there are values of. */
const each = (values: Values, tensors: Tensors, move: (shape: Shape, values: Float32Array) => Float32Array) =>
  Object.fromEntries(tensors.flatMap(({ name, shape }) => (values[name] ? [[name, move(shape, values[name])]] : [])));

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
