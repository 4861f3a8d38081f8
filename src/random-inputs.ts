import type { Graph } from './graph/graph.ts';
import { sizeOf } from './graph/shapes.ts';

/** Reproducible inputs for a graph, uniform in [−1, 1): the range of most checkpoints. */
export function seededInputs(graph: Graph, seed = 1): Record<string, Float32Array> {
  let state = seed >>> 0;
  // A Weyl sequence through the finaliser of MurmurHash3.
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 31 - 1;
  };
  return Object.fromEntries(
    graph.inputs.map(({ name, shape }) => [name, Float32Array.from({ length: sizeOf(shape) }, next)]),
  );
}
