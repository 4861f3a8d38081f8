import type { Graph } from '../graph/graph.ts';

const files = new WeakMap<Graph, Uint8Array>();

/** Keeps the bytes that a graph was read from, for whoever runs them as they are, for as long as the graph is there. */
export const keepFile = (graph: Graph, bytes: Uint8Array): void => void files.set(graph, bytes);

/** The bytes that a graph was read from, which are not kept any longer; null where there are none. */
export function takeFile(graph: Graph): Uint8Array | null {
  const bytes = files.get(graph) ?? null;
  files.delete(graph);
  return bytes;
}
