import type { Graph } from './graph.ts';
import { inferShapes } from './shapes.ts';

/** How many classes labels are for; null where they would not be known to be for anything. */
export function classesOf(graph: Graph): number | null {
  const { decoding, outputs } = graph;
  if (decoding) return 'classes' in decoding ? decoding.classes : null;
  return outputs.length === 1 ? inferShapes(graph).get(outputs[0]!.tensor)![3] : null;
}
