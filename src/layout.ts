/** Tensors between the layouts of those who call and of the engine. */
import { UsageError } from './errors.ts';
import type { Graph } from './graph/graph.ts';
import type { Shape } from './graph/ops.ts';
import { inferShapes, sizeOf } from './graph/shapes.ts';
import { checkInputs } from './scheduler/tensors.ts';

type Values = Readonly<Record<string, Float32Array>>;

/** A run of a network on tensors of NCHW. Throws `UsageError` for another layout, and where an input does not fit. */
export async function runChannelsFirst(
  graph: Graph,
  inputs: Float32Array | Values,
  layout: string,
  run: (inputs: Values) => Promise<Values>,
): Promise<Record<string, Float32Array>> {
  if (layout !== 'nchw') throw new UsageError(`layout is "${layout}", expected nhwc or nchw`);
  const values = checkInputs(inputs, graph.inputs);
  const turned = graph.inputs.map(({ name, shape }, i) => [name, fromChannelsFirst(name, values[i]!, shape)]);
  const outputs = await run(Object.fromEntries(turned));
  const shapes = inferShapes(graph);
  return Object.fromEntries(
    graph.outputs.map(({ name, tensor }) => [name, toChannelsFirst(outputs[name]!, shapes.get(tensor)!)]),
  );
}

/** Dense NHWC of dense NCHW. `shape` is NHWC. Throws `UsageError` where there are not as many values. */
function fromChannelsFirst(name: string, values: Float32Array, shape: Shape): Float32Array {
  const [batch, height, width, channels] = shape;
  if (values.length !== sizeOf(shape)) {
    throw new UsageError(
      `input "${name}" has ${values.length} values, expected ${sizeOf(shape)} for [${[batch, channels, height, width]}] (NCHW)`,
    );
  }
  return moved(values, batch, channels, height * width);
}

/** Dense NCHW of dense NHWC. */
const toChannelsFirst = (values: Float32Array, [batch, height, width, channels]: Shape): Float32Array =>
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
