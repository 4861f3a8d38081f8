import type { Graph } from '../graph/graph.ts';
import type { Node, Shape } from '../graph/ops.ts';
import { inferShapes } from '../graph/shapes.ts';

/** A pure function of a graph. Outputs keep their names, and their values but for rounding. */
export type Pass = (graph: Graph) => Graph;

/** Who writes and who reads each tensor of a graph, and its shape. */
export class Links {
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly #producers: ReadonlyMap<string, Node>;
  readonly #consumers = new Map<string, Node[]>();
  readonly #outputs: ReadonlySet<string>;

  constructor(graph: Graph) {
    this.shapes = inferShapes(graph);
    this.#producers = new Map(graph.nodes.map((node) => [node.output, node]));
    for (const node of graph.nodes) {
      for (const input of new Set(node.inputs)) {
        const consumers = this.#consumers.get(input) ?? [];
        consumers.push(node);
        this.#consumers.set(input, consumers);
      }
    }
    this.#outputs = new Set(graph.outputs.map(({ tensor }) => tensor));
  }

  /** The node that writes a tensor; undefined for an input of the graph. */
  producer(tensor: string): Node | undefined {
    return this.#producers.get(tensor);
  }

  consumers(tensor: string): readonly Node[] {
    return this.#consumers.get(tensor) ?? [];
  }

  isOutput(tensor: string): boolean {
    return this.#outputs.has(tensor);
  }

  /** The node that writes a tensor which nobody but one node reads: that node may take it in. */
  soleProducer(tensor: string): Node | undefined {
    return this.consumers(tensor).length === 1 && !this.isOutput(tensor) ? this.producer(tensor) : undefined;
  }
}

/** Nodes, and what comes in the place of each: none, one or several. */
export type Replacements = ReadonlyMap<Node, readonly Node[]>;

/** `by` in the place of `node`, which takes the nodes `taken` in. */
export const inPlaceOf = (node: Node, by: readonly Node[], taken: readonly Node[] = []): Replacements =>
  new Map([...taken.map((one) => [one, []] as const), [node, by]]);

/** The two inputs of a sum or product, either first. */
export const eitherFirst = ({ inputs: [a, b] }: Pick<Node, 'inputs'>) =>
  [
    [a!, b!],
    [b!, a!],
  ] as const;

/** The graph with some nodes replaced, its others as they are. */
export function replaceNodes(graph: Graph, replacements: Replacements): Graph {
  if (replacements.size === 0) return graph;
  return { ...graph, nodes: graph.nodes.flatMap((node) => replacements.get(node) ?? [node]) };
}

/**
 * Applies `rewrite` to the first node for which it finds replacements, again and again until it finds none; each time
 * it sees a consistent graph.
 */
export function rewriteAll(graph: Graph, rewrite: (node: Node, links: Links) => Replacements | null): Graph {
  let current = graph;
  for (;;) {
    const links = new Links(current);
    const taken = new Set<Node>();
    const all = new Map<Node, readonly Node[]>();
    for (const node of current.nodes) {
      if (taken.has(node)) continue;
      const found = rewrite(node, links);
      // Rewrites of one round must not touch the same nodes or their neighbours.
      if (!found || [...found.keys()].some((key) => taken.has(key))) continue;
      for (const [key, replacement] of found) {
        all.set(key, replacement);
        for (const neighbour of [key, ...neighbours(key, links)]) taken.add(neighbour);
      }
    }
    if (all.size === 0) return current;
    current = replaceNodes(current, all);
  }
}

function neighbours(node: Node, links: Links): Node[] {
  const before = node.inputs.flatMap((input) => links.producer(input) ?? []);
  return [...before, ...links.consumers(node.output)];
}
