import type { Graph } from './graph/graph.ts';
import { toFloat16 } from './kernels/pack.ts';
import { writeSavedModel } from './loaders/saved-model/index.ts';
import { prepareFor } from './planner/prepare.ts';
import { version } from './version.ts';

/** As `Model.save`, of a network as it was loaded; `halves`: weights of layers as such. */
export const saveModel = async (graph: Graph, halves: boolean): Promise<Uint8Array<ArrayBuffer>> =>
  writeSavedModel(await prepareFor(graph, 'unfused'), version, halves ? toFloat16 : null);
