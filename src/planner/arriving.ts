import type { Graph } from '../graph/graph.ts';
import type { ConstantUpload, Plan } from './plan.ts';

/** Weights of a graph that are still on their way; nobody may read them before they are there. */
export interface Arriving {
  /** Once all are there and sound, and the file ends. Rejects with what `load` throws, or with why it was cancelled. */
  readonly all: Promise<void>;
  /**
   * What `packConstants` gives, as it arrives: each batch is what is there, and packed while it is gone through. Ends
   * with `all`; throws as it does.
   */
  constants(graph: Graph, plan: Plan): AsyncIterable<Iterable<ConstantUpload>>;
  /** Ends the fetch; what waits throws `reason`. */
  cancel(reason: unknown): void;
}
