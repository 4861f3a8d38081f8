import type { Graph } from './graph.ts';
import { seededUniform } from './random.ts';
import { sizeOf } from './shapes.ts';

/** Reproducible inputs for a graph, uniform in [−1, 1): the range of most checkpoints. */
export function seededInputs(graph: Graph, seed = 1): Record<string, Float32Array> {
  const uniform = seededUniform(seed);
  const next = () => 2 * uniform() - 1;
  return Object.fromEntries(
    graph.inputs.map(({ name, shape }) => [name, Float32Array.from({ length: sizeOf(shape) }, next)]),
  );
}
