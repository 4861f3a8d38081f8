/** A model as one file, fetched when one is saved. */
import { bytesOf } from './graph/byte-weights.ts';
import type { Graph } from './graph/graph.ts';
import { toFloat16 } from './kernels/pack.ts';
import { writeSavedModel } from './loaders/saved-model/index.ts';
import type { SaveOptions } from './model.ts';
import { withByteWeights } from './passes/byte-weights.ts';
import { prepareFor } from './planner/prepare.ts';
import { version } from './version.ts';

/** As `Model.save`. */
export async function save(graph: Graph, { weights = 'float32' }: SaveOptions): Promise<Uint8Array<ArrayBuffer>> {
  const prepared = await prepareFor(graph, 'unfused');
  const stored = weights === 'int8' ? withByteWeights(prepared) : prepared;
  return writeSavedModel(stored, version, weights === 'float16' ? toFloat16 : null, bytesOf);
}
