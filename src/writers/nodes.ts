import type { Graph } from '../graph/graph.ts';
import type { Node } from '../graph/ops.ts';

/** The nodes of a graph, fused ones replaced by their parts. */
export const plainNodes = (graph: Graph): Node[] => graph.nodes.flatMap(partsOf);

const partsOf = (node: Node): Node[] => (node.op === 'fused' ? node.parts.flatMap(partsOf) : [node]);

/** Names for what a writer adds to a graph: each is new. */
export class Names {
  readonly #taken: Set<string>;

  constructor(graph: Graph) {
    const tensors = plainNodes(graph).map(({ output }) => output);
    this.#taken = new Set([...tensors, ...graph.inputs.map(({ name }) => name)]);
  }

  /** `wanted`, with a number behind it where that is taken. */
  unique(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.#taken.has(name); i++) name = `${wanted}/${i}`;
    this.#taken.add(name);
    return name;
  }

  has(name: string): boolean {
    return this.#taken.has(name);
  }
}

/**
 * What each tensor is called in a file: that of the graph's output that it is, where the name is free, else its own.
 * Formats name outputs by their tensors, graphs may name them otherwise.
 */
export function fileNames(graph: Graph, names: Names): Map<string, string> {
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const renamed = new Map<string, string>();
  for (const { name, tensor } of graph.outputs) {
    if (name === tensor || renamed.has(tensor) || inputs.has(tensor) || names.has(name)) continue;
    renamed.set(tensor, names.unique(name));
  }
  return renamed;
}
