/** A model as one file, fetched when one is saved. */
import { UsageError } from './errors.ts';
import type { Graph } from './graph/graph.ts';
import { onIntegers } from './integers.ts';
import { toFloat16 } from './kernels/pack.ts';
import { writeSavedModel } from './loaders/saved-model/write.ts';
import { withByteWeights } from './passes/byte-weights.ts';
import { prepareFor } from './planner/prepare.ts';
import { version } from './version.ts';

export interface SaveOptions {
  /**
   * How weights of layers are stored; default `float32`, of a network whose weights are bytes already `int8`. A network on integers is
   * saved as it is, and takes none.
   */
  readonly weights?: 'float32' | 'float16' | 'int8' | undefined;
}

/** As `Model.save`, of a network as it was loaded. */
export async function saveModel(graph: Graph, { weights }: SaveOptions): Promise<Uint8Array<ArrayBuffer>> {
  if (weights && onIntegers(graph)) {
    throw new UsageError(
      `${graph.name} runs on integers, and is saved as them: leave out weights "${weights}", or load it with precision "float32"`,
    );
  }
  const prepared = await prepareFor(graph, 'unfused');
  const stored = weights === 'int8' ? withByteWeights(prepared) : prepared;
  return writeSavedModel(stored, version, weights === 'float16' ? toFloat16 : null);
}
