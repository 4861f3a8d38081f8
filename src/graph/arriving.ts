import type { Node } from './ops.ts';

/** Weights of a graph that are still on their way; nobody may read them before they are there. */
export interface ArrivingWeights {
  /** Once all are there and sound, and the file ends. Rejects with what `load` throws, or with why it was cancelled. */
  readonly all: Promise<void>;
  /** Whether every weight of these nodes is there. */
  has(nodes: readonly Node[]): boolean;
  /** Waits for every weight of these nodes. Throws as `all`. */
  of(nodes: readonly Node[]): Promise<void>;
  /** Ends the fetch; what waits throws `reason`. */
  cancel(reason: unknown): void;
}
