/** Networks whose weights the CPU does not keep, and has again where something needs them. */
import { ModelFormatError, UsageError } from './errors.ts';
import type { Graph } from './graph/graph.ts';
import type { Node } from './graph/ops.ts';
import { withMeanings } from './graph/output-meaning.ts';
import type { LoadOptions, ModelSource } from './load-options.ts';
import { type PlanKind, prepareFor } from './planner/prepare.ts';
import { isRereadable } from './rereadable.ts';
import type { TunedExecutor } from './tuning/tuned-executor.ts';

/** What reads a network again. */
export interface Again {
  readonly source: ModelSource;
  readonly options: LoadOptions;
  readonly read: (source: ModelSource, options: LoadOptions) => Promise<Graph>;
}

/** Has a network's weights leave the CPU, once they are all on the GPU. Returns what has it with its weights. */
export function release(running: TunedExecutor, graph: Graph, again: Again, kind: PlanKind): () => Promise<Graph> {
  const reread = rereading(again);
  const network = new AbsentWeights(graph, async () => withMeanings(await reread()));
  running.whole = async () => prepareFor(await network.whole(), kind);
  running.keep = withoutWeights;
  running.graph = withoutWeights(running.graph);
  running.exchange(running.current, running.preferences);
  return () => network.whole();
}

/** The network of a source by `read`, for as long as it can be read again: what a caller has in memory is not kept for that. */
function rereading({ source, options: given, read }: Again): () => Promise<Graph> {
  const { reload, keepWeights: _, signal: __, onProgress: ___, ...options } = given;
  const kept = isRereadable(source) ? source : null;
  return async () => {
    const from = reload ? await reload() : kept;
    if (!from) {
      throw new UsageError('the model came from memory, and keepWeights is false: give the option "reload" with it');
    }
    return read(from, options);
  };
}

class AbsentWeights {
  readonly #again: () => Promise<Graph>;
  readonly #sum: string;
  /** While somebody else holds it, or nobody needed the memory. */
  #held: WeakRef<Graph>;
  #fetching: Promise<Graph> | null = null;

  /** `again` gives the network once more, as it was loaded. */
  constructor(graph: Graph, again: () => Promise<Graph>) {
    this.#again = again;
    this.#sum = sumOf(graph);
    this.#held = new WeakRef(graph);
  }

  /** The network with its weights. Throws as `again` does, and `ModelFormatError` where it is another one. */
  whole(): Promise<Graph> {
    const held = this.#held.deref();
    if (held) return Promise.resolve(held);
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<Graph> {
    const graph = await this.#again();
    if (sumOf(graph) !== this.#sum) {
      throw new ModelFormatError(graph.name, 'holds another network than when it was loaded: load the model again');
    }
    this.#held = new WeakRef(graph);
    return graph;
  }
}

/**
 * The graph, of whose weights only the lengths are left: `UsageError` says so where one is read. Arrays of one number stay, as
 * plans are made of them: what all channels are multiplied by.
 */
export const withoutWeights = (graph: Graph): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) => absent(node, node.name) as Node),
});

const standIns = new WeakSet<object>();

function absent(value: unknown, node: string): unknown {
  if (ArrayBuffer.isView(value)) {
    const array = value as Float32Array;
    return array.length === 1 ? array.slice() : standIn(array, node);
  }
  if (Array.isArray(value)) return value.map((inner) => absent(inner, node));
  if (typeof value !== 'object' || value === null || standIns.has(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, absent(inner, node)]));
}

function standIn({ length, byteLength, constructor: type }: Float32Array, node: string): unknown {
  const known: Readonly<Record<PropertyKey, unknown>> = { length, byteLength, constructor: type };
  const made = new Proxy(Object.create(type.prototype), {
    get(_, key) {
      if (Object.hasOwn(known, key)) return known[key];
      throw new UsageError(
        `the weights of node "${node}" were not kept (keepWeights: false): readGraph() gives a graph with its weights`,
      );
    },
  });
  standIns.add(made);
  return made;
}

/** Of all numbers of a network, and of where they are. */
function sumOf({ nodes }: Graph): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  const add = (word: number) => {
    a = Math.imul(a ^ word, 2654435761);
    b = Math.imul(b ^ word, 1597334677) ^ (a >>> 16);
  };
  const visit = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) {
      const { buffer, byteOffset, byteLength } = value;
      add(byteLength);
      const words = byteOffset % 4 === 0 ? byteLength >> 2 : 0;
      for (const word of new Uint32Array(buffer, words ? byteOffset : 0, words)) add(word);
      for (const byte of new Uint8Array(buffer, byteOffset + 4 * words, byteLength - 4 * words)) add(byte);
    } else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
    else for (const letter of String(value)) add(letter.charCodeAt(0));
  };
  visit(nodes);
  return `${a >>> 0} ${b >>> 0}`;
}
