import type { Graph } from './graph/graph.ts';
import type { Inspection } from './inspection.ts';
import { type Precision, resolveChoice, storageOf } from './options.ts';
import { noPreferences } from './planner/select.ts';

export interface InspectOptions {
  readonly precision?: Precision | undefined;
}

/** With the kernels that run on every device. Throws `UsageError` for a precision that no plan has. */
export async function inspect(graph: Graph, { precision }: InspectOptions = {}): Promise<Inspection> {
  const storage = storageOf(resolveChoice({ precision }).precision, ['shader-f16']);
  return (await import('./inspection.ts')).inspectAs(graph, storage, noPreferences);
}
